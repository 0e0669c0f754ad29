package flow

import "slices"

// State is where a shard or a partition is in its life.
type State string

// The states, for shards and partitions alike.
//
//	New -> Opening -> CatchingUp <-> Streaming -> Draining -> Stopped
//	          ^ |          |             |
//	          | v          v             v
//	        Backoff <------+-------------+      Failed (a reason to be removed by a person), Fenced (another owner)
const (
	New        State = "new"
	Opening    State = "opening"
	CatchingUp State = "catching_up"
	Streaming  State = "streaming"
	Draining   State = "draining"
	Stopped    State = "stopped"
	Backoff    State = "backoff"
	Failed     State = "failed"
	Fenced     State = "fenced"
)

// follows is the whole table of what may come after what.
var follows = map[State][]State{
	New:        {Opening, Stopped},
	Opening:    {CatchingUp, Streaming, Backoff, Failed, Fenced, Draining, Stopped},
	CatchingUp: {Streaming, Backoff, Failed, Fenced, Draining, Opening, Stopped},
	Streaming:  {CatchingUp, Backoff, Failed, Fenced, Draining, Opening, Stopped},
	Backoff:    {Opening, CatchingUp, Streaming, Failed, Fenced, Draining, Stopped},
	Failed:     {Opening, CatchingUp, Streaming, Backoff, Fenced, Draining, Stopped},
	Draining:   {Stopped, Fenced},
	Fenced:     {Opening, Stopped},
	Stopped:    {},
}

// May says whether next may come after s.
func (s State) May(next State) bool {
	return slices.Contains(follows[s], next)
}
