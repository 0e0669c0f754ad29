// Package mm2 reads and writes the record formats of MirrorMaker 2, so that the tools that know them (RemoteClusterUtils,
// MirrorClient, the console formatters) read what meshd writes, and meshd takes over where MirrorMaker 2 stopped.
//
//	<src>.checkpoints.internal      key group, topic, partition    value version, upstream, downstream, metadata
//	heartbeats, <src>.heartbeats    key source, target             value version, milliseconds
//	mm2-offset-syncs.<dst>.internal key topic, partition           value upstream, downstream
//	mm2-offsets.<src>.internal      Connect's JSON                 read only
//
// All but the last are Kafka's own primitive types: big endian, a string is an int16 length and UTF-8. The formats are those of
// Apache Kafka's connect/mirror-client (Checkpoint, Heartbeat) and connect/mirror (OffsetSync, MirrorUtils).
//
// Decoding is strict: another version, a field out of range or a byte too many is an error, where MirrorMaker 2's own readers
// would go on. It must never panic, whatever it is given, and never write a null value: those readers crash on one.
package mm2
