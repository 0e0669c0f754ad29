package kafka

import (
	"math"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

func TestMemoryOf(t *testing.T) {
	const txn, producer = "transactional.id.expiration.ms", "producer.id.expiration.ms"
	for name, c := range map[string]struct {
		configs []string
		want    Memory
	}{
		"nothing is said":  {nil, DefaultMemory},
		"both":             {[]string{txn, "5000", producer, "3000"}, Memory{5 * time.Second, 3 * time.Second}},
		"the other way":    {[]string{producer, "3000", txn, "5000"}, Memory{5 * time.Second, 3 * time.Second}},
		"before 3.4":       {[]string{txn, "604800000"}, Memory{7 * 24 * time.Hour, 7 * 24 * time.Hour}},
		"no number":        {[]string{txn, "", producer, "-1"}, DefaultMemory},
		"beyond all years": {[]string{producer, "9223372036854775807"}, Memory{DefaultMemory.Txn, time.Duration(math.MaxInt64 / 1_000_000 * 1_000_000)}},
	} {
		t.Run(name, func(t *testing.T) {
			var configs []kadm.Config
			for i := 0; i < len(c.configs); i += 2 {
				configs = append(configs, kadm.Config{Key: c.configs[i], Value: &c.configs[i+1]})
			}
			if got := memoryOf(configs); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
