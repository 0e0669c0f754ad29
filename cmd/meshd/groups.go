package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

func newGroupsCommand() *cobra.Command {
	var f adminFlags
	var partitions bool
	cmd := &cobra.Command{
		Use: "groups", Short: "Show consumer groups: whether each can move, and how many records it would see again",
		Long: `Show consumer groups: whether each can move, and how many records it would see again.

A line is a group at one cluster, its home there. AGAIN is how many records that it has consumed elsewhere it would see again if it
went on there now, at most. IN USE AT are the clusters where it has members.`,
		Example: "  meshd groups\n  meshd groups --partitions",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.client()
			if err != nil {
				return err
			}
			all, err := askAll[admin.GroupsAnswer](cmd, c, "/v1/groups", nil)
			if err != nil {
				return err
			}
			a := admin.MergeGroups(all...)
			return f.show(cmd, a, func(w io.Writer) error {
				t := groupTable(a)
				if partitions {
					t = groupPartitionTable(a.Groups)
				}
				return t.printOr(w, "the nodes that answered move no group; the node that holds the first shard of a destination moves its groups")
			})
		},
	}
	f.addTo(cmd)
	cmd.Flags().BoolVar(&partitions, "partitions", false, "a line for each partition of each group")
	return cmd
}

func groupTable(a admin.GroupsAnswer) *table {
	t := newTable("GROUP", "HOME", "STATE", "AGAIN", "PARTITIONS", "IN USE AT", "SYNCED")
	for _, g := range a.Groups {
		synced := "never"
		if !g.SyncedAt.IsZero() {
			synced = ageOr(new(max(0, a.At.Sub(g.SyncedAt)).Seconds()), "") + " ago"
		}
		t.add([]string{
			g.Group, string(g.Home), string(g.State), number(g.Rereads), strconv.Itoa(len(g.Partitions)), aliases(g.Active), synced,
		}, append([]string{g.Why, hintNote(g.Hint)}, standing(g)...)...)
	}
	return t
}

func aliases(as []topology.Alias) string {
	if len(as) == 0 {
		return "-"
	}
	names := make([]string, len(as))
	for i, a := range as {
		names[i] = string(a)
	}
	return strings.Join(names, ",")
}

// standing says once what keeps partitions of a group where they are. That is news only where the group is not moved on.
func standing(g admin.GroupStatus) (notes []string) {
	if g.State != admin.GroupWaiting && g.State != admin.GroupLeftAlone {
		return nil
	}
	var order []string
	counts := map[string]int{}
	for _, p := range g.Partitions {
		if p.Why == "" || p.Why == offsetxlate.ReasonSame {
			continue
		}
		why := whyOf(p)
		if counts[why] == 0 {
			order = append(order, why)
		}
		counts[why]++
	}
	for _, why := range order {
		notes = append(notes, fmt.Sprintf("%s: %s", plural(counts[why], "partition"), why))
	}
	return notes
}

func whyOf(p admin.GroupPartition) string {
	if p.Cluster == "" {
		return string(p.Why)
	}
	return fmt.Sprintf("%s (%s)", p.Why, p.Cluster)
}

func groupPartitionTable(groups []admin.GroupStatus) *table {
	t := newTable("GROUP", "HOME", "TOPIC", "PARTITION", "CONSUMED", "GOES ON AT", "HOW", "STATE")
	for _, g := range groups {
		for _, p := range g.Partitions {
			state := "moved"
			if p.Why != "" {
				state = whyOf(p)
			}
			t.add([]string{
				g.Group, string(g.Home), p.Topic, strconv.Itoa(int(p.Partition)), numberOr(p.Source, unknown), numberOr(p.Offset, unknown),
				howExact(p.Offset != nil, p.Exact, p.Rereads, p.How), state,
			})
		}
	}
	return t
}

// howExact says how good a place is.
func howExact(known, exact bool, rereads int64, how string) string {
	switch {
	case !known:
		return "-"
	case exact:
		return "exact"
	case rereads == 0:
		return fmt.Sprintf("sees no record again (%s)", how)
	}
	return fmt.Sprintf("sees up to %s again (%s)", plural(int(rereads), "record"), how)
}
