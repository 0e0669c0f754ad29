package raftstore

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// In virtual time, on transports in memory: a dead leader is replaced in a second and a half, and one that is cut off stops leading.
func TestElectionTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := unstarted(t, 3)
		transports := map[*peer]*raft.InmemTransport{}
		for _, p := range all {
			_, transports[p] = raft.NewInmemTransport(raft.ServerAddress(p.cfg.Advertise))
			p.cfg.Transport = transports[p]
		}
		connect(transports)
		for _, p := range all {
			p.start(t)
		}
		old := leader(t, all...)
		_, index := propose(t, old, assign(0, "n0"))
		reach(t, index, all...)

		var rest []*peer
		for _, p := range all {
			if p != old {
				rest = append(rest, p)
			}
			transports[p].DisconnectAll()
		}
		delete(transports, old)
		connect(transports)
		began := time.Now()
		next := leader(t, rest...)
		if took := time.Since(began); took > 1500*time.Millisecond {
			t.Errorf("the election took %v", took)
		}
		if old.IsLeader() {
			t.Error("two leaders")
		}
		eventually(t, "out of touch", func() bool { return !next.InTouch(old.id.Node) })
		for _, p := range rest {
			if p != next && !next.InTouch(p.id.Node) {
				t.Error("out of touch with a node that is there")
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, _, err := old.Propose(ctx, assign(1, "n9")); err == nil {
			t.Error("a proposal of a leader without a quorum was carried out")
		}
		if result, _ := propose(t, next, assign(1, "n1")); result.Epoch != 2 {
			t.Errorf("%+v", result)
		}
		_, back := raft.NewInmemTransport(raft.ServerAddress(old.cfg.Advertise))
		old.stop(t)
		old.cfg.Transport, transports[old] = back, back
		connect(transports)
		old.start(t)
		eventually(t, "in touch again", func() bool { return next.InTouch(old.id.Node) })
		for _, p := range all {
			p.stop(t)
		}
	})
}

func connect(transports map[*peer]*raft.InmemTransport) {
	for _, a := range transports {
		for _, b := range transports {
			if a != b {
				a.Connect(b.LocalAddr(), b)
			}
		}
	}
}
