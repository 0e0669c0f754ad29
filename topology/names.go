package topology

import (
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
)

const maxName = 64 // characters of a name; topics are called after aliases, and may have 249

var (
	plainName  = regexp.MustCompile(`\A[A-Za-z0-9_-]+\z`)
	dotName    = regexp.MustCompile(`\A[A-Za-z0-9_][A-Za-z0-9._-]*\z`)
	configName = regexp.MustCompile(`\A[A-Za-z0-9._*-]+\z`)
	linkName   = regexp.MustCompile(`\A[A-Za-z0-9._<>,*-]+\z`)
	envName    = regexp.MustCompile(`\A[A-Za-z_][A-Za-z0-9_]*\z`)
)

func named(what string, re *regexp.Regexp, allowed string) rule {
	return func(s string) string {
		switch {
		case !re.MatchString(s):
			return what + " has letters, digits and " + allowed
		case len(s) > maxName:
			return what + " has at most " + strconv.Itoa(maxName) + " characters"
		}
		return ""
	}
}

var (
	meshRule       = named("the name of a mesh", plainName, "- _ alone")
	datacenterRule = named("a datacenter", dotName, "- _ . alone, and doesn't begin with - or .")
	nodeRule       = named("the name of a node", dotName, "- _ . alone, and doesn't begin with - or .")
	rackRule       = named("a rack", dotName, "- _ . alone, and doesn't begin with - or .")
	clusterIDRule  = named("a cluster id", plainName, "- _ alone")
	anyAlias       = named("an alias", plainName, "- _ alone")
)

func aliasRule(s string) string {
	switch {
	case s == "meshd":
		return "the alias meshd is taken: topics that begin with meshd. are meshd's own"
	case strings.HasPrefix(s, "__"):
		return "an alias doesn't begin with __: its remote topics would look like Kafka's internal ones"
	}
	return anyAlias(s)
}

// A default name joins aliases, and so may be longer than other names.
func linkRule(s string) string {
	if !linkName.MatchString(s) || len(s) > 4*maxName {
		return "the name of a link has letters, digits and - _ . < > , * alone, at most " + strconv.Itoa(4*maxName)
	}
	return ""
}

// separatorRule keeps remote topics legal in Kafka.
func separatorRule(s string) string {
	if !dotName.MatchString("a"+s) || s == "" || len(s) > 8 {
		return "a separator has 1 to 8 letters, digits and - _ . alone, for it is part of a topic's name"
	}
	return ""
}

func configRule(s string) string {
	return named("the name of a config", configName, "- _ . alone; * stands for any of them")(s)
}

func usernameRule(s string) string {
	if s == "" {
		return "is empty"
	}
	return ""
}

func envRule(s string) string {
	if !envName.MatchString(s) {
		return "wants the name of an environment variable, not its value"
	}
	return ""
}

// secretRule keeps a topology, which another node may have sent, from naming files outside of the directory of secrets.
func secretRule(s string) string {
	if clean := path.Clean(s); s == "" || clean == "." || !fs.ValidPath(clean) {
		return "wants the path of a file below --secrets-dir, relative to it"
	}
	return ""
}
