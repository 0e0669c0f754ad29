package topology

// Naming says what a topic is called at clusters other than its origin.
type Naming string

// The two ways of naming. A topic has one of them in the whole mesh.
const (
	Prefix   Naming = "prefix"   // <origin><separator><topic>
	Identity Naming = "identity" // as at its origin; every cluster may be written to
)

// Provenance says what shows, with identity naming, where a record was first produced.
type Provenance string

// The provenances.
const (
	ProvenanceHeaders Provenance = "headers" // a header that it gets where it first leaves that cluster
	ProvenanceBatch   Provenance = "batch"   // who wrote its batch: batches stay as they are, and only two clusters may carry the topic
)

// Divergence says whether a compacted topic may have several writers. The last value of a key that two of them write can differ
// between clusters for good.
type Divergence string

// The divergences.
const (
	DivergenceRefuse Divergence = "refuse"
	DivergenceAllow  Divergence = "allow"
)

// OnRecreate says what becomes of a topic that was deleted and made again at its origin.
type OnRecreate string

// What becomes of it.
const (
	RecreateStop        OnRecreate = "stop"            // it stops until a person accepts the new one
	RecreateIncarnation OnRecreate = "new_incarnation" // the new one goes on behind the old
)
