package topology

// settingFields is what defaults.link, a link and a rule for topics can set.
func settingFields(s *LinkSettings) []field {
	return []field{
		oneOf("naming", "prefix", &s.Naming, []string{"prefix", "identity"}),
		text("separator", "text", &s.Separator, separatorRule).with(`"."`).then(func(p *parser, v value) {
			p.separators = append(p.separators, v)
		}),
		oneOf("provenance", "headers", &s.Provenance, []string{"headers", "batch"}).then(func(p *parser, v value) {
			p.provenances = append(p.provenances, v)
		}),
		oneOf("remote", "ask", &s.Remote, []string{"ask", "adopt", "local"}),
		start("start", "earliest", &s.Start),
		intOr("replication_factor", "source", &s.ReplicationFactor, map[string]int{"source": 0, "broker": -1}),
		group("limit", sizeOr("bytes_per_second", "none", &s.LimitBytes, 1<<10)),
		group("sync",
			boolean("groups", "true", &s.SyncGroups),
			boolean("configs", "true", &s.SyncConfigs),
			boolean("partitions", "true", &s.SyncPartitions),
			notYet("acls", "false"),
			notYet("quotas", "off"),
			notYet("scram", "off")),
		group("configs",
			textList("exclude", "[]", &s.ConfigsExclude, configRule),
			notYet("conflict", "stop")),
		notYet("acls"),
		oneOf("on_gap", "stop", &s.OnGap, []string{"stop", "continue"}),
		oneOf("on_recreate", "stop", &s.OnRecreate, []string{"stop", "new_incarnation"}),
		oneOf("on_delete", "keep", &s.OnDelete, []string{"keep", "stop"}, "delete_after"),
		oneOf("divergence", "refuse", &s.Divergence, []string{"refuse", "allow"}),
		group("mm2",
			boolean("checkpoints", "true", &s.MM2Checkpoints),
			boolean("heartbeats", "true", &s.MM2Heartbeats),
			notYet("offset_syncs", "false")),
		notYet("verify"),
	}
}
