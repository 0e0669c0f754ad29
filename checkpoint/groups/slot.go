package groups

import (
	"fmt"
	"hash/fnv"
)

// Slots is the number of transactional ids over which the groups of a cluster are spread. It is part of the format: two syncers
// that disagree on it do not fence each other.
const Slots = 8

// Slot returns which of the transactional ids a group belongs to: FNV-1a(group) mod 8.
func Slot(group string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(group)) // a hash never fails
	return int(h.Sum32() % Slots)
}

// TransactionalID names the owner of a slot of groups of a mesh.
func TransactionalID(mesh string, slot int) string {
	return fmt.Sprintf("meshd.%s.groups.%d", mesh, slot)
}
