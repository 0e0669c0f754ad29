package groupsync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
)

// ErrUnknown is for a group or topic that the cluster does not know.
var ErrUnknown = errors.New("not known there")

// Point is a place in a partition of one cluster: the next record to consume.
type Point struct {
	Topic     string
	Partition int32
	Offset    int64
}

// Translation is a place at one cluster and the same place at another.
type Translation struct {
	From, To Point
	Exact    bool
	Reread   int64 // consumed records behind To, at most
	How      string
	Reason   *kafka.Reason // why there is no To
}

// Translator translates between two clusters, by what is stored there now.
type Translator struct {
	from, to *view
}

// NewTranslator reads names and maps of both clusters.
func NewTranslator(ctx context.Context, from, to Member) (*Translator, error) {
	t := &Translator{newView(from), newView(to)}
	for _, v := range []*view{t.from, t.to} {
		if err := v.follow(ctx); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Group translates all commits that a group has at from.
func (t *Translator) Group(ctx context.Context, group string) ([]Translation, error) {
	c := t.from.groups.Commits(ctx, []string{group})[group]
	if c.Err != nil {
		return nil, fmt.Errorf("reading the commits of group %s at %s: %w", group, t.from.Alias, c.Err)
	}
	var out []Translation
	for p, commit := range c.Commits {
		if commit.Offset >= 0 {
			out = append(out, t.Point(Point{p.Topic, p.Number, commit.Offset}))
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("group %s has no commits at %s: %w", group, t.from.Alias, ErrUnknown)
	}
	slices.SortFunc(out, func(a, b Translation) int {
		if c := strings.Compare(a.From.Topic, b.From.Topic); c != 0 {
			return c
		}
		return int(a.From.Partition - b.From.Partition)
	})
	return out, nil
}

// Point translates one place.
func (t *Translator) Point(p Point) Translation {
	out := Translation{From: p}
	if t.from.names.shared[p.Topic] || t.to.names.shared[p.Topic] {
		out.Reason = sharedPoint(p.Topic, t.from.Alias, t.to.Alias)
		return out
	}
	c := t.from.names.coordinateOf(p.Topic, p.Partition)
	name, ok := t.to.names.nameOf(c)
	up, down := t.from.translator(c), t.to.translator(c)
	if !ok || up == nil || down == nil || len(t.to.topics[name]) <= int(p.Partition) {
		out.Reason = new(kafka.Because("no_map", fmt.Sprintf("partition %s/%d of %s is not copied between %s and %s",
			c.Topic, c.Partition, c.Origin, t.from.Alias, t.to.Alias), "meshd flows shows what is copied"))
		return out
	}
	u := up.ToSource(offsetxlate.Dest(p.Offset))
	d := down.ToDest(u.Offset)
	out.To = Point{name, p.Partition, int64(d.Offset)}
	out.Exact, out.Reread, out.How = u.Exact && d.Exact, u.Reread+d.Reread, string(d.How)
	if c.Origin == t.to.Alias {
		out.How = string(u.How)
	}
	return out
}
