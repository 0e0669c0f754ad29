package offsetxlate

import "testing"

// full is a map at its default budget: about 350,000 gaps in 1 MiB.
func full(b *testing.B) *Map {
	b.Helper()
	m := transactions(b, 350_000)
	b.ReportMetric(float64(m.Size()), "map-bytes")
	return m
}

func BenchmarkAppendExtends(b *testing.B) {
	m := New(Point{})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := m.Append(Source(i*100), Dest(i*100), 100); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendGap(b *testing.B) {
	m := New(Point{})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := m.Append(Source(i*11), Dest(i*10), 10); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkToDest(b *testing.B) {
	m := full(b)
	b.ReportAllocs()
	x := uint64(1)
	for b.Loop() {
		x = x*6364136223846793005 + 1442695040888963407
		m.ToDest(Source(x >> 33 % (350_000 * 11)))
	}
}

func BenchmarkToSource(b *testing.B) {
	m := full(b)
	b.ReportAllocs()
	x := uint64(1)
	for b.Loop() {
		x = x*6364136223846793005 + 1442695040888963407
		m.ToSource(Dest(x >> 33 % (350_000 * 10)))
	}
}

// BenchmarkWrite is what a second costs at 5,000 records in transactions of ten: 500 gaps, in a map at its budget.
func BenchmarkWrite(b *testing.B) {
	m := full(b)
	_, mark := m.EncodeSince(0)
	b.ReportAllocs()
	i, size := 350_000, 0
	for n := 0; b.Loop(); n++ {
		for range 500 {
			if err := m.Append(Source(i*11), Dest(i*10), 10); err != nil {
				b.Fatal(err)
			}
			i++
		}
		var pages []Page
		pages, mark = m.EncodeSince(mark)
		for _, p := range pages {
			size += len(p.Data)
		}
		if n%100 == 0 {
			m.Thin(Source(i*11-3_000_000), 1<<20)
		}
	}
	b.ReportMetric(float64(size)/float64(b.N), "written-bytes/op")
}

func BenchmarkThinFromFull(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		m := full(b)
		b.StartTimer()
		m.Thin(0, 512<<10)
	}
}

func BenchmarkLoad(b *testing.B) {
	pages, _ := full(b).EncodeSince(0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(pages); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecide is one group of five partitions between two clusters, with nothing to do.
func BenchmarkDecide(b *testing.B) {
	w := newWorld("us", "eu")
	w.addTopic("us", "orders", 5)
	for _, p := range w.parts {
		p.produce(1000, true)
		if err := p.copyTo("eu", 1000); err != nil {
			b.Fatal(err)
		}
		w.sites["us"].commits[p.at("us")] = Commit{Offset: 500}
	}
	if _, err := w.sync("eu"); err != nil {
		b.Fatal(err)
	}
	v, err := w.view("eu")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if d := Decide(v); d.Write {
			b.Fatalf("%+v", d)
		}
	}
}
