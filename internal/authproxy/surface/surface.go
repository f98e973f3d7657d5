// Package surface knows which requests the gate looks at all: targets that everybody reads the same way, for this
// server's names, from allowed origins, and in the end for one path and three methods.
//
// It must not know tokens. Check comes before the token is judged, Endpoint after: who has no token is not told which
// paths exist.
package surface

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
)

// methods are those of the streamable HTTP transport, in all revisions of MCP.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodDelete}

// single names the headers of which one request must not have two: whoever takes the first and whoever takes the last
// would see different requests. Authorization belongs to package bearer; net/http refuses a second Host.
var single = []string{"Content-Type", "Mcp-Session-Id", "Origin"}

// Check refuses what must not be looked at further, whoever sends it.
func Check(r *http.Request, config authproxy.Config) *deny.Denial {
	if r.Method == http.MethodConnect || r.Method == http.MethodTrace {
		return deny.Target("the method is not allowed here")
	}
	if isTricky(r.URL.EscapedPath()) {
		return deny.Target("the path must be in its plain form: no dot segments, double slashes or escapes")
	}
	if !isOurHost(r.Host, config.AllowedHosts) {
		return deny.Host()
	}
	for _, name := range single {
		if len(r.Header.Values(name)) > 1 {
			return deny.Ambiguous("more than one " + name + " header")
		}
	}
	if origin := r.Header.Get("Origin"); origin != "" && !isAllowedOrigin(origin, r.Host, config.AllowedOrigins) {
		return deny.Origin()
	}
	return nil
}

// Endpoint refuses all but the MCP endpoint. Paths are compared byte for byte.
func Endpoint(r *http.Request, path string) *deny.Denial {
	if r.URL.EscapedPath() != path {
		return deny.Path()
	}
	if !slices.Contains(methods, r.Method) {
		return deny.Method(strings.Join(methods, ", "))
	}
	return nil
}

// isTricky tells paths that a server might map to another path than the one that was compared.
func isTricky(path string) bool {
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "\\;\x00") || strings.Contains(path, "//") {
		return true
	}
	lower := strings.ToLower(path)
	for _, escape := range []string{"%2f", "%5c", "%2e", "%3b", "%25", "%00"} {
		if strings.Contains(lower, escape) {
			return true
		}
	}
	segments := strings.Split(path, "/")
	return slices.Contains(segments, ".") || slices.Contains(segments, "..")
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

// isAllowedOrigin accepts the listed origins and the request's own: with a Host that passed isOurHost, a page of the
// same origin is one of this server's.
func isAllowedOrigin(origin, host string, allowed []string) bool {
	if slices.Contains(allowed, origin) {
		return true
	}
	parsed, err := url.Parse(origin)
	return err == nil && (parsed.Scheme == "http" || parsed.Scheme == "https") && parsed.User == nil &&
		parsed.Path == "" && parsed.RawQuery == "" && parsed.Fragment == "" && strings.EqualFold(parsed.Host, host)
}
