package forward

import (
	"net/http"
	"net/http/httputil"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/bearer"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
)

// untrusted names request headers that do not reach the server, in lower case. Each tells something that the client
// must not decide (where it comes from, which method or URL is meant), or belongs to the connection, or to the gate.
var untrusted = map[string]bool{
	"connection": true, "cookie": true, "expect": true, "forwarded": true, "keep-alive": true, "origin": true, "te": true, "trailer": true,
	"upgrade": true, "http2-settings": true, "via": true, "x-real-ip": true, "x-client-ip": true, "true-client-ip": true,
	"x-http-method": true, "x-http-method-override": true, "x-method-override": true, "x-rewrite-url": true,
}

var untrustedPrefixes = []string{"gatehouse-", "proxy", "x-forwarded-", "x-original-", "x-envoy-"}

// isUntrusted treats "_" like "-": CGI and WSGI servers do not tell them apart.
func isUntrusted(name string) bool {
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	// A twin of the credentials in another spelling is never the one that was judged.
	if untrusted[name] || name == "authorization" {
		return true
	}
	for _, prefix := range untrustedPrefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// rewrite makes the request that the server gets. ReverseProxy has removed the hop-by-hop headers by now, so none of
// what is set here can be removed by a Connection header.
func (x *exchange) rewrite(p *httputil.ProxyRequest) {
	upstream := x.request.Upstream
	address := x.forwarder.address(upstream)
	p.Out.URL.Scheme = "http"
	p.Out.URL.Host = address
	p.Out.URL.User = nil
	p.Out.URL.RawQuery = bearer.WithoutToken(x.client.URL.RawQuery)
	// Servers on loopback refuse foreign names, as a defence against DNS rebinding; the client's was checked here.
	p.Out.Host = address
	for name := range p.Out.Header {
		if isUntrusted(name) {
			delete(p.Out.Header, name)
		}
	}
	p.SetXForwarded()
	if upstream.ForwardAuthorization {
		p.Out.Header["Authorization"] = x.client.Header.Values("Authorization")
	}
	p.Out.Trailer = nil
}

// ours names response headers that a server cannot set for the gate, by prefix.
var oursPrefixes = []string{deny.HeaderPrefix, "Proxy-", "Alt-Svc", "Public-Key-Pins"}

// cleanAnswer removes what the server must not tell the client.
func cleanAnswer(header http.Header) {
	for name := range header {
		for _, prefix := range oursPrefixes {
			if len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
				delete(header, name)
			}
		}
	}
}
