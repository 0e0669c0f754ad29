package mm2

// Heartbeats is the topic to which a cluster's own heartbeats go.
const Heartbeats = "heartbeats"

// RemoteHeartbeats is the name, elsewhere, of the heartbeats that cluster src writes at home.
func RemoteHeartbeats(src string) string { return src + "." + Heartbeats }

// CheckpointsTopic is the topic, at the destination, with the checkpoints of the groups of cluster src.
func CheckpointsTopic(src string) string { return src + ".checkpoints.internal" }

// OffsetSyncsTopic is the topic, at the source, with the offset syncs of the link to cluster dst.
func OffsetSyncsTopic(dst string) string { return "mm2-offset-syncs." + dst + ".internal" }

// OffsetsTopic is the topic, at the destination, in which Connect keeps how far a link from cluster src has come.
func OffsetsTopic(src string) string { return "mm2-offsets." + src + ".internal" }
