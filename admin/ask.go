package admin

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/meshd/meshd/loop"
)

func (s *Server) health(*http.Request) (any, error) {
	return struct {
		Alive bool `json:"alive"`
	}{true}, nil
}

// ready tells the reasons only to those who may view.
func (s *Server) ready(r *http.Request) (any, error) {
	ok, reasons := s.cfg.Watch.Look().Ready()
	if s.mayNot(r, RoleView) != nil {
		reasons = nil
	}
	return ReadyAnswer{Ready: ok, Reasons: reasons}, nil
}

func (a ReadyAnswer) status() int {
	if a.Ready {
		return http.StatusOK
	}
	return http.StatusServiceUnavailable
}

// status puts together what all parts say.
func (s *Server) status(*http.Request) (any, error) {
	v := s.cfg.Watch.Look()
	ready, _ := v.Ready()
	out := Status{
		At: v.At, Nodes: []NodeBrief{{Node: s.cfg.Node, Datacenter: s.cfg.Datacenter, Build: s.cfg.Build, Topology: v.Topology.Stamp(), Ready: ready}},
		Problems: v.Problems, Links: v.Links, Clusters: some(v.Clusters),
	}
	if v.Topology != nil {
		out.Mesh = v.Topology.Mesh
	}
	if s.cfg.Topologies != nil {
		out.Problems = append(out.Problems, offerProblems(s.cfg.Topologies.Topology())...)
	}
	if s.cfg.Nodes != nil {
		out.Problems = append(out.Problems, nodeProblems(s.cfg.Nodes.Nodes())...)
	}
	if s.cfg.Groups != nil {
		out.Problems = append(out.Problems, groupProblems(s.cfg.Groups.Groups())...)
	}
	sortProblems(out.Problems)
	return out, nil
}

// flows lists partitions only when asked to.
func (s *Server) flows(r *http.Request) (any, error) {
	partitions := false
	if text := r.URL.Query().Get("partitions"); text != "" {
		var err error
		if partitions, err = strconv.ParseBool(text); err != nil {
			return nil, bad("partitions wants true or false", "")
		}
	}
	v := s.cfg.Watch.Look()
	if !partitions {
		for i := range v.Flows {
			v.Flows[i].Parts = nil
		}
	}
	return FlowsAnswer{At: v.At, Flows: v.Flows}, nil
}

func (s *Server) groups(*http.Request) (any, error) {
	return GroupsAnswer{At: time.Now(), Groups: groupsOf(s.cfg.Groups.Groups())}, nil
}

func (s *Server) nodes(*http.Request) (any, error) {
	return NodesAnswer{At: time.Now(), Node: s.cfg.Node, Nodes: some(s.cfg.Nodes.Nodes())}, nil
}

func (s *Server) topology(*http.Request) (any, error) {
	t := s.cfg.Topologies.Topology()
	out := TopologyAnswer{At: time.Now(), Accepted: t.Accepted, Offered: some(t.Offered)}
	if t.Current != nil {
		out.Running = &TopologyText{Stamp: t.Current.Stamp(), Mesh: t.Current.Mesh, Parent: t.Current.Parent, Source: string(t.Current.Source()), Warnings: []string{}}
		for _, w := range slices.Concat(t.Current.Warnings(), loop.ReviewTopology(t.Current).Said) {
			out.Running.Warnings = append(out.Running.Warnings, w.String())
		}
	}
	return out, nil
}
