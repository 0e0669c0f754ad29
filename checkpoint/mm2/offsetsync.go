package mm2

// OffsetSync pairs the offset of a record at the source with the one that its copy has at the destination.
type OffsetSync struct {
	Topic      string // as it is called at the source
	Partition  int32
	Upstream   int64
	Downstream int64
}

// Encode returns the record's key and value. Unlike the others this format has no version.
func (s OffsetSync) Encode() (key, value []byte, err error) {
	var k, v writer
	k.string("topic", s.Topic)
	k.natural("partition", int64(s.Partition))
	k.int32(s.Partition)
	v.natural("upstream offset", s.Upstream)
	v.int64(s.Upstream)
	v.natural("downstream offset", s.Downstream)
	v.int64(s.Downstream)
	return both(&k, &v, "offset sync")
}

// DecodeOffsetSync reads a record of an offset syncs topic.
func DecodeOffsetSync(key, value []byte) (OffsetSync, error) {
	k, v := read(key), read(value)
	s := OffsetSync{
		Topic: k.string("topic"), Partition: k.int32("partition"),
		Upstream: v.int64("upstream offset"), Downstream: v.int64("downstream offset"),
	}
	if err := ends(k, v, "offset sync"); err != nil {
		return OffsetSync{}, err
	}
	return s, nil
}
