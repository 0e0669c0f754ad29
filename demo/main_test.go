package demo

import (
	"testing"

	"go.uber.org/goleak"
)

// A probe that memberlist has under way when it is shut down ends by itself when its time is up.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/hashicorp/memberlist.(*Memberlist).probeNode"),
		goleak.IgnoreAnyFunction("github.com/hashicorp/memberlist.(*Memberlist).handleIndirectPing.func2"))
}
