package validate

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
)

func TestTopicsSeesLoops(t *testing.T) {
	tests := []struct {
		cluster, topic string
		bad            bool
	}{
		{"us", "orders", false},
		{"us", "eu.orders", false},
		{"us", "prod.orders", false}, // no cluster has that name
		{"us", "eu.prod.orders", false},
		{"us", "us.orders", true},    // came home
		{"us", "eu.us.orders", true}, // came home by way of eu
		{"us", "eu.ap.orders", true}, // a copy of a copy
		{"us", "us.eu.orders", true},
		{"us", "eu.", false},
		{"us", "eu", false},
	}
	for _, test := range tests {
		t.Run(test.topic, func(t *testing.T) {
			names := map[string][]string{"us": nil, "eu": nil, "ap": nil}
			names[test.cluster] = []string{test.topic}
			if got := loops(names, "."); (len(got) == 1) != test.bad {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestTopicsOfClusters(t *testing.T) {
	us, eu := kafkatest.Start(t, "us"), kafkatest.Start(t, "eu")
	clients := map[string]*kgo.Client{"us": us.Client(t), "eu": eu.Client(t)}
	us.CreateTopic(t, "orders", 1)
	eu.CreateTopic(t, "us.orders", 1)
	check := func(want int) {
		t.Helper()
		problems, err := Topics(t.Context(), clients, ".")
		if err != nil || len(problems) != want {
			t.Errorf("got %v, %v; want %d", problems, err, want)
		}
	}
	check(0)
	us.CreateTopic(t, "eu.us.orders", 1)
	check(1)
}
