#!/usr/bin/env bash
# Apache Kafka for tests and trials: brokers on loopback, from Maven artefacts, several clusters by name. They are KRaft's, but for 2.8,
# which has ZooKeeper in the process of its first broker.
#
#   kafka.sh fetch                     bring the jars into the cache
#   kafka.sh start NAME [options]      make the cluster if it is new, start it, wait until it is ready, print its bootstrap
#   kafka.sh run NAME [options]        the same in the foreground; Ctrl-C stops it
#   kafka.sh stop NAME [BROKER]        clean stop; the data stays, and start continues with it
#   kafka.sh kill NAME [BROKER]        kill -9
#   kafka.sh restart NAME [BROKER]     stop and start again
#   kafka.sh status [NAME]             what runs where
#   kafka.sh bootstrap NAME            host:port,... of its clients' listener
#   kafka.sh remove NAME               stop it and delete its data
#   kafka.sh create NAME [options]     only make it
#   kafka.sh broker NAME N             become broker N in the foreground (for programs that own their processes)
#   kafka.sh wait NAME [BROKER]        until it is ready
#
# Options of start, run and create, for a new cluster:
#   --brokers N               default 1; the first is also the controller, so kill another to see leaders move
#   --port P                  broker n listens on P+3(n-1) and the two ports after it; default: a free block
#   --security S              PLAINTEXT (default), SSL, SASL_PLAINTEXT, SASL_SSL: of the clients' listener
#   --user NAME:PASSWORD      for SASL (PLAIN and SCRAM-SHA-256/512); may be repeated; default meshd:meshd-secret
#   --client-auth             TLS clients must show a certificate
#   --property KEY=VALUE      for server.properties; may be repeated
#   --heap SIZE               default 512m
# Everywhere:
#   --dir DIR                 the folder of the clusters; default $MESHD_KAFKA_DIR or /tmp/meshd-kafka-UID
#
# Environment: MESHD_KAFKA_VERSION (4.3.0; 3.9.x and 2.8.x too), MESHD_KAFKA_HOME (~/.cache/meshd/kafka), MESHD_KAFKA_DIR,
# MESHD_KAFKA_JVM, MESHD_KAFKA_START_SECONDS (180), JAVA_HOME.
set -euo pipefail
if ((BASH_VERSINFO[0] < 5)); then echo "${0##*/}: bash 5 or later is needed (macOS: brew install bash)" >&2; exit 1; fi
lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib
# shellcheck source=lib/java.sh
. "$lib/java.sh"
# shellcheck source=lib/kafka-jars.sh
. "$lib/kafka-jars.sh"
# shellcheck source=lib/kafka-cluster.sh
. "$lib/kafka-cluster.sh"
# shellcheck source=lib/kafka-broker.sh
. "$lib/kafka-broker.sh"

usage() { sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "$0" >&2; exit 2; }

CLUSTERS=${MESHD_KAFKA_DIR:-${TMPDIR:-/tmp}/meshd-kafka-$(id -u)}
CLUSTER_NAME='' ONE='' OPTIONS=''
BROKERS=1 BASE_PORT='' SECURITY=PLAINTEXT CLIENT_AUTH=none HEAP=512m USERS=() PROPERTIES=()

# parse reads what follows the command. OPTIONS remembers that the cluster was described, which only a new one may be.
parse() {
  while [ $# -gt 0 ]; do
    case $1 in
      --client-auth) CLIENT_AUTH=required OPTIONS=yes; shift; continue ;;
      --*) [ $# -ge 2 ] || die "$1 needs a value" ;;
    esac
    case $1 in
      --dir) CLUSTERS=$2; shift 2; continue ;;
      --brokers) BROKERS=$2 ;;
      --port) BASE_PORT=$2 ;;
      --security) SECURITY=$2 ;;
      --user) USERS+=("$2") ;;
      --property) PROPERTIES+=("$2") ;;
      --heap) HEAP=$2 ;;
      --*) die "unknown option $1" ;;
      *) positional "$1"; shift; continue ;;
    esac
    OPTIONS=yes
    shift 2
  done
  [ ${#USERS[@]} -gt 0 ] || USERS=(meshd:meshd-secret)
  [[ $BROKERS =~ ^[1-9]$ ]] || die "--brokers is 1 to 9, not $BROKERS"
  [[ $BASE_PORT =~ ^[0-9]*$ ]] || die "--port is a number, not $BASE_PORT"
  [[ $SECURITY =~ ^(SASL_)?(PLAINTEXT|SSL)$ ]] || die "--security is PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL, not $SECURITY"
}

positional() {
  if [ -z "$CLUSTER_NAME" ]; then CLUSTER_NAME=$1; else ONE=$1; fi
  [[ $1 =~ ^[A-Za-z0-9_-]+$ ]] || die "a name has letters, digits, '-' and '_', not $1"
}

need_name() {
  [ -n "$CLUSTER_NAME" ] || usage
  mkdir -p "$CLUSTERS"
  CLUSTERS=$(cd "$CLUSTERS" && pwd)
  CLUSTER_HOME=$CLUSTERS/$CLUSTER_NAME
}

# load reads what an existing cluster is.
load() {
  need_name
  [ -e "$CLUSTER_HOME/cluster.conf" ] || die "there is no cluster $CLUSTER_NAME in $CLUSTERS"
  # shellcheck source=/dev/null
  . "$CLUSTER_HOME/cluster.conf"
  if [ -n "$ONE" ]; then [[ $ONE =~ ^[1-9]$ ]] && [ "$ONE" -le "$BROKERS" ] || die "$CLUSTER_NAME has no broker $ONE"; fi
}

# each calls a function for the broker that was named, or for every one until it fails.
each() { # function
  local n
  for ((n = 1; n <= BROKERS; n++)); do
    if [ -z "$ONE" ] || [ "$ONE" = "$n" ]; then "$1" "$n" || return; fi
  done
}

create() {
  need_name
  if [ -e "$CLUSTER_HOME/cluster.conf" ]; then
    [ -z "$OPTIONS" ] || die "cluster $CLUSTER_NAME exists already: start it without options, or remove it first"
    load
  else
    kafka_fetch
    create_cluster
  fi
}

launch_missing() { broker_pid "$1" >/dev/null || broker_launch "$1"; }

start() {
  java_need jdk
  each launch_missing
  each broker_wait || { ONE=''; each broker_kill; exit 1; }
  broker_list client_port
}

run() {
  trap 'stop_all; exit 0' INT TERM
  start
  say "Ctrl-C stops cluster $CLUSTER_NAME"
  while each broker_pid >/dev/null; do sleep 1; done
  die "a broker of $CLUSTER_NAME ended; its log is in $CLUSTER_HOME"
}

# stop_all stops the first broker last, for it is the controller that the others ask to let them go.
stop_all() {
  each stop_follower
  wait
  if [ -z "$ONE" ] || [ "$ONE" = 1 ]; then broker_stop 1; fi
}

stop_follower() { if [ "$1" != 1 ]; then broker_stop "$1" & fi; }

status() {
  local conf n pid
  printf '%-12s %-6s %-8s %-8s %-15s %-7s %s\n' CLUSTER BROKER STATE PID SECURITY VERSION BOOTSTRAP
  for conf in "$CLUSTERS"/${CLUSTER_NAME:-*}/cluster.conf; do
    [ -e "$conf" ] || continue
    CLUSTER_HOME=$(dirname "$conf")
    # shellcheck source=/dev/null
    . "$conf"
    for ((n = 1; n <= BROKERS; n++)); do
      pid=$(broker_pid "$n") || pid=-
      printf '%-12s %-6s %-8s %-8s %-15s %-7s %s\n' "$(basename "$CLUSTER_HOME")" "$n" "$([ $pid = - ] && echo stopped || echo running)" \
        "$pid" "$SECURITY" "$KAFKA_VERSION" "127.0.0.1:$(client_port "$n")"
    done
  done
}

[ $# -gt 0 ] || usage
command=$1
shift
parse "$@"
case $command in
  fetch) kafka_fetch; kafka_libs ;;
  create) create ;;
  start) create; start ;;
  run) create; run ;;
  stop) load; stop_all ;;
  kill) load; each broker_kill ;;
  restart) load; stop_all; start ;;
  status) status ;;
  bootstrap) load; broker_list client_port ;;
  remove) load; stop_all; rm -rf "${CLUSTER_HOME:?}" ;;
  broker) load; [ -n "$ONE" ] || usage; broker_exec "$ONE" ;;
  wait) load; each broker_wait ;;
  *) usage ;;
esac
