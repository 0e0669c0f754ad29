package topology

import (
	"slices"
	"strings"
)

// Topic says whether the link carries a topic, which is named as at its origin, and with which settings.
func (l Link) Topic(name string) (LinkSettings, bool) {
	if Internal(name, l.Settings.Separator) || matchAny(l.Topics.Exclude, name) || !matchAny(l.Topics.Include, name) {
		return LinkSettings{}, false
	}
	if i := l.rule(name); i >= 0 {
		return l.Topics.Rules[i].Settings, true
	}
	return l.Settings, true
}

// rule is the first rule that matches a topic; -1: none does.
func (l Link) rule(name string) int {
	return slices.IndexFunc(l.Topics.Rules, func(r TopicRule) bool { return r.Match.Match(name) })
}

// LimitOf says whose limit.bytes_per_second holds for a topic that the link carries: the index of the rule that sets another one than the
// link's, or -1 for the link's own.
func (l Link) LimitOf(name string) int {
	i := l.rule(name)
	if i >= 0 && l.Topics.Rules[i].Settings.LimitBytes == l.Settings.LimitBytes {
		return -1
	}
	return i
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
