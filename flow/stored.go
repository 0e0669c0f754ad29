package flow

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// stored is what a shard's ledgers held when it was taken over.
type stored struct {
	progress map[string]checkpoint.Progress
	pages    map[string]map[offsetxlate.Source][]byte
}

// read reads both ledgers. It is done behind the fence: nobody else can add to them any more.
func (s *stored) read(ctx context.Context, c *kafka.Cluster, id topology.Shard) error {
	s.progress, s.pages = map[string]checkpoint.Progress{}, map[string]map[offsetxlate.Source][]byte{}
	progress := checkpoint.Table{
		Cluster: c, Topic: checkpoint.ProgressTopic(id.Origin), Partition: int32(id.Number), Apply: s.applyProgress,
	}
	offsets := checkpoint.Table{
		Cluster: c, Topic: checkpoint.OffsetsTopic(id.Origin), Partition: int32(id.Number), Apply: s.applyPage,
	}
	if err := progress.Refresh(ctx); err != nil {
		return err
	}
	return offsets.Refresh(ctx)
}

func (s *stored) applyProgress(r *kgo.Record) error {
	if r.Value == nil {
		delete(s.progress, string(r.Key))
		return nil
	}
	p, err := checkpoint.DecodeProgress(r.Value)
	if err != nil {
		return fmt.Errorf("progress of %s: %w", r.Key, err)
	}
	s.progress[string(r.Key)] = p
	return nil
}

// pageKey is the key of one page of a map.
func pageKey(part string, start offsetxlate.Source) string {
	return part + "@" + strconv.FormatInt(int64(start), 10)
}

// SplitPageKey takes the key of a map's page apart: the partition's key, and where the page begins.
func SplitPageKey(key string) (part string, start offsetxlate.Source, err error) {
	part, num, ok := strings.Cut(key, "@")
	n, nerr := strconv.ParseInt(num, 10, 64)
	if !ok || nerr != nil {
		return "", 0, fmt.Errorf("key %q does not name a page of an offset map: %w", key, errors.Join(nerr))
	}
	return part, offsetxlate.Source(n), nil
}

func (s *stored) applyPage(r *kgo.Record) error {
	part, start, err := SplitPageKey(string(r.Key))
	if err != nil {
		return err
	}
	if r.Value == nil {
		delete(s.pages[part], start)
		return nil
	}
	if s.pages[part] == nil {
		s.pages[part] = map[offsetxlate.Source][]byte{}
	}
	s.pages[part][start] = r.Value
	return nil
}

// mapOf puts the stored map of a partition together; nil if there is none.
func (s *stored) mapOf(part string) (*offsetxlate.Map, error) {
	var pages []offsetxlate.Page
	for start, data := range s.pages[part] {
		pages = append(pages, offsetxlate.Page{Start: start, Data: data})
	}
	if len(pages) == 0 {
		return nil, nil //nolint:nilnil // a partition that was never copied has no map, and that is no error
	}
	m, err := offsetxlate.Load(pages)
	if err != nil {
		return nil, fmt.Errorf("offset map of %s: %w", part, err)
	}
	return m, nil
}

// keep remembers what a part leaves that is closed while its epoch goes on.
func (s *stored) keep(p *part) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.progress[p.Key()] = p.prog
	s.pages[p.Key()] = map[offsetxlate.Source][]byte{}
	pages, _ := p.xlate.EncodeSince(0)
	for _, page := range pages {
		if page.Data != nil {
			s.pages[p.Key()][page.Start] = page.Data
		}
	}
}
