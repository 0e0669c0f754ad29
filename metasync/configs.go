package metasync

import (
	"path"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
)

// never lists configs that belong to one cluster: copying them would tie the destination's durability or its brokers to the
// source's. Timestamps are the records' own at the destination, so their type and bounds are set by base.
var never = []string{
	"message.timestamp.*", "*.throttled.replicas", "min.insync.replicas", "unclean.leader.election.enable",
	"remote.storage.enable", "remote.log.*", "local.retention.*", "confluent.*",
}

// base is what every copy needs: the records' own timestamps are kept, however old or ahead of the clock they are.
var base = map[string]string{
	"message.timestamp.type":          "CreateTime",
	"message.timestamp.before.max.ms": "9223372036854775807",
	"message.timestamp.after.max.ms":  "9223372036854775807",
}

// wanted are the configs of a copy: what was set at the source's topic, without what never goes or exclude names.
func wanted(source []kadm.Config, exclude []string) map[string]string {
	out := map[string]string{}
	for _, c := range source {
		if set(c) && c.Value != nil && !excluded(c.Key, never) && !excluded(c.Key, exclude) {
			out[c.Key] = *c.Value
		}
	}
	return out
}

// set says whether a config was set for the topic itself.
func set(c kadm.Config) bool { return c.Source == dynamicTopicConfig && !c.Sensitive }

func excluded(key string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, key)
		return ok && err == nil
	})
}

// differing are the configs of want that the copy does not have.
func differing(want map[string]string, have []kadm.Config) []kadm.AlterConfig {
	at := map[string]string{}
	for _, c := range have {
		if c.Value != nil {
			at[c.Key] = *c.Value
		}
	}
	var out []kadm.AlterConfig
	for key, value := range want {
		if now, ok := at[key]; !ok || now != value {
			out = append(out, kadm.AlterConfig{Op: kadm.SetConfig, Name: key, Value: new(value)})
		}
	}
	return out
}
