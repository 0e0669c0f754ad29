package admin

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
)

// guard lets through who may.
func (s *Server) guard(need Role, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.mayNot(r, need); err != nil {
			w.Header().Set("WWW-Authenticate", `Bearer realm="meshd"`)
			refuse(w, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// mayNot says why a client may not do what needs a role; nil if it may.
func (s *Server) mayNot(r *http.Request, need Role) error {
	if s.cfg.Tokens == nil || need == open {
		return nil
	}
	scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return &refusal{http.StatusUnauthorized, "a token is needed", "send Authorization: Bearer TOKEN; for the meshd command, name a file that holds it"}
	}
	who, role := s.cfg.Tokens.find(bearer)
	switch {
	case role == open:
		return &refusal{http.StatusUnauthorized, "the token is not known", "compare it with the tokens file of this node, which is read when the node starts"}
	case role < need:
		return &refusal{http.StatusForbidden, who + " has the role " + role.String() + ", this needs " + need.String(), ""}
	}
	return nil
}

// recovering keeps a mistake in one handler from ending the process.
func (s *Server) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			if s.cfg.Panicked != nil {
				s.cfg.Panicked()
			}
			s.cfg.Log.Error("handler panicked", slog.String("path", r.URL.Path), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			refuse(w, &refusal{http.StatusInternalServerError, "the node made a mistake in answering this", "its log says more; replication does not depend on it"})
		}()
		next.ServeHTTP(w, r)
	})
}
