package topology

import "strings"

// Topic says whether the link carries a topic, which is named as at its origin, and with which settings.
func (l Link) Topic(name string) (LinkSettings, bool) {
	if Internal(name, l.Settings.Separator) || matchAny(l.Topics.Exclude, name) || !matchAny(l.Topics.Include, name) {
		return LinkSettings{}, false
	}
	for _, r := range l.Topics.Rules {
		if r.Match.Match(name) {
			return r.Settings, true
		}
	}
	return l.Settings, true
}

// LimitOf says whose limit.bytes_per_second holds for a topic that the link carries: the index of the rule that sets another one than the
// link's, or -1 for the link's own.
func (l Link) LimitOf(name string) int {
	for i, r := range l.Topics.Rules {
		if r.Match.Match(name) && r.Settings.LimitBytes != l.Settings.LimitBytes {
			return i
		} else if r.Match.Match(name) {
			break
		}
	}
	return -1
}

// Group says whether the link moves a consumer group.
func (l Link) Group(name string) bool {
	return !matchAny(l.Groups.Exclude, name) && matchAny(l.Groups.Include, name)
}

// Internal says whether a topic belongs to meshd, to Kafka or to MirrorMaker 2, and so is never carried. MirrorMaker 2 joins the names
// of its topics by a dot or by its separator (org.apache.kafka.connect.mirror.ReplicationPolicy); ours is taken for it too.
func Internal(topic, separator string) bool {
	if strings.HasPrefix(topic, "meshd.") || strings.HasPrefix(topic, "__") || topic == "heartbeats" {
		return true
	}
	for _, sep := range []string{".", separator} {
		if sep == "" {
			continue
		}
		if strings.HasSuffix(topic, sep+"heartbeats") || strings.HasSuffix(topic, sep+"checkpoints"+sep+"internal") ||
			strings.HasPrefix(topic, "mm2") && strings.HasSuffix(topic, sep+"internal") {
			return true
		}
	}
	return false
}
