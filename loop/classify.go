package loop

import (
	"fmt"
	"strings"

	"github.com/meshd/meshd/topology"
)

// Kind is what a topic is to the mesh.
type Kind string

// The kinds of topics.
const (
	Local     Kind = "local"     // produced here, by applications
	Remote    Kind = "remote"    // a copy that meshd keeps
	Unclaimed Kind = "unclaimed" // named like a copy, but meshd did not make it
	Internal  Kind = "internal"  // meshd's, Kafka's or MM2's own
)

// Known is what the registry of the topic's cluster says of it.
type Known struct {
	Made   bool           // meshd made or adopted it
	Local  bool           // a person said that it is local, whatever its name
	Origin topology.Alias // of a made one
	Topic  string         // its name at the origin
}

// Mesh is what Classify must know of the topology.
type Mesh struct {
	Aliases    []topology.Alias
	Separators []string
}

// Verdict says what a topic is, and why in words.
type Verdict struct {
	Kind   Kind
	Origin topology.Alias // of a remote topic; of an unclaimed one, what its name suggests
	Topic  string         // its name there
	Why    string
}

// Classify says what a topic at a cluster is. known is what that cluster's registry has of it, nil if nothing.
func (m Mesh) Classify(topic string, at topology.Alias, known *Known) Verdict {
	for _, sep := range m.Separators {
		if topology.Internal(topic, sep) {
			return Verdict{Kind: Internal, Why: "an internal topic"}
		}
	}
	switch {
	case known != nil && known.Made:
		return Verdict{Kind: Remote, Origin: known.Origin, Topic: known.Topic, Why: fmt.Sprintf("meshd keeps it as the copy of %s from %s", known.Topic, known.Origin)}
	case known != nil && known.Local:
		return Verdict{Kind: Local, Origin: at, Topic: topic, Why: "declared to be local"}
	}
	if origin, name, ok := m.looksRemote(topic, at); ok {
		return Verdict{Kind: Unclaimed, Origin: origin, Topic: name, Why: fmt.Sprintf(
			"its name is that of a copy of %s from %s, but meshd did not make it", name, origin)}
	}
	return Verdict{Kind: Local, Origin: at, Topic: topic, Why: "no other cluster's prefix"}
}

// looksRemote says whether a name is that of a copy from another cluster. Where several aliases fit, the longest does.
func (m Mesh) looksRemote(topic string, at topology.Alias) (origin topology.Alias, name string, ok bool) {
	for _, a := range m.Aliases {
		for _, sep := range m.Separators {
			rest, found := strings.CutPrefix(topic, string(a)+sep)
			if found && rest != "" && a != at && len(a) > len(origin) {
				origin, name, ok = a, rest, true
			}
		}
	}
	return origin, name, ok
}

// RemoteName is the name of a topic's copy at every other cluster (MM2's DefaultReplicationPolicy).
func RemoteName(origin topology.Alias, separator, topic string) string {
	return string(origin) + separator + topic
}
