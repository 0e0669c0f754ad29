package main

import (
	"errors"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/admin"
)

const translateTimeout = 20 * time.Second // the node reads both clusters

type translateFlags struct {
	adminFlags
	group, from, to, topic string
	partition              int32
	offset                 int64
}

func newTranslateCommand() *cobra.Command {
	var f translateFlags
	cmd := &cobra.Command{
		Use: "translate --from A --to B (--group G | --topic T --partition P --offset O)", Short: "Say where a group, or one offset, is at another cluster",
		Long: `Say where a group, or one offset, is at another cluster. Nothing is changed.

A translated offset never skips a record that was not consumed. Where it is not exact, the most that would be seen again is told.`,
		Example: "  meshd translate --group billing --from us --to eu\n  meshd translate --topic orders --partition 3 --offset 50000 --from us --to eu",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			query, err := f.query(cmd)
			if err != nil {
				return usageError{err}
			}
			c, err := f.client()
			if err != nil {
				return err
			}
			a, err := askOne[admin.TranslateAnswer](cmd, c, "/v1/translate", query, translateTimeout)
			if err != nil {
				return err
			}
			return f.show(cmd, a, func(w io.Writer) error {
				return translateTable(a).printOr(w, "nothing to translate: the group has no commit at "+f.from)
			})
		},
	}
	f.addTo(cmd)
	cmd.Flags().StringVar(&f.group, "group", "", "the consumer group")
	cmd.Flags().StringVar(&f.from, "from", "", "alias of the cluster where it is")
	cmd.Flags().StringVar(&f.to, "to", "", "alias of the cluster where it shall be")
	cmd.Flags().StringVar(&f.topic, "topic", "", "instead of a group: a topic, named as it is at --from")
	cmd.Flags().Int32Var(&f.partition, "partition", 0, "its partition")
	cmd.Flags().Int64Var(&f.offset, "offset", 0, "the next offset to consume there")
	return cmd
}

// query makes the question of the flags, whose mistakes it tells in the words of the command line.
func (f *translateFlags) query(cmd *cobra.Command) (url.Values, error) {
	given := cmd.Flags().Changed
	point := given("topic") || given("partition") || given("offset")
	switch {
	case f.from == "" || f.to == "" || f.from == f.to:
		return nil, errors.New("--from and --to want the aliases of two clusters")
	case (f.group != "") == point:
		return nil, errors.New("either --group is wanted, or --topic, --partition and --offset")
	case point && (f.topic == "" || !given("partition") || !given("offset")):
		return nil, errors.New("--topic, --partition and --offset are wanted together")
	case f.partition < 0 || f.offset < 0:
		return nil, errors.New("--partition and --offset want whole numbers from 0")
	}
	q := url.Values{"from": {f.from}, "to": {f.to}}
	if !point {
		q.Set("group", f.group)
		return q, nil
	}
	q.Set("topic", f.topic)
	q.Set("partition", strconv.Itoa(int(f.partition)))
	q.Set("offset", strconv.FormatInt(f.offset, 10))
	return q, nil
}

func translateTable(a admin.TranslateAnswer) *table {
	t := newTable("TOPIC AT "+string(a.From), "PARTITION", "OFFSET", "TOPIC AT "+string(a.To), "OFFSET", "HOW")
	for _, x := range a.Translations {
		there := x.ToTopic
		if there == "" {
			there = "-"
		}
		how := "can't be translated"
		if x.ToOffset != nil {
			how = howExact(true, x.Exact, x.Rereads, x.How)
		}
		t.add([]string{x.Topic, strconv.Itoa(int(x.Partition)), number(x.Offset), there, numberOr(x.ToOffset, "-"), how}, reasonNotes(x.Reason)...)
	}
	return t
}
