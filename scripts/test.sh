#!/usr/bin/env bash
# Runs the tests and ends with "N passed, N failed": test.sh [STAGE...]; none named: all but the last two, and nothing
# may be skipped everywhere.
#
#   vet     go vet
#   unit    every package but those below test/, with the race detector where goroutines are
#   kfake   test/..., on kfake
#   real    internal/kafkatest and every package whose tests have it run clusters, on Apache Kafka's own brokers; fetches them first
#   older   the integration tests that an older broker could make fail, on Kafka 2.8
#
# And, only where they are named, for they take ten minutes each:
#
#   kafka-2.8, kafka-3.9    all of test/integration on that version
#
# Environment: MESHD_TEST_RACE=no leaves the race detector out. It is left out also where there is no C compiler, which it needs.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# Pure packages have no goroutines to race.
pure='/(topology|loop|offsetxlate|switchover|mesh/placement|raftstore/state)$'

race_flag() {
  if [ "${MESHD_TEST_RACE:-yes}" = no ]; then return; fi
  if command -v "$(go env CC)" >/dev/null; then echo -race; else echo "no C compiler: without the race detector"; fi
}

# list prints packages, as `go list` does.
list() { go list "$@" ./... || { echo "FAIL: go list" >&2; return 1; }; }

# list_tests prints packages, each with what its tests import.
list_tests() { list -f '{{.ImportPath}} {{join .TestImports " "}} {{join .XTestImports " "}}'; }

# go_test runs go test on the packages that it reads; none is no error.
go_test() { # flags...
  local packages
  mapfile -t packages
  if [ ${#packages[@]} -eq 0 ]; then return; fi
  go test -json "$@" "${packages[@]}"
}

vet() { go vet ./... 2>&1 || { echo "FAIL: go vet"; return 1; }; }

# In the race detector all timers of a synctest bubble share one context (bubble.timers.raceCtx in Go's runtime, also those that run on
# two processors at once), and a process died of it in the detector's own code. On one processor no two run at once.
unit() {
  local race all bubbles others status=0
  race=$(race_flag)
  case $race in *' '*) echo "$race"; race= ;; esac
  all=$(list_tests) || return 1
  all=$(grep -v '^[^ ]*/test/' <<<"$all")
  bubbles=$(awk '/testing\/synctest/ { print $1 }' <<<"$all" | grep -vE "$pure")
  others=$(awk '!/testing\/synctest/ { print $1 }' <<<"$all" | grep -vE "$pure")
  go_test -timeout 10m < <(awk '{ print $1 }' <<<"$all" | grep -E "$pure") || status=1
  go_test -timeout 15m ${race:+"$race"} <<<"$others" || status=1
  go_test -timeout 15m ${race:+"$race"} -cpu 1 -parallel 8 <<<"$bubbles" || status=1
  return $status
}

kfake() {
  local all
  all=$(list) || return 1
  MESHD_TEST_KAFKA=kfake go_test -count=1 -timeout 15m < <(grep '/test/' <<<"$all")
}

# Never from the cache of results, which does not see that a script or a binary changed. One package at a time: each has clusters of its own, and a cluster wants a core.
real() {
  local all
  scripts/kafka.sh fetch >/dev/null || { echo "FAIL: Kafka could not be fetched"; return 1; }
  all=$(grep -rlE --include='*_test.go' 'kafkatest\.(Main|Shared|Start)\(' .) || { echo "FAIL: no tests on Kafka"; return 1; }
  MESHD_TEST_KAFKA=real go_test -count=1 -p 1 -timeout 25m < <(echo ./internal/kafkatest; xargs -n1 dirname <<<"$all" | sort -u)
}

# on_version runs the integration tests on another version of Kafka.
on_version() { # version, flags of go test...
  local version=$1
  shift
  MESHD_KAFKA_VERSION=$version scripts/kafka.sh fetch >/dev/null || { echo "FAIL: Kafka $version could not be fetched"; return 1; }
  MESHD_KAFKA_VERSION=$version MESHD_TEST_KAFKA=real go_test -count=1 -timeout 40m "$@" <<<./test/integration
}

kafka-2.8() { on_version 2.8.2; }
kafka-3.9() { on_version 3.9.2; }

# What rests on request versions that differ, on shared clusters: 2.8 is the oldest that is tested, and the furthest from what real runs.
older() {
  local few='EveryKindOfRecord|CompactedSource|LogAppendTime|LogBeginsAtAbortMarker|RetentionOvertakes|SourceRecreated|SourceGrows|BothDirections'
  on_version 2.8.2 -run "^Test($few|KilledNode|KilledNodeOverGaps|Zombie|GroupWanders|TopicConfigs|JavaConsumerWanders)\$"
}

stages() {
  local stage start status=0
  for stage; do
    start=$SECONDS
    echo "== $stage"
    "$stage" || status=1
    echo "== $stage took $((SECONDS - start)) s"
  done
  return $status
}

for stage; do
  case $stage in
    vet | unit | kfake | real | older | kafka-2.8 | kafka-3.9) ;;
    *) echo "test.sh: no stage $stage; there are vet, unit, kfake, real, older, kafka-2.8, kafka-3.9" >&2; exit 2 ;;
  esac
done
if ((BASH_VERSINFO[0] < 5)); then echo "test.sh: bash 5 or later is needed (macOS: brew install bash)" >&2; exit 2; fi
mkdir -p build
go build -o build/testcount ./internal/testcount || exit 1
if [ $# -eq 0 ]; then
  stages vet unit kfake real older 2>&1 | build/testcount -skips .ci/skipped
else
  stages "$@" 2>&1 | build/testcount
fi
