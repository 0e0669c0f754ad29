package raftstore

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hashicorp/raft"
)

// Voters returns the nodes of the raft group, in the order of their names.
func (s *Store) Voters() ([]Voter, error) {
	future := s.raft.GetConfiguration()
	if err := future.Error(); err != nil {
		return nil, fmt.Errorf("reading raft's configuration: %w", err)
	}
	var voters []Voter
	for _, server := range future.Configuration().Servers {
		voters = append(voters, Voter{Node: string(server.ID), Address: string(server.Address)})
	}
	sortVoters(voters)
	return voters, nil
}

// SetVoters makes the nodes of the group what they should be, one change after the other; only the leader can. It returns how many it
// changed. Nodes are added before others are removed, and this one is removed last, for it is then no longer the leader.
func (s *Store) SetVoters(want []Voter) (int, error) {
	have, err := s.Voters()
	if err != nil {
		return 0, err
	}
	changes := s.changes(have, want)
	for i, change := range changes {
		if err := change().Error(); err != nil {
			return i, s.explain("changing raft's voters", err)
		}
	}
	return len(changes), nil
}

func (s *Store) changes(have, want []Voter) (changes []func() raft.IndexFuture) {
	want = slices.Clone(want)
	sortVoters(want)
	for _, v := range want {
		if !slices.Contains(have, v) { // new, or at another address
			changes = append(changes, func() raft.IndexFuture {
				return s.raft.AddVoter(raft.ServerID(v.Node), raft.ServerAddress(v.Address), 0, enqueueTimeout)
			})
		}
	}
	slices.SortStableFunc(have, func(a, b Voter) int { return last(a.Node == s.node) - last(b.Node == s.node) })
	for _, v := range have {
		if !slices.ContainsFunc(want, func(w Voter) bool { return w.Node == v.Node }) {
			changes = append(changes, func() raft.IndexFuture { return s.raft.RemoveServer(raft.ServerID(v.Node), 0, enqueueTimeout) })
		}
	}
	return changes
}

func last(is bool) int {
	if is {
		return 1
	}
	return 0
}

func sortVoters(v []Voter) {
	slices.SortFunc(v, func(a, b Voter) int { return cmp.Compare(a.Node, b.Node) })
}
