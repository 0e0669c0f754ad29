package validate

import "math/bits"

// bloom remembers fingerprints in 2 MiB: it may take one for known that is not, of a million records one in 400. It only tells a
// record too many that is a duplicate from one that was never there, so a mistake changes the name of a fault, never the verdict.
type bloom []uint64

const bloomBits = 1 << 24

func newBloom() bloom { return make(bloom, bloomBits/64) }

func (b bloom) add(f fingerprint) {
	for _, bit := range bitsOf(f) {
		b[bit/64] |= 1 << (bit % 64)
	}
}

func (b bloom) has(f fingerprint) bool {
	for _, bit := range bitsOf(f) {
		if b[bit/64]&(1<<(bit%64)) == 0 {
			return false
		}
	}
	return true
}

// bitsOf returns the four bits of a fingerprint, from two mixes of its fields.
func bitsOf(f fingerprint) [4]uint64 {
	hi, lo := bits.Mul64(f.value^0x9e3779b97f4a7c15, f.key^bits.RotateLeft64(f.headers, 17)^0xd1b54a32d192ed03)
	hi2, lo2 := bits.Mul64(hi^lo^uint64(f.timestamp), 0xbf58476d1ce4e5b9)
	mixed := hi2 ^ lo2
	step := hi | 1
	return [4]uint64{mixed % bloomBits, (mixed + step) % bloomBits, (mixed + 2*step) % bloomBits, (mixed + 3*step) % bloomBits}
}
