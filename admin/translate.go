package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// ErrUnknown is for a group, topic, partition or pair of clusters that a Translator does not know.
var ErrUnknown = errors.New("not known here")

const translateTimeout = 15 * time.Second

const translateHint = "ask for ?group=G&from=A&to=B, or for ?topic=T&partition=P&offset=O&from=A&to=B"

func (s *Server) translate(r *http.Request) (any, error) {
	req, err := parseTranslate(r.URL.Query())
	if err != nil {
		return nil, err
	}
	if err := s.knowsClusters(req.From, req.To); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), translateTimeout)
	defer cancel()
	found, err := s.cfg.Translator.Translate(ctx, req)
	if err != nil {
		return nil, translateError(err)
	}
	return TranslateAnswer{At: time.Now(), Group: req.Group, From: req.From, To: req.To, Translations: some(found)}, nil
}

func translateError(err error) error {
	r := &refusal{status: http.StatusBadGateway, text: err.Error(), hint: kafka.Hint(err)}
	var reason kafka.Reason
	switch {
	case errors.Is(err, ErrUnknown):
		r.status = http.StatusNotFound
	case errors.As(err, &reason):
		r.text, r.hint = reason.Code+": "+reason.Text, reason.Hint
	case errors.Is(err, context.DeadlineExceeded):
		r.status = http.StatusGatewayTimeout
	}
	return r
}

var translateKeys = []string{"group", "from", "to", "topic", "partition", "offset"}

// parseTranslate reads a question. Every key stands once at most, and each of the two kinds has its own.
func parseTranslate(q url.Values) (TranslateRequest, error) {
	for key, values := range q {
		if !slices.Contains(translateKeys, key) || len(values) > 1 {
			return TranslateRequest{}, bad(fmt.Sprintf("%q is not asked for, or is given twice", key), translateHint)
		}
	}
	req := TranslateRequest{From: topology.Alias(q.Get("from")), To: topology.Alias(q.Get("to")), Group: q.Get("group")}
	if req.From == "" || req.To == "" || req.From == req.To {
		return TranslateRequest{}, bad("from and to want the aliases of two clusters", translateHint)
	}
	point := q.Has("topic") || q.Has("partition") || q.Has("offset")
	if point == (req.Group != "") {
		return TranslateRequest{}, bad("either a group is wanted, or a topic, a partition and an offset", translateHint)
	}
	if !point {
		return req, nil
	}
	partition, perr := strconv.ParseInt(q.Get("partition"), 10, 32)
	offset, oerr := strconv.ParseInt(q.Get("offset"), 10, 64)
	if q.Get("topic") == "" || perr != nil || oerr != nil || partition < 0 || offset < 0 {
		return TranslateRequest{}, bad("topic wants a name, partition and offset want whole numbers from 0", translateHint)
	}
	req.Point = &Point{Topic: q.Get("topic"), Partition: int32(partition), Offset: offset}
	return req, nil
}

func (s *Server) knowsClusters(as ...topology.Alias) error {
	if s.cfg.Topologies == nil {
		return nil
	}
	t := s.cfg.Topologies.Topology().Current
	if t == nil {
		return nil
	}
	for _, a := range as {
		if _, ok := t.Clusters[a]; !ok {
			return &refusal{http.StatusNotFound, fmt.Sprintf("there is no cluster %q", a), fmt.Sprintf("the clusters are %v", t.Aliases())}
		}
	}
	return nil
}
