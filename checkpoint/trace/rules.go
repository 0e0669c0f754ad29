package trace

import (
	"cmp"
	"context"
	"slices"

	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// rules asks the judge what each neighbour that reads here makes of the record.
func (t *tracer) rules(ctx context.Context) error {
	if t.report.Writer == nil {
		return nil
	}
	for p, l := range t.Topology.Pairs() {
		s, carried := l.Topic(t.name)
		if p.Source != t.Cluster || !carried {
			continue
		}
		r := Rule{Link: p.String()}
		switch {
		case l.Paused:
			r.Act, r.Why, r.Text = "wait", "paused", "the link is paused in the topology"
		case t.report.State == Aborted:
			r.Act, r.Why, r.Text = "suppress", "aborted", "its transaction was aborted: it is left out as for any reader of committed records"
		case s.Naming == topology.Identity:
			t.identityRule(ctx, p.Destination, s, &r)
		default:
			t.prefixRule(p.Destination, &r)
		}
		t.report.Rules = append(t.report.Rules, r)
	}
	slices.SortFunc(t.report.Rules, func(a, b Rule) int { return cmp.Compare(a.Link, b.Link) })
	return nil
}

func (t *tracer) prefixRule(to topology.Alias, r *Rule) {
	j := loop.PrefixJudge{Destination: t.number(to), Source: t.number(t.Cluster), Origin: t.number(t.home), Writers: t.writers}
	r.fill(j.Batch(t.seen.batch))
}

func (r *Rule) fill(v loop.Ruling) {
	r.Act, r.Why, r.Text = acts[v.Act], v.Why.String(), say(v)
}

// identityRule asks twice: with nothing there yet, and with what is there by now.
func (t *tracer) identityRule(ctx context.Context, to topology.Alias, s topology.LinkSettings, r *Rule) {
	origin := t.Cluster
	if o := t.report.Origin; o != nil && o.Cluster != "" {
		origin = o.Cluster
	}
	j := t.judge(to, origin, s)
	r.fill(t.ask(j))
	if t.report.Origin == nil || to == origin {
		return
	}
	w, err := t.notedAt(ctx, to)
	if err != nil || !w.There {
		return
	}
	j.From[t.number(origin)] = w.Progress.Read.Cluster == t.Cluster || w.Progress.Read.Cluster == ""
	j.Taken.Restore(t.number(origin), j.Part, w.Progress.Frontier(), nil)
	now := t.ask(j)
	r.Now = acts[now.Act] + " " + now.Why.String()
}

func (t *tracer) judge(to, origin topology.Alias, s topology.LinkSettings) *loop.Judge {
	d, here, o := t.number(to), t.number(t.Cluster), t.number(origin)
	from := make([]bool, t.origins.Len())
	from[o] = true
	taken := loop.NewFrontiers(d)
	j := &loop.Judge{
		Destination: d, Source: here, Topic: loop.TopicTag(t.name), Number: t.Partition, Provenance: loop.ProvenanceOf(s), Origins: t.origins, Writers: t.writers,
		Taken: taken, Part: taken.Part(t.name, t.Partition), From: from, Map: t,
	}
	if t.report.Origin != nil && origin == t.Cluster {
		j.Incarnation = t.report.Origin.Incarnation
	}
	return j
}

func (t *tracer) ask(j *loop.Judge) loop.Ruling {
	v := j.Batch(t.seen.batch)
	if v.Act != loop.Records {
		return v
	}
	return j.Record(t.seen.batch, v, t.Offset, t.seen.header, t.seen.stamped)
}
