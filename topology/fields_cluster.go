package topology

import "gopkg.in/yaml.v3"

const embedded = "embedded"

// clusterSettingFields is what defaults.cluster can set.
func clusterSettingFields(c *Cluster) []field {
	return []field{
		duration("request_timeout", "10s", &c.RequestTimeout),
		intOr("internal_replication_factor", "auto", &c.InternalReplicationFactor, map[string]int{"auto": 0}),
	}
}

func clusterFields(c *Cluster) []field {
	fields := []field{
		text("id", "name", &c.ID, clusterIDRule).or("any"),
		text("datacenter", "name", &c.Datacenter, datacenterRule).or("the alias"),
	}
	fields = append(fields, endpointFields(&c.Inside, true)...)
	fields = append(fields,
		field{
			key: "from_outside", kind: "bootstrap, tls, sasl of a cluster", derived: "as from inside",
			read: func(p *parser, v value) {
				c.Outside = c.Inside // what is unset is inherited
				p.mapping(v, endpointFields(&c.Outside, false))
			},
		},
		boolean("read_only", "false", &c.ReadOnly),
		text("rack", "name", &c.Rack, rackRule).or("none"))
	return append(fields, clusterSettingFields(c)...)
}

func endpointFields(e *Endpoint, inside bool) []field {
	bootstrap := field{key: "bootstrap", kind: "list of host:port, or embedded", required: inside, read: func(p *parser, v value) {
		e.Bootstrap = p.bootstrap(v)
	}}
	tls := optional("tls", &e.TLS, tlsFields).then(func(p *parser, v value) { checkTLS(p, v, *e.TLS) })
	sasl := optional("sasl", &e.SASL, saslFields).then(checkSASL)
	return []field{bootstrap, tls, sasl}
}

func (p *parser) bootstrap(v value) []string {
	if v.node.Kind == yaml.ScalarNode && v.node.Value == embedded {
		return []string{embedded}
	}
	if v.node.Kind == yaml.SequenceNode && len(v.node.Content) == 0 {
		p.bad(v, "is empty")
	}
	return p.texts(v, func(s string) string {
		if s == embedded {
			return "embedded stands by itself, not in a list"
		}
		return addressRule(s)
	})
}

func tlsFields(t *TLS) []field {
	return []field{
		text("ca", "path", &t.CA, secretRule).or("the system's authorities"),
		text("cert", "path", &t.Cert, secretRule).or("none"),
		text("key", "path", &t.Key, secretRule).or("none"),
		text("server_name", "host", &t.ServerName, hostRule).or("the host of the broker"),
		boolean("insecure", "false", &t.Insecure),
	}
}

func checkTLS(p *parser, v value, t TLS) {
	if (t.Cert == "") != (t.Key == "") && p.sound(v) {
		p.bad(v, "cert and key go together").Hint = "both for mutual TLS, neither for TLS"
	}
	if t.Insecure {
		p.warn(v.path, "the certificates of the brokers are not verified")
	}
}

func saslFields(s *SASL) []field {
	return []field{
		oneOf("mechanism", "", &s.Mechanism, []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}).must(),
		text("username", "text", &s.Username, usernameRule).must(),
		text("password_file", "path", &s.PasswordFile, secretRule).or("none"),
		text("password_env", "name of a variable", &s.PasswordEnv, envRule).or("none"),
	}
}

func checkSASL(p *parser, v value) {
	switch file, env := hasKey(v.node, "password_file"), hasKey(v.node, "password_env"); {
	case v.node.Kind != yaml.MappingNode:
	case file && env:
		p.bad(v, "password_file and password_env exclude each other")
	case !file && !env:
		p.bad(v, "the password is missing").Hint = "password_file or password_env says where it is"
	}
}

func (d *draft) readCluster(p *parser, alias string, v value) {
	c := d.cluster
	c.Alias, c.Datacenter = Alias(alias), alias
	p.mapping(v, clusterFields(&c))
	if c.Outside.Bootstrap == nil {
		c.Outside = c.Inside
	}
	d.t.Clusters[c.Alias] = c
	d.aliases = append(d.aliases, c.Alias)
	if c.Inside.Embedded() || c.Outside.Embedded() {
		for _, key := range []string{"tls", "sasl", "from_outside"} {
			if hasKey(v.node, key) {
				p.bad(p.at(v.key(key).path), "an embedded cluster has no %s", key)
			}
		}
	}
	for _, e := range []Endpoint{c.Inside, c.Outside} {
		if e.SASL != nil && e.SASL.Mechanism == "PLAIN" && e.TLS == nil {
			p.warn(v.path, "the password goes over the network in clear text: sasl PLAIN without tls")
			break
		}
	}
}
