package topology

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var hostName = regexp.MustCompile(`\A[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\z`)

func hostRule(s string) string {
	if _, err := netip.ParseAddr(s); err == nil {
		return ""
	}
	labels := strings.Split(s, ".")
	_, notNumber := strconv.Atoi(labels[len(labels)-1])
	if !hostName.MatchString(s) || len(s) > 253 || notNumber == nil || slices.Contains(labels, "") {
		return "wants a host name or an IP address without a port"
	}
	return ""
}

func addressRule(s string) string {
	host, port, ok := splitHostPort(s)
	if !ok || hostRule(host) != "" {
		return "wants host:port"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "wants a port from 1 to 65535"
	}
	return ""
}

// peerRule is for an address on which others reach a node.
func peerRule(s string) string {
	if msg := addressRule(s); msg != "" {
		return msg
	}
	host, _, _ := splitHostPort(s)
	return reachable(host)
}

func peerHostRule(s string) string {
	if msg := hostRule(s); msg != "" {
		return msg
	}
	return reachable(s)
}

func reachable(host string) string {
	if a, err := netip.ParseAddr(host); err == nil && a.IsUnspecified() {
		return "others can't reach " + host + "; it may stand in bind"
	}
	return ""
}

// splitHostPort takes the brackets of an IPv6 address off.
func splitHostPort(s string) (host, port string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", "", false
	}
	host, port = s[:i], s[i+1:]
	if inner, found := strings.CutPrefix(host, "["); found {
		inner, ok = strings.CutSuffix(inner, "]")
		return inner, port, ok && strings.Contains(inner, ":")
	}
	return host, port, !strings.Contains(host, ":")
}

func joinHostPort(host, port string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]:" + port
	}
	return host + ":" + port
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}
