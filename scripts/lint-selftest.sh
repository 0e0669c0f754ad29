#!/usr/bin/env bash
# Shows that .golangci.yml refuses what it is there to refuse: a module of stubs with this configuration, one forbidden thing a file,
# and for each the message that must come. A configuration that matches nothing passes everything in silence.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
lint=$("$here/scripts/tool.sh" golangci-lint)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/.golangci.yml" "$here/go.mod" "$here/go.sum" "$work"
cd "$work"

# stub writes a file of a package that imports something: path, import, expression that uses it.
stub() {
  mkdir -p "$(dirname "$1")"
  cat >"$1" <<EOF
// Package $(basename "$(dirname "$1")") is a stub.
package $(basename "$(dirname "$1")")

import "$2"

var _ = $3
EOF
}

own=github.com/meshd/meshd
for package in switchover topology loop kafka kafka/batch checkpoint metasync flow mesh mesh/placement raftstore raftstore/state admin internal/kafkatest; do
  mkdir -p "$package"
  printf '// Package %s is a stub.\npackage %s\n\n// V is there to be used.\nvar V int\n' "${package##*/}" "${package##*/}" >"$package/stub.go"
done

lint() { # the two linters that hold the arrows, on the module of stubs; an import cycle would stop them
  "$lint" run --allow-serial-runners --enable-only depguard,forbidigo --output.text.print-issued-lines=false ./... >said 2>errors || true
  if [ ! -s said ] || grep -q typecheck said; then cat said errors >&2; echo "lint-selftest: the linter did not run" >&2; exit 1; fi
}

# What is allowed: no complaint may come.
stub loop/allowed.go $own/topology topology.V
stub topology/allowed.go net/netip netip.Addr{}
stub raftstore/state/allowed.go $own/mesh/placement placement.V
stub kafka/allowed.go $own/topology topology.V
stub checkpoint/allowed.go $own/kafka/batch batch.V
stub flow/allowed.go $own/metasync metasync.V
stub mesh/allowed.go $own/raftstore raftstore.V
stub admin/allowed.go $own/mesh mesh.V
stub admin/admintest/allowed.go testing 'testing.T{}'
stub kafka/allowed_test.go $own/internal/kafkatest kafkatest.V
lint
if ! grep -qx '0 issues.' said; then cat said >&2; echo "lint-selftest: refused what is allowed" >&2; exit 1; fi
find . -name 'allowed*.go' -delete

# What is not: file, import, use, a part of the message.
expected=()
refused() {
  stub "$1" "$2" "$3"
  expected+=("$1|$4")
}
refused loop/refused_os.go os 'os.Args' 'pure packages do no I/O'
refused loop/refused_net.go net 'net.IP{}' 'pure packages do no I/O'
refused loop/refused_sync.go sync/atomic 'atomic.Int64{}' 'own no goroutine'
refused loop/refused_clock.go time 'time.Now()' 'take the time as an argument'
refused loop/refused_kafka.go $own/kafka kafka.V 'imports point one way'
refused topology/refused_metasync.go $own/metasync metasync.V 'imports point one way'
refused mesh/placement/refused_mesh.go $own/mesh mesh.V 'imports point one way'
refused raftstore/state/refused_raft.go github.com/hashicorp/raft 'raft.Config{}' 'no library of the control plane'
refused kafka/refused_checkpoint.go $own/checkpoint checkpoint.V 'imports point one way'
refused kafka/batch/refused_flow.go $own/flow flow.V 'imports point one way'
refused checkpoint/refused_metasync.go $own/metasync metasync.V 'imports point one way'
refused metasync/refused_flow.go $own/flow flow.V 'imports point one way'
refused flow/refused_mesh.go $own/mesh mesh.V 'imports point one way'
refused flow/refused_placement.go $own/mesh/placement placement.V 'imports point one way'
refused flow/refused_raft.go github.com/hashicorp/raft 'raft.Config{}' 'does not know the control plane'
refused raftstore/refused_mesh.go $own/mesh mesh.V 'imports point one way'
refused mesh/refused_admin.go $own/admin admin.V 'imports point one way'
refused mesh/gossip/refused_admin.go $own/admin admin.V 'imports point one way'
refused mesh/refused_client.go github.com/twmb/franz-go/pkg/kgo 'kgo.NewClient' 'built in the kafka package only'
refused admin/refused_kafkatest.go $own/internal/kafkatest kafkatest.V 'for tests only'
refused admin/refused_kfake.go github.com/twmb/franz-go/pkg/kfake 'kfake.NumBrokers(1)' 'internal/embedded makes clusters'
refused internal/kafkatest/refused_switchover.go $own/switchover switchover.V 'imports point one way'

lint
status=0
for case in "${expected[@]}"; do
  if ! grep -F "${case%%|*}" said | grep -qF "${case#*|}"; then
    echo "lint-selftest: not refused: ${case%%|*} (${case#*|})" >&2
    status=1
  fi
done
if [ $status = 0 ]; then echo "lint-selftest: ${#expected[@]} of ${#expected[@]} forbidden imports and calls are refused"; else cat said >&2; fi
exit $status
