package chaos

import "math/rand/v2"

// sharedKinds are what happens to clusters of one broker.
var sharedKinds = []kind{
	nodeKilled, nodeStopped, lineCut, lineLost, lineLate, linkCut, linkLost, brokerRestarted, brokerKilled, brokerStopped, quota,
}

const sharedPerSeed = 5

func (l *layout) schedule(seed uint64) []fault {
	return scheduled(seed, sharedKinds, sharedPerSeed, l.drawn)
}

// drawn is a fault that begins at 0.
func (l *layout) drawn(k kind, random *rand.Rand) fault {
	f := fault{kind: k}
	switch k {
	case nodeKilled:
		f.node, f.to = pick(random, l.nodes...), tenths(random, 1, 50)
	case nodeStopped:
		f.node, f.to = pick(random, l.nodes...), tenths(random, 35, 70)
	case lineCut:
		f.node, f.cluster, f.to = pick(random, l.nodes...), pick(random, l.clusters()...), tenths(random, 1, 50)
	case lineLost, lineLate:
		f.node, f.cluster, f.to = pick(random, l.nodes...), pick(random, l.clusters()...), tenths(random, 30, 80)
	case linkCut, linkLost:
		ends := l.links[random.IntN(len(l.links))]
		f.cluster, f.other, f.to = ends[0], ends[1], tenths(random, 30, 130) // some for longer than it takes to look for another source
	case brokerRestarted:
		f.cluster, f.broker = pick(random, l.clusters()...), 1
	case brokerKilled:
		f.cluster, f.broker, f.to = pick(random, l.clusters()...), 1, tenths(random, 0, 30)
	case brokerStopped:
		f.cluster, f.broker, f.to = pick(random, l.clusters()...), 1, tenths(random, 30, 110)
	case quota:
		f.cluster, f.to = pick(random, l.clusters()...), tenths(random, 40, 80)
	case diskFull, leadersMoved: // there is no other broker
	}
	return f
}
