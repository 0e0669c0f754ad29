#!/usr/bin/env bash
# Apache Kafka's own tools, from jars like those of the brokers of kafka.sh: independent witnesses of what meshd writes. MirrorMaker 2 and its
# client library are of the brokers' version; the other tools are of the newest, whose names and options differ from older ones', and which
# speak to brokers from 2.1 on.
#
#   kafka-tool.sh TOOL [arguments]      arguments as the tool takes them
#   kafka-tool.sh class NAME [arguments]     any other class of the jars
#
# Tools: topics, configs, acls, console-producer, console-consumer, consumer-groups, get-offsets, dump-log, transactions, mirror-maker.
# And, for what MirrorMaker 2 writes:
#   kafka-tool.sh checkpoints|heartbeats|offset-syncs [arguments of console-consumer]
#   kafka-tool.sh translate-offsets BOOTSTRAP SOURCE GROUP [client.properties]
#   kafka-tool.sh mirror-topics BOOTSTRAP SOURCE [client.properties]
#
# Environment: MESHD_KAFKA_VERSION, MESHD_KAFKA_HOME, JAVA_HOME as for kafka.sh; MESHD_MIRROR_MAKER_HEAP (2g).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/java.sh
. "$here/lib/java.sh"
# shellcheck source=lib/kafka-jars.sh
. "$here/lib/kafka-jars.sh"

usage() { sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "$0" >&2; exit 2; }

# formatted prints a topic of MirrorMaker 2 with the formatter made for it.
formatted() { # formatter, arguments of console-consumer
  local formatter=org.apache.kafka.connect.mirror.formatters.$1
  shift
  kafka_java org.apache.kafka.tools.consumer.ConsoleConsumer --formatter "$formatter" --from-beginning "$@"
}

[ $# -gt 0 ] || usage
tool=$1
shift
case $tool in -*|help) usage ;; esac
case $tool in mirror-maker | translate-offsets | mirror-topics | class) ;; *) KAFKA_VERSION=$KAFKA_NEWEST ;; esac
kafka_fetch
java_need jdk
# A tool lives for a second: the full compiler would cost more than it gives.
KAFKA_JVM="-Xmx256m -XX:TieredStopAtLevel=1 $(kafka_log_options tool)"
case $tool in
  topics) kafka_java org.apache.kafka.tools.TopicCommand "$@" ;;
  configs) kafka_java kafka.admin.ConfigCommand "$@" ;;
  acls) kafka_java org.apache.kafka.tools.AclCommand "$@" ;;
  console-producer) kafka_java org.apache.kafka.tools.ConsoleProducer "$@" ;;
  console-consumer) kafka_java org.apache.kafka.tools.consumer.ConsoleConsumer "$@" ;;
  consumer-groups) kafka_java org.apache.kafka.tools.consumer.group.ConsumerGroupCommand "$@" ;;
  get-offsets) kafka_java org.apache.kafka.tools.GetOffsetShell "$@" ;;
  dump-log) kafka_java org.apache.kafka.tools.DumpLogSegments "$@" ;;
  transactions) kafka_java org.apache.kafka.tools.TransactionsCommand "$@" ;;
  mirror-maker)
    KAFKA_JVM="-Xmx${MESHD_MIRROR_MAKER_HEAP:-2g} $(kafka_log_options broker)" # it runs long, and its log is what it says
    kafka_java org.apache.kafka.connect.mirror.MirrorMaker "$@"
    ;;
  checkpoints) formatted CheckpointFormatter "$@" ;;
  heartbeats) formatted HeartbeatFormatter "$@" ;;
  offset-syncs) formatted OffsetSyncFormatter "$@" ;;
  translate-offsets) kafka_java "$here/java/TranslateOffsets.java" "$@" ;;
  mirror-topics) kafka_java "$here/java/MirrorTopics.java" "$@" ;;
  class) [ $# -gt 0 ] || usage; kafka_java "$@" ;;
  *) say "unknown tool $tool"; usage ;;
esac
