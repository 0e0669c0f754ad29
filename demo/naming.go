package demo

import (
	"errors"

	"github.com/meshd/meshd/topology"
)

// Naming is what the copies of a topic are called. It is a flag's value.
type Naming string

// The namings.
const (
	Prefix   Naming = "prefix"   // orders of us is us.orders elsewhere
	Identity Naming = "identity" // orders is orders everywhere, and all write to it
)

var errNaming = errors.New("it is prefix or identity")

// Set implements pflag.Value.
func (n *Naming) Set(text string) error {
	switch Naming(text) {
	case Prefix, Identity:
		*n = Naming(text)
		return nil
	}
	return errNaming
}

// Type implements pflag.Value.
func (n *Naming) Type() string { return "naming" }

func (n *Naming) String() string { return string(*n) }

// named is what the topic of an origin is called at a cluster.
func (n Naming) named(origin, at topology.Alias) string {
	if n == Identity || origin == at {
		return topic
	}
	return string(origin) + "." + topic
}

// topicsAt are all topics with orders at a cluster.
func (n Naming) topicsAt(at topology.Alias) (names []string) {
	if n == Identity {
		return []string{topic}
	}
	for _, origin := range places {
		names = append(names, n.named(origin, at))
	}
	return names
}
