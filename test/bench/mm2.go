package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// shipped is MirrorMaker 2 with its defaults. Replication factors are what one broker can give.
const shipped = ``

// tuned is MirrorMaker 2 as a careful operator would run it: tasks for both cores, batches and fetches that fill, exactly once, and
// no waiting for a worker that is gone.
const tuned = `
tasks.max = 4
scheduled.rebalance.max.delay.ms = 0
target.exactly.once.source.support = enabled
sync.group.offsets.enabled = true
source.consumer.fetch.max.bytes = 67108864
source.consumer.max.partition.fetch.bytes = 8388608
source.consumer.max.poll.records = 5000
source.consumer.receive.buffer.bytes = -1
target.producer.enable.idempotence = true
target.producer.acks = all
target.producer.batch.size = 1000000
target.producer.linger.ms = 5
target.producer.buffer.memory = 134217728
target.producer.compression.type = lz4
target.producer.max.request.size = 2097152
`

// mm2 runs workers of MirrorMaker 2 in its dedicated mode.
func mm2(more string) func(*job, int) (*exec.Cmd, error) {
	return func(j *job, worker int) (*exec.Cmd, error) {
		port, err := freeBlock(1)
		if err != nil {
			return nil, err
		}
		file, err := j.write(fmt.Sprintf("mm2-%d.properties", worker), j.mm2Properties(more, port))
		if err != nil {
			return nil, err
		}
		// As Kafka's own script starts it, but for the folder of logs.
		return exec.Command(java(), "-Xms256M", "-Xmx2G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
			"-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true",
			"-Dlog4j2.configurationFile="+filepath.Join(j.libs, "broker-log4j2.properties"),
			"-cp", filepath.Join(j.libs, "*"), "org.apache.kafka.connect.mirror.MirrorMaker", file), nil
	}
}

func (j *job) mm2Properties(more string, port int) string {
	var y strings.Builder
	fmt.Fprintf(&y, "clusters = %s, eu\n%s.bootstrap.servers = %s\neu.bootstrap.servers = %s\n", j.id, j.id, j.source, j.to.address)
	fmt.Fprintf(&y, "%s->eu.enabled = true\neu->%s.enabled = false\n%s->eu.topics = %s\n%s->eu.groups = %s-.*\n", j.id, j.id, j.id, j.topic, j.id, j.topic)
	for _, key := range []string{
		"replication.factor", "checkpoints.topic.replication.factor", "heartbeats.topic.replication.factor",
		"offset-syncs.topic.replication.factor", "offset.storage.replication.factor", "status.storage.replication.factor",
		"config.storage.replication.factor",
	} {
		fmt.Fprintf(&y, "%s = 1\n", key)
	}
	// Workers of the dedicated mode hear of each other's tasks only so, and exactly-once support asks for it.
	if j.workers > 1 || strings.Contains(more, "exactly.once") {
		fmt.Fprintf(&y, "dedicated.mode.enable.internal.rest = true\nlisteners = http://127.0.0.1:%d\n", port)
	}
	more = strings.ReplaceAll(more, "\nsource.", "\n"+j.id+".")
	y.WriteString(strings.ReplaceAll(more, "\ntarget.", "\neu."))
	return y.String()
}

// java is the one that scripts/kafka.sh takes.
func java() string {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		return filepath.Join(home, "bin", "java")
	}
	return "java"
}
