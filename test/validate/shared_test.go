package validate

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
)

// mistakes are what a validator of shared topics must see, and what it must not take for one. The counts are exact.
var mistakes = map[string]struct {
	make func(*scene)
	want Counts
}{
	"none": {func(*scene) {}, Counts{}},
	"one lost": {func(s *scene) {
		i := s.find("eu", "us", 5)
		s.logs["eu"] = slices.Delete(s.logs["eu"], i, i+1)
	}, Counts{Lost: 1}},
	"the last lost": {func(s *scene) { s.logs["eu"] = s.logs["eu"][:len(s.logs["eu"])-1] }, Counts{Lost: 1}},
	"all of the tail lost": {func(s *scene) {
		s.logs["eu"] = s.logs["eu"][:tail]
	}, Counts{Lost: 2 * (ownRecords - ownFirst)}},
	"one twice": {func(s *scene) { s.append("eu", s.logs["eu"][s.find("eu", "us", 5)]) }, Counts{Duplicated: 1}},
	"two of an origin swapped": {func(s *scene) {
		swap(s.logs["eu"], s.find("eu", "us", 5), s.after("eu", s.find("eu", "us", 5)))
	}, Counts{OutOfOrder: 1}},
	"the others' order": {func(s *scene) { // us before ap
		n := ownRecords - ownFirst
		s.logs["eu"] = slices.Concat(s.logs["eu"][:tail], s.logs["eu"][tail+n:], s.logs["eu"][tail:tail+n])
	}, Counts{}},
	"another partition": {func(s *scene) {
		s.change("eu", s.find("eu", "us", 5), func(r *kgo.Record) { r.Partition = 1 })
	}, Counts{Misplaced: 1}},
	"never produced": {func(s *scene) {
		s.append("eu", s.copied(kafkatest.Workload{Seed: 99, Start: time.Now(), At: "us"}.Record(2), "us", 1))
	}, Counts{Unexpected: 1}},
	"nobody's": {func(s *scene) {
		s.append("eu", kafkatest.Workload{Seed: 99, Start: time.Now()}.Record(2))
	}, Counts{Unexpected: 1}},
	"of a cluster that is not there": {func(s *scene) {
		s.append("eu", kafkatest.Workload{Seed: 99, Start: time.Now(), At: "mars"}.Record(2))
	}, Counts{Unexpected: 1}},
	"back home": {func(s *scene) { s.append("us", s.logs["eu"][s.find("eu", "us", 5)]) }, Counts{Looped: 1}},
	"back home without a header": {func(s *scene) {
		s.append("us", s.logs["eu"][s.find("eu", "us", 5)])
		s.change("us", len(s.logs["us"])-1, unlabelled)
	}, Counts{Looped: 1}},
	"round and round": {func(s *scene) {
		for range 3 {
			for _, at := range places {
				s.append(at, s.logs["eu"][s.find("eu", "us", 5)])
			}
		}
	}, Counts{Looped: 3, Duplicated: 6}},
	"a byte of a value": {alter(func(_ *scene, r *kgo.Record) {
		r.Value = slices.Clone(r.Value)
		r.Value[len(r.Value)-1] ^= 1
	}), Counts{Different: 1}},
	"a timestamp":    {alter(func(_ *scene, r *kgo.Record) { r.Timestamp = r.Timestamp.Add(time.Millisecond) }), Counts{Different: 1}},
	"another header": {alter(func(_ *scene, r *kgo.Record) { r.Headers = append(r.Headers, kgo.RecordHeader{Key: "x"}) }), Counts{Different: 1}},
	"null made empty": {func(s *scene) {
		i := s.where("eu", "us", 0, func(r *kgo.Record) bool { return r.Key == nil })
		s.change("eu", i, func(r *kgo.Record) { r.Key = []byte{} })
	}, Counts{Different: 1}},
	"no header":                   {alter(func(_ *scene, r *kgo.Record) { unlabelled(r) }), Counts{Mislabelled: 1}},
	"two headers":                 {alter(func(_ *scene, r *kgo.Record) { r.Headers = append(r.Headers, r.Headers[len(r.Headers)-1]) }), Counts{Mislabelled: 1}},
	"a header cut short":          {alter(func(_ *scene, r *kgo.Record) { shorten(&r.Headers[len(r.Headers)-1]) }), Counts{Mislabelled: 1}},
	"the header among others":     {alter(func(_ *scene, r *kgo.Record) { slices.Reverse(r.Headers) }), Counts{}},
	"another cluster":             {relabel(func(s *scene, at *birth) { at.cluster = s.ids["ap"] }), Counts{Mislabelled: 1}},
	"another topic":               {relabel(func(_ *scene, at *birth) { at.topic++ }), Counts{Mislabelled: 1}},
	"another leader epoch":        {relabel(func(_ *scene, at *birth) { at.epoch++ }), Counts{Mislabelled: 1}},
	"another origin partition":    {relabel(func(_ *scene, at *birth) { at.partition++ }), Counts{Mislabelled: 1}},
	"another offset":              {relabel(func(_ *scene, at *birth) { at.offset++ }), Counts{Mislabelled: 1}},
	"another incarnation":         {relabel(func(_ *scene, at *birth) { at.incarnation++ }), Counts{}}, // only meshd knows
	"an application's copy":       {func(s *scene) { s.apply(fresh, fresh) }, Counts{}},
	"an application's copy, lost": {func(s *scene) { s.apply(fresh, nil) }, Counts{Lost: 1}},
	"an application's copy, with the header that it had": {func(s *scene) {
		s.apply(fresh, func(_, had *kgo.Record) *kgo.Record { return had })
	}, Counts{Mislabelled: 1}},
	"an application's copy, with both headers": {func(s *scene) {
		s.apply(fresh, func(stamped, had *kgo.Record) *kgo.Record {
			out := *stamped
			out.Headers = slices.Concat(had.Headers, stamped.Headers[len(stamped.Headers)-1:])
			return &out
		})
	}, Counts{Mislabelled: 1}},
}

// alter changes a record of us in the tail of eu's log: one with a header besides that of its origin.
func alter(change func(*scene, *kgo.Record)) func(*scene) {
	return func(s *scene) {
		i := s.where("eu", "us", 0, func(r *kgo.Record) bool { return len(r.Headers) == 2 })
		s.change("eu", i, func(r *kgo.Record) { change(s, r) })
	}
}

// relabel is alter of what the header says.
func relabel(change func(*scene, *birth)) func(*scene) {
	return alter(func(s *scene, r *kgo.Record) {
		last := len(r.Headers) - 1
		at, err := readBirth(r.Headers[last].Value)
		if err != nil {
			panic(err) // this file wrote it
		}
		change(s, &at)
		r.Headers[last] = s.stamp(at)
	})
}

func unlabelled(r *kgo.Record) { r.Headers, _ = splitLabel(r.Headers) }

func shorten(h *kgo.RecordHeader) { h.Value = h.Value[:len(h.Value)-1] }

// apply has an application at eu write what it made of a record of us, headers and all; as us and ap get it, from how it is rightly
// stamped and how it was written.
func (s *scene) apply(atUs, atAp func(stamped, had *kgo.Record) *kgo.Record) {
	made := kafkatest.CopyAt("eu", s.logs["eu"][s.find("eu", "us", 5)])
	offset := s.append("eu", made)
	for at, arrives := range map[string]func(stamped, had *kgo.Record) *kgo.Record{"us": atUs, "ap": atAp} {
		if arrives != nil {
			s.append(at, arrives(s.copied(made, "eu", offset), made))
		}
	}
}

func fresh(stamped, _ *kgo.Record) *kgo.Record { return stamped }

func TestSharedSeesEveryMistake(t *testing.T) {
	for name, m := range mistakes {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, false)
			m.make(s)
			s.produce(t)
			report := s.judge(t)
			if report.Counts != m.want {
				t.Errorf("want %s, got %s", m.want, report)
			}
			if (report.Err() == nil) != (m.want == Counts{}) {
				t.Errorf("verdict: %v", report.Err())
			}
			if report.Produced["us"] != ownRecords || report.Produced["ap"] != ownRecords || report.Produced["eu"] < ownRecords {
				t.Errorf("produced: %v", report.Produced)
			}
		})
	}
}

// With provenance batch a record arrives as it left: whatever an application put into the header stays, and nothing is added.
func TestSharedUnstamped(t *testing.T) {
	for name, test := range map[string]struct {
		make func(*scene)
		want Counts
	}{
		"none": {func(*scene) {}, Counts{}},
		"stamped": {func(s *scene) {
			s.change("eu", s.find("eu", "us", 5), func(r *kgo.Record) { r.Headers = append(r.Headers, s.stamp(birth{cluster: s.ids["us"]})) })
		}, Counts{Mislabelled: 1}},
		"an application's header":             {func(s *scene) { s.applyWithHeader(true) }, Counts{}},
		"an application's header, taken away": {func(s *scene) { s.applyWithHeader(false) }, Counts{Mislabelled: 2}},
		"back home":                           {func(s *scene) { s.append("us", s.logs["eu"][s.find("eu", "us", 5)]) }, Counts{Looped: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, true)
			test.make(s)
			s.produce(t)
			if report := s.judge(t); report.Counts != test.want {
				t.Errorf("want %s, got %s", test.want, report)
			}
		})
	}
}

// applyWithHeader has an application at eu write a record with such a header, which others get with it or without.
func (s *scene) applyWithHeader(kept bool) {
	made := kafkatest.CopyAt("eu", s.logs["eu"][s.find("eu", "us", 5)])
	made.Headers = append(made.Headers, s.stamp(birth{cluster: "somewhere"}))
	s.append("eu", made)
	for _, at := range []string{"us", "ap"} {
		s.append(at, made)
		if !kept {
			s.change(at, len(s.logs[at])-1, unlabelled)
		}
	}
}

// What a cluster's own transactions abort is nobody's; that of another must not be there, even where no read_committed consumer sees it.
func TestSharedAndAbortedRecords(t *testing.T) {
	s := newScene(t, false)
	s.produce(t)
	w := kafkatest.Workload{Seed: 50, Partitions: partitions, Start: time.Now(), At: "us"}
	abort := func(at string) {
		client := s.clusters[at].Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic(s.topic), kgo.TransactionalID(s.topic))
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), w.Record(2), w.Record(3)).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := client.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
			t.Fatal(err)
		}
	}
	abort("us")
	if report := s.judge(t); !report.OK() {
		t.Error(report)
	}
	abort("eu")
	if report := s.judge(t); report.Counts != (Counts{Unexpected: 2}) {
		t.Error(report)
	}
}

// What is before a promised beginning must not be there.
func TestSharedFromABeginning(t *testing.T) {
	s := newScene(t, false)
	first := s.find("eu", "us", 0)
	at, err := readBirth(s.logs["eu"][first].Headers[len(s.logs["eu"][first].Headers)-1].Value)
	if err != nil {
		t.Fatal(err)
	}
	s.produce(t)
	topic := s.shared(t)
	for beginning, want := range map[int64]Counts{0: {}, at.offset: {Unexpected: at.offset - ownBetween(s)}} {
		topic.Promised = func(origin, to string, partition int32) int64 {
			if origin == "us" && to == "eu" && partition == 0 {
				return beginning
			}
			return 0
		}
		report, err := Shared(t.Context(), topic)
		if err != nil || report.Counts != want {
			t.Errorf("from %d: want %s, got %s, %v", beginning, want, report, err)
		}
	}
}

// ownBetween is how many records of others are in partition 0 of us before the tail begins: offsets that us's own records don't have.
func ownBetween(s *scene) (n int64) {
	for _, r := range s.logs["us"][:tail] {
		if r.Partition == 0 && kafkatest.HomeOf(r.Key, r.Value) != "us" {
			n++
		}
	}
	return n
}

func TestSharedOfNoTopic(t *testing.T) {
	s := newScene(t, false)
	topic := s.shared(t)
	topic.Name = "absent"
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := Shared(ctx, topic); err == nil || !strings.Contains(err.Error(), "cluster ap") {
		t.Error(err)
	}
}

// A report says between which clusters what is wrong.
func TestSharedReport(t *testing.T) {
	s := newScene(t, false)
	alter(func(_ *scene, r *kgo.Record) { unlabelled(r) })(s)
	s.produce(t)
	report := s.judge(t)
	for _, words := range []string{
		s.topic + ": 100 records of ap, 100 records of eu, 100 records of us: 0 lost", "1 with a wrong header",
		"\n  us/" + s.topic + " -> eu/" + s.topic + ": 100 records of 100: ", ": with a wrong header: source offset ", "it has no header meshd-origin",
	} {
		if !strings.Contains(report.String(), words) {
			t.Errorf("it does not say %q:\n%s", words, report)
		}
	}
	if n := strings.Count(report.String(), "->"); n != 1 {
		t.Errorf("it tells of %d pairs:\n%s", n, report)
	}
}

func TestUntilSharedWaitsForWhatIsLate(t *testing.T) {
	s := newScene(t, false)
	late := s.logs["eu"][tail:]
	s.logs["eu"] = s.logs["eu"][:tail]
	s.produce(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	report, err := UntilShared(ctx, s.shared(t))
	cancel()
	if err != nil || report.Counts != (Counts{Lost: int64(len(late))}) {
		t.Errorf("it has not arrived, and: %s, %v", report, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		produce(t, s.clusters["eu"], s.topic, late)
	}()
	report, err = UntilShared(t.Context(), s.shared(t))
	<-done
	if err != nil || !report.OK() {
		t.Errorf("got %s, %v", report, err)
	}
	produce(t, s.clusters["eu"], s.topic, late[:1])
	if report, err = UntilShared(t.Context(), s.shared(t)); err != nil || report.Counts != (Counts{Duplicated: 1}) {
		t.Errorf("a duplicate was waited for, or forgiven: %s, %v", report, err)
	}
}
