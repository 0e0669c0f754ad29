// Package kafkatest gives tests a Kafka cluster, with one interface for two backends, so that one suite runs on both:
//
//	MESHD_TEST_KAFKA=kfake (default)   franz-go's kfake, in this process; starts in a millisecond
//	MESHD_TEST_KAFKA=real              Apache Kafka's own brokers, as processes that scripts/kafka.sh makes; starts in seconds
//
//	test ── Shared(t, "us") ──▶ Cluster ──▶ backend ──┬── fake: kfake.Cluster
//	     ── Start(t, ...)   ──▶                       └── real: a process a broker, on loopback
//	     ── CreateTopic, Produce, ReadAll
//
// A real cluster is shared by the tests of a package, for its start costs seconds: topics get names of their own (UniqueTopic).
// Such a package has
//
//	func TestMain(m *testing.M) { os.Exit(kafkatest.Main(m)) }
//
// A test that stops, kills or configures its cluster calls Start and has it alone.
//
// Invariants: no broker outlives the test process, whatever ends that (on Linux; elsewhere unless it is killed or panics); a broker
// that does not start fails the test with the reason and the end of its log.
//
// It must never import the code under test.
package kafkatest
