# The processes of a cluster: start, wait, stop, kill. Sourced, not run.

broker_dir() { echo "$CLUSTER_HOME/broker-$1"; }

# command_of prints a process' command line; nothing where there is none, or only its exit is still to be collected.
command_of() { # pid
  if [ -d /proc/self ]; then
    tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline"
  else
    ps -ww -o args= -p "$1"
  fi 2>/dev/null
}

# broker_pid prints the process id of broker n if it runs. A pid file outlives its process and the number may be another's by
# now, so the command line must name this broker's configuration.
broker_pid() { # n
  local pid
  pid=$(cat "$(broker_dir "$1")/pid" 2>/dev/null) || return 1
  command_of "$pid" | grep -qF "$(broker_dir "$1")/server.properties" || return 1
  echo "$pid"
}

broker_put_log_aside() { # n
  local log
  log=$(broker_dir "$1")/kafka.log
  [ ! -e "$log" ] || mv -f "$log" "$log.before"
}

# broker_exec becomes broker n: the process that called is the broker afterwards, with its pid, so whoever started it can signal
# it and wait for it.
broker_exec() { # n
  local dir
  dir=$(broker_dir "$1")
  broker_pid "$1" >/dev/null && die "broker $1 of this cluster runs already, as process $(broker_pid "$1")"
  broker_put_log_aside "$1"
  echo $$ >"$dir/pid"
  cd "$dir" || exit 1
  KAFKA_JVM="-Xmx$HEAP ${MESHD_KAFKA_JVM:-} $(kafka_log_options broker)"
  local main=kafka.Kafka
  if kafka_has_zookeeper; then main=$lib/../java/ZooKeeperBroker.java; fi
  kafka_java "$main" "$dir/server.properties" </dev/null >"$dir/kafka.log" 2>&1
}

# broker_launch starts broker n in the background, in a process group of its own, so that a Ctrl-C meant for the caller spares it.
broker_launch() { # n
  broker_put_log_aside "$1" # now, lest broker_wait read in it that the run before was ready
  (set -m; nohup "$0" broker "$CLUSTER_NAME" "$1" --dir "$CLUSTERS" </dev/null >"$(broker_dir "$1")/launch.log" 2>&1 &)
}

broker_failed() { # n, reason
  local log
  log=$(broker_dir "$1")/kafka.log
  say "broker $1 of $CLUSTER_NAME $2. The end of $log:"
  tail -n 15 "$log" "$(broker_dir "$1")/launch.log" >&2 2>/dev/null
  return 1
}

# broker_wait returns when broker n takes requests, or fails when it died or MESHD_KAFKA_START_SECONDS (180) went by.
broker_wait() { # n
  local dir deadline=$((SECONDS + ${MESHD_KAFKA_START_SECONDS:-180})) seen=
  dir=$(broker_dir "$1")
  until grep -qsE 'Kafka Server started|KafkaServer id=[0-9]+\] started' "$dir/kafka.log" && (exec 3<>"/dev/tcp/127.0.0.1/$(client_port "$1")") 2>/dev/null; do
    if [ -e "$dir/kafka.log" ]; then seen=yes; fi
    if [ -n "$seen" ] && ! broker_alive "$1"; then broker_failed "$1" "ended before it was ready"; return; fi
    if [ -s "$dir/launch.log" ] && [ -z "$seen" ]; then broker_failed "$1" "did not start"; return; fi
    if [ "$SECONDS" -ge "$deadline" ]; then broker_failed "$1" "was not ready in time"; return; fi
    sleep 0.1
  done
}

# broker_alive is true from the moment that the launching shell wrote its pid: between that and the exec the command line is the
# shell's.
broker_alive() { # n
  local pid
  pid=$(cat "$(broker_dir "$1")/pid" 2>/dev/null) && [ -n "$(command_of "$pid")" ]
}

# broker_stop asks broker n to end, waits 30 s, and then insists. One that was stopped with SIGSTOP is woken, for it could not hear
# otherwise.
broker_stop() { # n
  local pid deadline=$((SECONDS + 30))
  pid=$(broker_pid "$1") || return 0
  kill -TERM "$pid" && kill -CONT "$pid"
  while broker_pid "$1" >/dev/null; do
    if [ "$SECONDS" -ge "$deadline" ]; then say "broker $1 did not stop in 30 s: killed"; broker_kill "$1"; return; fi
    sleep 0.1
  done
  rm -f "$(broker_dir "$1")/pid"
}

broker_kill() { # n
  local pid
  pid=$(broker_pid "$1") || return 0
  kill -KILL "$pid"
  while broker_pid "$1" >/dev/null; do sleep 0.05; done
  rm -f "$(broker_dir "$1")/pid"
}
