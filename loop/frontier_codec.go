package loop

import (
	"encoding/binary"
	"errors"
	"math"
)

// Errors of a stored frontier.
var (
	ErrFrontierFuture  = errors.New("a newer meshd wrote the frontier")
	ErrFrontierCorrupt = errors.New("the frontier is damaged")
)

const frontierVersion = 1

// AppendFrontier writes a frontier and its gaps behind b: a version byte, the frontier, the number of gaps, the gaps. Coordinates
// are three varints each.
func AppendFrontier(b []byte, next Coordinate, gaps Gaps) []byte {
	b = appendCoordinate(append(b, frontierVersion), next)
	b = binary.AppendUvarint(b, uint64(len(gaps)))
	for _, g := range gaps {
		b = append(appendCoordinate(appendCoordinate(b, g.From), g.To), byte(g.Why))
	}
	return b
}

// DecodeFrontier reads what AppendFrontier wrote, and refuses everything else.
func DecodeFrontier(b []byte) (next Coordinate, gaps Gaps, err error) {
	if len(b) == 0 {
		return next, nil, ErrFrontierCorrupt
	}
	if b[0] != frontierVersion {
		return next, nil, ErrFrontierFuture
	}
	d := uvarints{b: b[1:]}
	next = d.coordinate()
	n := d.next(math.MaxInt32)
	if d.err != nil || n > uint64(len(d.b)) {
		return next, nil, ErrFrontierCorrupt
	}
	for at := Start; n > 0; n-- {
		g := Gap{From: d.coordinate(), To: d.coordinate()}
		if d.err != nil || len(d.b) == 0 || g.From.Less(at) || !g.From.Less(g.To) || next.Less(g.To) {
			return next, nil, ErrFrontierCorrupt
		}
		g.Why, d.b, at = GapReason(d.b[0]), d.b[1:], g.To
		gaps = append(gaps, g)
	}
	if len(d.b) > 0 {
		return next, nil, ErrFrontierCorrupt
	}
	return next, gaps, nil
}

func appendCoordinate(b []byte, c Coordinate) []byte {
	b = binary.AppendUvarint(b, uint64(c.Incarnation))
	b = binary.AppendUvarint(b, uint64(int64(c.Epoch)+1))
	return binary.AppendUvarint(b, uint64(c.Offset))
}

func (u *uvarints) coordinate() Coordinate {
	return Coordinate{int32(u.next(math.MaxInt32)), int32(int64(u.next(math.MaxInt32)) - 1), int64(u.next(math.MaxInt64))}
}
