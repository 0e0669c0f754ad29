package validate

import "hash/maphash"

// remembered is how many records of a log are held at a time to see whether they come again.
const remembered = 1 << 19

// repeats finds the records of a log that are in it once more, and returns their offsets, not more than there may be leftovers. It
// reads the log several times, each time with another part of all fingerprints in mind.
func repeats(rounds uint64, into *Partition, open func(round uint64) stream) (map[int64]bool, error) {
	again := map[int64]bool{}
	for round := range rounds {
		first, next := map[uint64]int64{}, open(round)
		for {
			e, more, err := next()
			if err != nil {
				return again, err
			}
			if !more {
				break
			}
			mark := maphash.Comparable(hashSeed, e.print)
			if mark%rounds != round {
				continue
			}
			into.DestinationRecords++
			at, there := first[mark]
			if !there {
				first[mark] = e.offset
				into.SourceRecords++
				continue
			}
			into.note(Example{Kind: Looped, SourceOffset: at, DestinationOffset: e.offset})
			if len(again) < leftoverLimit {
				again[e.offset] = true
			}
		}
	}
	return again, nil
}
