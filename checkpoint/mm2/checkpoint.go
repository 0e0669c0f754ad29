package mm2

import "fmt"

// Checkpoint says where in a partition a group of another cluster would continue here.
type Checkpoint struct {
	Group      string
	Topic      string // as it is called where the checkpoint is
	Partition  int32
	Upstream   int64 // the group's offset at the source
	Downstream int64 // the same place here
	Metadata   string
}

// Encode returns the record's key and value. It fails on negative numbers and on strings of more than 32,767 bytes.
func (c Checkpoint) Encode() (key, value []byte, err error) {
	var k, v writer
	k.string("group", c.Group)
	k.string("topic", c.Topic)
	k.natural("partition", int64(c.Partition))
	k.int32(c.Partition)
	v.int16(version)
	v.natural("upstream offset", c.Upstream)
	v.int64(c.Upstream)
	v.natural("downstream offset", c.Downstream)
	v.int64(c.Downstream)
	v.string("metadata", c.Metadata)
	return both(&k, &v, "checkpoint")
}

// DecodeCheckpoint reads a record of a checkpoints topic.
func DecodeCheckpoint(key, value []byte) (Checkpoint, error) {
	k, v := read(key), read(value)
	v.version()
	c := Checkpoint{
		Group: k.string("group"), Topic: k.string("topic"), Partition: k.int32("partition"),
		Upstream: v.int64("upstream offset"), Downstream: v.int64("downstream offset"), Metadata: v.string("metadata"),
	}
	if err := ends(k, v, "checkpoint"); err != nil {
		return Checkpoint{}, err
	}
	return c, nil
}

func both(k, v *writer, what string) (key, value []byte, err error) {
	if key, err = k.bytes(); err != nil {
		return nil, nil, fmt.Errorf("encoding key of %s: %w", what, err)
	}
	if value, err = v.bytes(); err != nil {
		return nil, nil, fmt.Errorf("encoding value of %s: %w", what, err)
	}
	return key, value, nil
}

func ends(k, v *reader, what string) error {
	if err := k.end(); err != nil {
		return fmt.Errorf("decoding key of %s: %w", what, err)
	}
	if err := v.end(); err != nil {
		return fmt.Errorf("decoding value of %s: %w", what, err)
	}
	return nil
}
