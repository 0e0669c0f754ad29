package metasync

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/meshd/meshd/kafka"
)

// differ says where the configs of a shared topic differ that were set at its source. The destination may take larger batches: stamps
// need room.
func (s *Syncer) differ(w Wish, source []kadm.Config, changes []kadm.AlterConfig, here []kadm.Config) error {
	var said []string
	for _, c := range changes {
		there, now := valueOf(source, c.Name), valueOf(here, c.Name)
		if c.Name == "max.message.bytes" && number(now) >= number(there) {
			continue
		}
		said = append(said, fmt.Sprintf("%s is %s at %s and %s at %s", c.Name, there, s.Source.Config.Alias, now, s.Destination.Config.Alias))
	}
	if len(said) == 0 {
		return nil
	}
	slices.Sort(said)
	return kafka.Because(kafka.ConfigsDiffer, fmt.Sprintf("topic %s: %s", w.Topic, strings.Join(said, "; ")),
		"meshd changes neither of a topic that both write: set them alike with kafka-configs.sh --alter, or name what is to differ in configs.exclude of the link")
}

func valueOf(configs []kadm.Config, key string) string {
	for _, c := range configs {
		if c.Key == key && c.Value != nil {
			return *c.Value
		}
	}
	return "not set"
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return -1
	}
	return n
}
