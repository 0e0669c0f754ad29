package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
)

// refusal is an error with the status and the hint that its reader gets.
type refusal struct {
	status     int
	text, hint string
}

func (r *refusal) Error() string { return r.text }

func bad(text, hint string) error { return &refusal{http.StatusBadRequest, text, hint} }

// answering makes a handler of a function that returns what is to be encoded.
func answering(get func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := get(r)
		if err != nil {
			refuse(w, err)
			return
		}
		status := http.StatusOK
		if b, ok := body.(interface{ status() int }); ok {
			status = b.status()
		}
		answer(w, status, body)
	})
}

// answer encodes the whole body before it sends a byte.
func answer(w http.ResponseWriter, status int, body any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		panic(err) // a type that JSON has no form for: a mistake in this program
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that went away needs no answer
}

func refuse(w http.ResponseWriter, err error) {
	var r *refusal
	if !errors.As(err, &r) {
		r = &refusal{status: http.StatusInternalServerError, text: err.Error()}
	}
	answer(w, r.status, ErrorAnswer{Error: r.text, Hint: r.hint})
}

// orJSON turns what the mux says of itself (no such path, no such method) into the form of all other errors.
func orJSON(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		said := &muted{header: w.Header()}
		h.ServeHTTP(said, r)
		hint := "GET /v1/status, /v1/flows, /v1/topology and their like; a node has no path for a part that it does not run"
		if said.code == http.StatusMethodNotAllowed {
			hint = "only GET is answered here"
		}
		answer(w, said.code, ErrorAnswer{Error: r.Method + " " + r.URL.Path + ": " + http.StatusText(said.code), Hint: hint})
	})
}

// muted keeps the status and the header of an answer, and drops its body.
type muted struct {
	header http.Header
	code   int
}

func (m *muted) Header() http.Header         { return m.header }
func (m *muted) WriteHeader(code int)        { m.code = code }
func (m *muted) Write(b []byte) (int, error) { return len(b), nil }
