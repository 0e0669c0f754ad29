package admin

import (
	"net/http"
)

// route is one thing that can be asked.
type route struct {
	path string
	role Role // what a client must be; open for everybody
	get  func(*http.Request) (any, error)
	raw  http.Handler // instead of get
}

// allRoutes are the routes of the parts that are there.
func (s *Server) allRoutes() []route {
	out := []route{{path: "/healthz", role: open, get: s.health}}
	add := func(there bool, path string, get func(*http.Request) (any, error)) {
		if there {
			out = append(out, route{path: path, role: RoleView, get: get})
		}
	}
	if s.cfg.Watch != nil {
		out = append(out, route{path: "/readyz", role: open, get: s.ready})
	}
	add(s.cfg.Watch != nil, "/v1/status", s.status)
	add(s.cfg.Watch != nil, "/v1/flows", s.flows)
	add(s.cfg.Groups != nil, "/v1/groups", s.groups)
	add(s.cfg.Nodes != nil, "/v1/nodes", s.nodes)
	add(s.cfg.Translator != nil, "/v1/translate", s.translate)
	add(s.cfg.Topologies != nil, "/v1/topology", s.topology)
	if s.cfg.Metrics != nil {
		out = append(out, route{path: "/metrics", role: RoleView, raw: s.cfg.Metrics})
	}
	return out
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.routes {
		h := r.raw
		if h == nil {
			h = answering(r.get)
		}
		mux.Handle("GET "+r.path, s.guard(r.role, h))
	}
	return s.recovering(http.MaxBytesHandler(orJSON(mux), maxBodyBytes))
}
