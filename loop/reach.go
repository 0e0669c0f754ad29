package loop

import "github.com/meshd/meshd/topology"

// unheard lists the clusters that never get an origin's records, in the order of the origins' names.
func (g Graph) unheard() (out []Unheard) {
	clusters := g.Clusters()
	number := map[topology.Alias]int{}
	for i, c := range clusters {
		number[c] = i
	}
	reached := newReach(len(clusters))
	for _, e := range g {
		reached.set(number[e.Source], number[e.Destination])
	}
	reached.close()
	for o, origin := range clusters {
		var who []topology.Alias
		for c, cluster := range clusters {
			if c != o && reached.has(o, c) {
				who = append(who, cluster)
			}
		}
		for c, cluster := range clusters {
			if c != o && !reached.has(o, c) {
				out = append(out, Unheard{origin, cluster, append([]topology.Alias{origin}, who...)})
			}
		}
	}
	return out
}

// reach is which cluster gets whose records, a row of bits for each origin.
type reach [][]uint64

const bits = 64

func newReach(n int) reach {
	r := make(reach, n)
	for i := range r {
		r[i] = make([]uint64, (n+bits-1)/bits)
	}
	return r
}

func (r reach) set(from, to int) { r[from][to/bits] |= 1 << (to % bits) }

func (r reach) has(from, to int) bool { return r[from][to/bits]>>(to%bits)&1 == 1 }

// close adds what is reached over others (Warshall).
func (r reach) close() {
	for over := range r {
		for from := range r {
			if !r.has(from, over) {
				continue
			}
			for i := range r[from] {
				r[from][i] |= r[over][i]
			}
		}
	}
}
