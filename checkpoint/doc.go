// Package checkpoint keeps what meshd must not forget in Kafka itself, in compacted topics on the destination: progress and
// offset maps of every partition, and the registries of the topics and writers that meshd made.
//
//	meshd.progress.<origin>  a partition a shard   orders/3 -> Progress         written by the shard's own fenced writer
//	meshd.offsets.<origin>   a partition a shard   orders/3/<chunk> -> runs     written by the shard's own fenced writer
//	meshd.topics             one partition         us.orders -> TopicEntry      registry: what meshd made or adopted
//	meshd.writers            one partition         <producer id> -> Writer      registry: who writes, registered before it does
//	meshd.nodes              one partition         <node> -> Heartbeat
//
// A registry that was there, and is gone or another one, is lost: registry_lost, never a fresh start. meshd.topics has a birth record, and
// keeps under !writers which meshd.writers is its cluster's.
//
// What is here is formats and readers. A reader knows how far it read, and notices a log that went back. Nothing in this
// package decides who may write, and nothing in it trusts a record that it can't decode: that is an error, never a default.
package checkpoint
