package trace

import "github.com/meshd/meshd/loop"

var acts = map[loop.Act]string{
	loop.Deliver: "deliver", loop.Stamp: "stamp", loop.Suppress: "suppress", loop.Records: "look", loop.Wait: "wait", loop.Stop: "stop",
}

// words say a ruling.
var words = map[loop.Why]string{
	loop.Produced:      "produced here",
	loop.Carried:       "a registered writer brought it here: copied as it is",
	loop.CopiedHeader:  "an application copied a header: it counts as produced here, and gets a fresh header",
	loop.Own:           "it came from there, and goes not home",
	loop.Seen:          "it is there already, or was passed",
	loop.OtherSource:   "it is taken from another cluster",
	loop.Marker:        "markers of transactions stay where they are",
	loop.ByWriter:      "a writer of meshd's wrote it into a topic that is produced here: not sent on",
	loop.ByApplication: "an application wrote it into a copy: it stays here",
	loop.Barrier:       "the registry has to be read first",
	loop.Uncovered:     "the maps kept here do not say yet whether a writer brought it",
	loop.AtGap:         "there is a gap before it here",
	loop.GapBarrier:    "the gaps here have to be read first",
	loop.LostRegistry:  "a writer brought it here that is not registered: the registry is lost",
	loop.TwoOrigins:    "its producer id is registered for two origins",
	loop.OldFormat:     "its message format does not say who wrote it",
	loop.NoHeader:      "a registered writer brought it here without the header",
	loop.BadHeader:     "a registered writer brought it here with a header that can't be read",
	loop.FutureHeader:  "a newer meshd stamped it",
	loop.WrongHeader:   "a registered writer brought it here with a header of something else",
	loop.ThirdCluster:  "it comes from a third cluster, and provenance: batch is for two",
}

func say(r loop.Ruling) string {
	text := words[r.Why]
	switch {
	case r.Act == loop.Stamp && r.Why == loop.Produced:
		return text + ": sent on, with a header that says so"
	case r.Act == loop.Deliver && r.Why == loop.Produced:
		return text + ": sent on as it is"
	}
	return text
}
