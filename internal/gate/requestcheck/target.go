package requestcheck

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/redact"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// checkTarget judges method, request target and Host.
func checkTarget(r *http.Request, hosts []string) *deny.Denial {
	if denial := checkRequestLine(r); denial != nil {
		return denial
	}
	if denial := checkURL(r, hosts); denial != nil {
		return denial
	}
	path := r.URL.EscapedPath()
	// A RawPath that differs is one that net/url had to escape: the server would get another spelling than was sent.
	if !gateapi.IsPlainPath(path) || r.URL.RawPath != "" && r.URL.RawPath != path {
		return deny.BadTarget("the path must be in its plain form: no dot segments, double slashes or escapes").
			WithDetail("%s is not in its plain form", pathDetail(path))
	}
	if !isOurHost(r.Host, hosts) {
		return deny.WrongHost().WithDetail("%s", hostDetail(r.Host, hosts))
	}
	return nil
}

// checkURL judges a target in absolute form, of which net/http makes the Host that the request is for (RFC 9112 section
// 3.2.2). HTTP/2 has no such form.
func checkURL(r *http.Request, hosts []string) *deny.Denial {
	switch {
	case r.URL.Host == "" && r.URL.Scheme == "":
		return nil
	case r.ProtoMajor >= 2:
		return deny.BadTarget("the path must begin with a slash")
	case r.URL.Scheme != "http" && r.URL.Scheme != "https" || r.URL.User != nil || !isOurHost(r.URL.Host, hosts):
		return deny.BadTarget("the target is a URL of another server: the gate is no proxy for others").
			WithDetail("a URL of scheme %q and %s", redact.Name(r.URL.Scheme), hostDetail(r.URL.Host, hosts))
	default:
		return nil
	}
}

// checkRequestLine refuses what would be another request in the request line of HTTP/1.1: net/http takes any text for the
// method and the path of HTTP/2 (RFC 9113 section 8.3.1 wants the same syntax of both).
func checkRequestLine(r *http.Request) *deny.Denial {
	switch {
	case r.Method == http.MethodConnect || r.Method == http.MethodTrace || !isToken(r.Method):
		return deny.BadTarget("the method is not allowed here").WithDetail("method %s", redact.Method(r.Method))
	case !isPrintable(r.RequestURI):
		return deny.BadTarget("the target must be visible ASCII without a fragment: escape everything else")
	default:
		return nil
	}
}

// isPrintable checks a request target: visible ASCII (RFC 9112 section 3.2 with RFC 3986), and no fragment, at which one
// reader would stop and another not.
func isPrintable(target string) bool {
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c > '~' || c == '#' {
			return false
		}
	}
	return true
}

// isOurHost accepts the allowed names, localhost, and IP addresses, none of which DNS rebinding can abuse. What is behind
// the name can only be a port: servers build URLs of the Host that they are told.
func isOurHost(hostport string, allowed []string) bool {
	name, ok := hostname(hostport)
	if !ok {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(name, "."))
	if host == "localhost" || slices.Contains(allowed, host) {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Zone() == "" // A zone can be any text.
}

// hostname gives the name of host or host:port; ok reports whether the port, if there is one, is a number.
func hostname(hostport string) (name string, ok bool) {
	if strings.IndexByte(hostport, ':') < 0 { // As most are; an error would cost memory.
		return hostport, true
	}
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]"), true
	}
	const longestPort = 5
	isDigit := func(c rune) bool { return '0' <= c && c <= '9' }
	return host, len(port) <= longestPort && strings.IndexFunc(port, func(c rune) bool { return !isDigit(c) }) < 0
}
