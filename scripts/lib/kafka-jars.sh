# The jars of Apache Kafka: brokers, console tools and MirrorMaker 2, from Maven Central. Sourced, not run; needs java.sh.

KAFKA_NEWEST=4.3.0
KAFKA_VERSION=${MESHD_KAFKA_VERSION:-$KAFKA_NEWEST}
KAFKA_HOME=${MESHD_KAFKA_HOME:-$HOME/.cache/meshd/kafka}

# kafka_libs prints the folder of the jars.
kafka_libs() { printf '%s\n' "$KAFKA_HOME/$KAFKA_VERSION/libs"; }

# kafka_log_binding prints the artefact that ties slf4j to the logger that this version of Kafka ships. It is also the list of
# the versions that these scripts know.
kafka_log_binding() {
  case $KAFKA_VERSION in
    4.3.*) echo org.apache.logging.log4j:log4j-slf4j-impl:2.25.4 ;;
    3.9.*) echo org.slf4j:slf4j-reload4j:1.7.36 ;;
    2.8.*) echo org.slf4j:slf4j-log4j12:1.7.30 ;;
    *) die "Kafka $KAFKA_VERSION is not known to these scripts; known: 4.3.x, 3.9.x, 2.8.x" ;;
  esac
}

# kafka_has_zookeeper is true of versions whose brokers keep their state in ZooKeeper: KRaft of 2.8 is a preview without transactions.
kafka_has_zookeeper() { [[ $KAFKA_VERSION = 2.* ]]; }

kafka_pom() {
  local artefact group name version
  echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
  echo '<groupId>meshd</groupId><artifactId>kafka-for-tests</artifactId><version>1</version><packaging>pom</packaging><dependencies>'
  for artefact in org.apache.kafka:{kafka_2.13,kafka-tools,connect-runtime,connect-mirror,connect-json}:"$KAFKA_VERSION" "$(kafka_log_binding)"; do
    IFS=: read -r group name version <<<"$artefact"
    echo "<dependency><groupId>$group</groupId><artifactId>$name</artifactId><version>$version</version></dependency>"
  done
  echo '</dependencies></project>'
}

# kafka_log_config prints how brokers and tools log: one line an event, to one stream. It is for Log4j 2, and for Log4j 1 and its successor,
# which brokers had before 4.0: neither sees the other's keys.
kafka_log_config() { # level, stream
  cat <<EOF
log4j.rootLogger = $1, out
log4j.appender.out = org.apache.log4j.ConsoleAppender
log4j.appender.out.target = $([ "$2" = SYSTEM_OUT ] && echo System.out || echo System.err)
log4j.appender.out.layout = org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern = %d{yyyy-MM-dd HH:mm:ss.SSS} %-5p %m (%c{1})%n
rootLogger.level = $1
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.target = $2
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{yyyy-MM-dd HH:mm:ss.SSS} %-5p %m (%c{1})%n
EOF
}

# kafka_fetch brings the jars into the cache. The folder appears under its name only when it is whole, so that two that fetch at
# once don't see each other's halves.
kafka_fetch() {
  local libs work
  libs=$(kafka_libs)
  [ -d "$libs" ] && return
  kafka_log_binding >/dev/null
  java_need jdk maven
  mkdir -p "$KAFKA_HOME/$KAFKA_VERSION"
  work=$(mktemp -d "$KAFKA_HOME/$KAFKA_VERSION/fetch.XXXXXX")
  say "fetching Kafka $KAFKA_VERSION from Maven Central into $KAFKA_HOME"
  kafka_pom >"$work/pom.xml"
  mvn -B -q -f "$work/pom.xml" dependency:copy-dependencies -DoutputDirectory="$work/libs" >"$work/mvn.log" 2>&1 ||
    { tail -n 20 "$work/mvn.log" >&2; die "Maven could not fetch Kafka $KAFKA_VERSION; its log is $work/mvn.log"; }
  kafka_log_config info SYSTEM_OUT >"$work/libs/broker-log4j2.properties"
  kafka_log_config warn SYSTEM_ERR >"$work/libs/tool-log4j2.properties"
  if [ ! -d "$libs" ]; then mv "$work/libs" "$libs" 2>/dev/null || [ -d "$libs" ] || die "moving the jars to $libs"; fi
  rm -rf "$work"
}

# kafka_log_options prints the options for the JVM that have a broker or a tool log so.
kafka_log_options() { # broker | tool
  local file
  file=$(kafka_libs)/$1-log4j2.properties
  printf '%s\n' "-Dlog4j2.configurationFile=$file -Dlog4j.configuration=file:$file"
}

# kafka_java runs a class, or a single-file Java program, with Kafka's jars; KAFKA_JVM holds options for the JVM.
kafka_java() { # class | File.java, arguments...
  # shellcheck disable=SC2086 # options for the JVM are words
  exec "$(java_bin)" ${KAFKA_JVM:-} -cp "$(kafka_libs)/*" "$@"
}
