package topology

// Key is one supported key of topology.yaml, for the reference.
type Key struct {
	Path    string // links[].topics.include; <alias> and <node> stand for names
	Type    string
	Default string // as it would stand in the file, in backquotes; or in words; or "required"
}

// Keys returns every supported key, in the order in which they are read. Keys that may stand in several places are listed in one: those
// of a link's settings at the link, and not again in defaults.link and in its rules.
func Keys() []Key {
	return keys("", newDraft().fields())
}

func keys(prefix string, fields []field) []Key {
	var out []Key
	for _, f := range fields {
		if f.kind == "" {
			continue
		}
		if f.kind != "keys" {
			out = append(out, Key{prefix + f.key, f.kind, f.shownDefault()})
		}
		if !f.known {
			out = append(out, keys(prefix+f.key+f.join, f.sub)...)
		}
	}
	return out
}

func (f field) shownDefault() string {
	switch {
	case f.required:
		return "required"
	case f.def != "":
		return "`" + f.def + "`"
	case f.derived != "":
		return f.derived
	}
	return "none"
}
