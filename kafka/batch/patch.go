package batch

import (
	"encoding/binary"
	"fmt"
	"math"
)

// patchEnd is where the part of the header ends that Patch changes and the CRC covers: the count and the records stay.
const patchEnd = countAt

// Patch makes b, in place, a batch that its new producer can send: base offset 0, no leader epoch, the given producer, and of
// the attributes the codec alone. The CRC follows without reading the records, so a CRC that was wrong stays wrong.
//
// A batch for which CopyReason is not Copy is refused and left as it was.
func Patch(b Batch, producerID int64, epoch int16, baseSequence int32) error {
	if why := CopyReason(b); why != Copy {
		return fmt.Errorf("patching the batch at offset %d: it can't be copied: %s", b.BaseOffset(), why)
	}
	oldHead := headCRC(b)
	binary.BigEndian.PutUint64(b, 0)
	b.putUint32(leaderEpochAt, math.MaxUint32) // -1: no broker has appended it
	binary.BigEndian.PutUint16(b[attributesAt:], uint16(b.Codec()))
	b.putProducer(producerID, epoch, baseSequence)
	b.putUint32(crcAt, replaceHead(b.CRC(), oldHead, headCRC(b), len(b)-patchEnd))
	return nil
}

// AppendPatched appends a patched copy of b to dst and leaves b as it is.
func AppendPatched(dst []byte, b Batch, producerID int64, epoch int16, baseSequence int32) ([]byte, error) {
	n := len(dst)
	dst = append(dst, b...)
	if err := Patch(Batch(dst[n:]), producerID, epoch, baseSequence); err != nil {
		return dst[:n], err
	}
	return dst, nil
}

// AddSequence is the sequence n records after seq. After the end of int32 comes 0.
func AddSequence(seq, n int32) int32 { return int32((int64(seq) + int64(n)) & math.MaxInt32) }

func (b Batch) putProducer(id int64, epoch int16, baseSequence int32) {
	binary.BigEndian.PutUint64(b[producerIDAt:], uint64(id))
	binary.BigEndian.PutUint16(b[producerEpochAt:], uint16(epoch))
	b.putUint32(baseSequenceAt, uint32(baseSequence))
}

func (b Batch) putUint32(at int, v uint32) { binary.BigEndian.PutUint32(b[at:], v) }
