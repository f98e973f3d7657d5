package surface

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
)

// checkTarget judges method, request target and Host.
func checkTarget(r *http.Request, hosts []string) *deny.Denial {
	if r.Method == http.MethodConnect || r.Method == http.MethodTrace {
		return deny.Target("the method is not allowed here")
	}
	// Of the absolute form net/http makes the Host that the request is for (RFC 9112 section 3.2.2).
	absolute := r.URL.Host != "" || r.URL.Scheme != ""
	if absolute && (r.URL.Scheme != "http" && r.URL.Scheme != "https" || r.URL.User != nil || !isOurHost(r.URL.Host, hosts)) {
		return deny.Target("the target is a URL of another server: the gate is no proxy for others")
	}
	if !authproxy.IsPlainPath(r.URL.EscapedPath()) {
		return deny.Target("the path must be in its plain form: no dot segments, double slashes or escapes")
	}
	if !isOurHost(r.Host, hosts) {
		return deny.Host()
	}
	return nil
}

// isOurHost accepts the allowed names, localhost, and IP addresses, none of which DNS rebinding can abuse.
func isOurHost(hostport string, allowed []string) bool {
	host := strings.ToLower(strings.TrimSuffix(hostname(hostport), "."))
	if host == "localhost" || slices.Contains(allowed, host) {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
}
