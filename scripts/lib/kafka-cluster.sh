# What makes a cluster on disk: ports, certificates, server.properties, formatted storage. Sourced, not run.
#
#   HOME_OF_CLUSTER/
#     cluster.conf          what it was made with; read by every later command
#     client.properties     for Kafka's own tools
#     tls/                  ca.pem, broker.pem, client.pem and keys
#     broker-1/             server.properties, data/, kafka.log, pid

# Every broker has three listeners: CLIENT with the security that was asked for, INTERNAL between brokers and for tests that need a
# way in, and the first also CONTROLLER. One controller, not a quorum: elections among starved processes of a small machine never end.
# Ports of broker n: base+3(n-1) .. base+3(n-1)+2.
client_port() { echo $((BASE_PORT + 3 * ($1 - 1))); }
internal_port() { echo $((BASE_PORT + 3 * ($1 - 1) + 1)); }
controller_port() { echo $((BASE_PORT + 2)); }

broker_list() { # port function
  local n list=
  for ((n = 1; n <= BROKERS; n++)); do list+=${list:+,}127.0.0.1:$("$1" "$n"); done
  echo "$list"
}

# claim_ports chooses a block of ports below those that systems give to outgoing connections, so that nothing takes them while a
# broker is down. The claim is a folder, for mkdir is atomic; it is void when its cluster is gone.
claim_ports() { # home
  local claims=${TMPDIR:-/tmp}/meshd-kafka-ports-$(id -u) try base n
  mkdir -p "$claims"
  for ((try = 0; try < 100; try++)); do
    base=$((10000 + 30 * (RANDOM % 750)))
    if [ -e "$claims/$base" ] && [ ! -d "$(cat "$claims/$base/home" 2>/dev/null)" ]; then rm -rf "${claims:?}/$base"; fi
    mkdir "$claims/$base" 2>/dev/null || continue
    echo "$1" >"$claims/$base/home"
    for ((n = base; n < base + 3 * BROKERS; n++)); do
      if (exec 3<>"/dev/tcp/127.0.0.1/$n") 2>/dev/null; then continue 2; fi
    done
    BASE_PORT=$base
    return
  done
  die "found no free block of ports"
}

new_cluster_id() {
  local id
  id=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_')
  id=${id:0:22}
  echo "${id/#-/A}" # a leading dash would look like an option
}

scram_arguments() { # prints an argument a line
  local user mechanism
  for user in "${USERS[@]}"; do
    for mechanism in SCRAM-SHA-256 SCRAM-SHA-512; do
      printf '%s\n' --add-scram "$mechanism=[name=${user%%:*},password=${user#*:}]"
    done
  done
}

key_store_properties() { # n
  if kafka_has_zookeeper; then # ZooKeeperBroker.java makes it
    cp "$CLUSTER_HOME/tls/broker.pem" "$CLUSTER_HOME/broker-$1/broker.pem"
    cat <<EOF
listener.name.client.ssl.keystore.type=PKCS12
listener.name.client.ssl.keystore.location=$CLUSTER_HOME/broker-$1/broker.p12
listener.name.client.ssl.keystore.password=meshd-secret
listener.name.client.ssl.key.password=meshd-secret
EOF
  else
    cat <<EOF
listener.name.client.ssl.keystore.type=PEM
listener.name.client.ssl.keystore.location=$CLUSTER_HOME/tls/broker.pem
EOF
  fi
}

tls_properties() { # n
  key_store_properties "$1"
  cat <<EOF
listener.name.client.ssl.truststore.type=PEM
listener.name.client.ssl.truststore.location=$CLUSTER_HOME/tls/ca.pem
listener.name.client.ssl.client.auth=$CLIENT_AUTH
EOF
}

sasl_properties() {
  local user plain=
  for user in "${USERS[@]}"; do plain+=" user_${user%%:*}=\"${user#*:}\""; done
  cat <<EOF
listener.name.client.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.client.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required$plain;
listener.name.client.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.client.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
EOF
}

# quorum_properties prints who broker n is and who leads the cluster: the first broker, as the only controller.
quorum_properties() { # n, listeners of clients and brokers
  local roles=broker controller=
  if [ "$1" = 1 ]; then roles=broker,controller controller=,CONTROLLER://127.0.0.1:$(controller_port); fi
  cat <<EOF
process.roles=$roles
node.id=$1
controller.quorum.voters=1@127.0.0.1:$(controller_port)
controller.listener.names=CONTROLLER
listeners=$2$controller
listener.security.protocol.map=CLIENT:$SECURITY,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT
share.coordinator.state.topic.replication.factor=$REPLICAS
share.coordinator.state.topic.min.isr=$MIN_ISR
share.coordinator.state.topic.num.partitions=5
EOF
}

# with_zookeeper_properties is the same for a version with ZooKeeper, which the first broker has on the controller's port.
with_zookeeper_properties() { # n, listeners
  cat <<EOF
broker.id=$1
zookeeper.connect=127.0.0.1:$(controller_port)
zookeeper.session.timeout.ms=6000
listeners=$2
listener.security.protocol.map=CLIENT:$SECURITY,INTERNAL:PLAINTEXT
EOF
}

zookeeper_properties() {
  cat <<EOF
dataDir=$CLUSTER_HOME/broker-1/zookeeper
clientPort=$(controller_port)
clientPortAddress=127.0.0.1
tickTime=1000
maxClientCnxns=0
admin.enableServer=false
EOF
}

# server_properties prints the configuration of broker n. Internal topics are small, for a broker that starts often.
server_properties() { # n
  local REPLICAS=$((BROKERS < 3 ? BROKERS : 3)) MIN_ISR=$((BROKERS < 3 ? 1 : 2))
  local clients=CLIENT://127.0.0.1:$(client_port "$1"),INTERNAL://127.0.0.1:$(internal_port "$1")
  if kafka_has_zookeeper; then with_zookeeper_properties "$1" "$clients"; else quorum_properties "$1" "$clients"; fi
  cat <<EOF
broker.rack=rack-$1
advertised.listeners=$clients
inter.broker.listener.name=INTERNAL
log.dirs=$CLUSTER_HOME/broker-$1/data
default.replication.factor=$REPLICAS
min.insync.replicas=$MIN_ISR
offsets.topic.replication.factor=$REPLICAS
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=$REPLICAS
transaction.state.log.min.isr=$MIN_ISR
transaction.state.log.num.partitions=5
group.initial.rebalance.delay.ms=0
EOF
  case $SECURITY in *SSL) tls_properties "$1" ;; esac
  case $SECURITY in SASL*) sasl_properties ;; esac
  [ ${#PROPERTIES[@]} -eq 0 ] || printf '%s\n' "${PROPERTIES[@]}" # the last of a key wins
}

# client_properties prints what Kafka's own tools need to reach the CLIENT listener as the first user.
client_properties() {
  echo "security.protocol=$SECURITY"
  case $SECURITY in
    *SSL)
      echo "ssl.truststore.type=PEM"
      echo "ssl.truststore.location=$CLUSTER_HOME/tls/ca.pem"
      echo "ssl.keystore.type=PEM"
      echo "ssl.keystore.location=$CLUSTER_HOME/tls/client-keystore.pem"
      ;;
  esac
  case $SECURITY in
    SASL*)
      echo "sasl.mechanism=SCRAM-SHA-512"
      echo "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=\"${USERS[0]%%:*}\" password=\"${USERS[0]#*:}\";"
      ;;
  esac
}

# scram_properties prints a user a line, for ZooKeeperBroker.java.
scram_properties() {
  local user
  for user in "${USERS[@]}"; do
    echo "${user%%:*}=SCRAM-SHA-256=[password=${user#*:}],SCRAM-SHA-512=[password=${user#*:}]"
  done
}

# describe_for_zookeeper writes what takes the place of formatted storage.
describe_for_zookeeper() { # n
  if [ "$1" = 1 ]; then zookeeper_properties >"$CLUSTER_HOME/broker-1/zookeeper.properties"; fi
  case $SECURITY in SASL*) scram_properties >"$CLUSTER_HOME/broker-$1/scram.properties" ;; esac
}

format_broker() { # n
  local scram=()
  if kafka_has_zookeeper; then describe_for_zookeeper "$1"; return; fi
  case $SECURITY in SASL*) mapfile -t scram < <(scram_arguments) ;; esac
  (
    KAFKA_JVM=-XX:TieredStopAtLevel=1 kafka_java kafka.tools.StorageTool format -t "$CLUSTER_ID" \
      -c "$CLUSTER_HOME/broker-$1/server.properties" "${scram[@]}"
  ) >"$CLUSTER_HOME/broker-$1/format.log" 2>&1
}

format_failed() { # n
  local log=$CLUSTER_HOME/broker-$1/format.log
  grep -m 1 -E 'Exception|Error' "$log" >&2 || tail -n 5 "$log" >&2
  die "broker $1's storage could not be formatted; the log is $log"
}

# make_certificates calls the project's own generator: with Go alone on a machine there is no openssl.
make_certificates() {
  (cd "$(dirname "${BASH_SOURCE[0]}")/../.." && go run ./internal/kafkatest/mkcerts "$CLUSTER_HOME/tls") ||
    die "making certificates in $CLUSTER_HOME/tls"
}

# create_cluster writes a new cluster to disk; the variables say what it is to be.
create_cluster() {
  local n pids=()
  rm -rf "${CLUSTER_HOME:?}" # what an attempt that failed left
  mkdir -p "$CLUSTER_HOME"
  [ -n "$BASE_PORT" ] || claim_ports "$CLUSTER_HOME"
  CLUSTER_ID=$(new_cluster_id)
  case $SECURITY in *SSL) make_certificates ;; esac
  client_properties >"$CLUSTER_HOME/client.properties"
  for ((n = 1; n <= BROKERS; n++)); do
    mkdir -p "$CLUSTER_HOME/broker-$n"
    server_properties "$n" >"$CLUSTER_HOME/broker-$n/server.properties"
    format_broker "$n" & pids[n]=$!
  done
  for ((n = 1; n <= BROKERS; n++)); do
    wait "${pids[n]}" || format_failed "$n"
  done
  # Last, for a folder with this file is a whole cluster.
  declare -p CLUSTER_ID BROKERS BASE_PORT SECURITY HEAP KAFKA_VERSION | sed 's/^declare -[^ ]* //' >"$CLUSTER_HOME/cluster.conf"
}
