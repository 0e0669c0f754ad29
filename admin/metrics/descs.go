package metrics

import "github.com/prometheus/client_golang/prometheus"

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

func linkDesc(name, help string, more ...string) *prometheus.Desc {
	return desc(name, help, append(append([]string{}, linkLabels...), more...)...)
}

var (
	lagRecords = linkDesc("meshd_flow_lag_records",
		"Offsets of the log that is read which are not at the destination yet, in the partitions of a topic that this node holds. meshd_flow_source_info says where that log is. NaN while a partition is not open or its log is not heard.", "topic")
	lagSeconds = linkDesc("meshd_flow_lag_seconds",
		"All that the log that is read had so long ago is at the destination; meshd_flow_source_info says where that log is. Grows while broken; while a partition was never complete here, since this node took it.", "topic")
	recordsTotal = linkDesc("meshd_flow_records_total", "Records that this node copied.", "topic")
	bytesTotal   = linkDesc("meshd_flow_bytes_total", "Bytes of record batches that this node wrote.", "topic")
	suppressed   = linkDesc("meshd_suppressed_records_total",
		"Records that were left out, by reason: of aborted transactions (aborted); offsets that could not be had and were stepped over by policy (gap); produced at the destination (own), there already (seen), of origins that are taken for themselves (other_source), written by meshd into what is no copy (by_writer), by an application into a copy (by_application). What is read again is counted again.", "topic", "reason")
	stamped = linkDesc("meshd_stamped_records_total", "Records that got a header which says where they were produced. Topics with identity naming only.", "topic")
	copied  = linkDesc("meshd_copied_headers_total",
		"Records produced at the source with a header of meshd's, which an application copied: they got a fresh one. Topics with identity naming only.", "topic")
	gaps    = linkDesc("meshd_gap_records_total", "Offsets that were stepped over by policy, by why they could not be had. Absent for what did not happen.", "topic", "why")
	from    = linkDesc("meshd_flow_source_info", "1 for the cluster at which this node reads a topic: the source, or another one that has its records.", "topic", "from")
	remade  = linkDesc("meshd_topic_incarnation", "How often a topic was made again at its source, and that accepted. Absent where it was not.", "topic")
	corrupt = linkDesc("meshd_corrupt_batches_total", "Batches of the source that could not be read: a wrong CRC, length or count, an unknown format or codec.", "topic")
	partLag = linkDesc("meshd_partition_lag_records", "As meshd_flow_lag_records, for one partition.", "topic", "partition")
	rpo     = linkDesc("meshd_rpo_seconds",
		"All that the source had so long ago is at the destination, for what this node holds of the link. Grows while broken. NaN where something of it is read at another cluster: add up meshd_hop_seconds of its hops.")
	hop = linkDesc("meshd_hop_seconds",
		"All that the logs that are read had so long ago is at the destination, for what this node holds of the link, wherever they are read. Grows while broken.")
	throttled = linkDesc("meshd_throttled_seconds_total", "For how long limit.bytes_per_second has held reading back on this node; of several limits of a link, the sum.")
	up        = linkDesc("meshd_link_up",
		"1 if something of the link moves or there is nothing to move; 0 if it stands still for a reason. Only links that this node holds something of.", "reason")
	shardState   = linkDesc("meshd_shard_state", "1 for the state in which a shard of this node is; other states are absent.", "shard", "state")
	errorsTotal  = desc("meshd_errors_total", "How often a link, topic, shard or partition of this node came to stand still, by the code of the reason.", "class")
	topoInfo     = desc("meshd_topology_info", "Always 1; absent before a topology is accepted.", "version", "hash")
	groupStates  = desc("meshd_group_sync_state", "Consumer groups that this node moves into a cluster, by what is done for them.", "home", "state")
	groupRereads = desc("meshd_group_redelivery_records",
		"Consumed records that the groups of a cluster would see again if they moved there now, all groups together, at most.", "home")
	groupAge = desc("meshd_group_sync_age_seconds", "Since the last round of group sync that succeeded; absent before the first.", "home")
	memory   = desc("meshd_bytes_in_flight", "Bytes of records that this node holds in memory.")
)

var descs = []*prometheus.Desc{
	lagRecords, lagSeconds, recordsTotal, bytesTotal, suppressed, stamped, copied, gaps, from, remade, corrupt, throttled, partLag, rpo, hop, up, shardState, errorsTotal,
	topoInfo, memory, groupStates, groupRereads, groupAge,
}
