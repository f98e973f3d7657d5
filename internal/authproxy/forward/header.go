package forward

import (
	"encoding/json"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/bearer"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
)

// untrusted names request headers that do not reach the server, by their fold. Each tells something that the client
// must not decide (where it comes from, which method or URL is meant), or belongs to the connection, or to the gate.
var untrusted = map[string]bool{
	"connection": true, "cookie": true, "expect": true, "forwarded": true, "keep-alive": true, "origin": true, "te": true, "trailer": true,
	"upgrade": true, "http2-settings": true, "via": true, "x-real-ip": true, "x-client-ip": true, "true-client-ip": true,
	"x-http-method": true, "x-http-method-override": true, "x-method-override": true, "x-rewrite-url": true,
	"x-cluster-client-ip": true, "cf-connecting-ip": true, "fastly-client-ip": true,
	"authorization": true, // It is put back where the server is to have it.
}

var untrustedPrefixes = []string{"gatehouse-", "proxy", "x-forwarded-", "x-original-", "x-envoy-", "x-amzn-oidc-"}

// cleanRequest removes from a request what the server must not take from a client: headers that are untrusted, those
// in which the gate tells of the caller, and second spellings of headers that somebody decides by. Mcp-Param-a_b is a
// name like any other.
func cleanRequest(header http.Header, claims []authproxy.ClaimHeader) {
	for name := range header {
		fold := authproxy.FoldHeader(name)
		isTwin := authproxy.IsProtectedHeader(name) && !strings.EqualFold(name, fold)
		if isTwin || isUntrusted(fold) || isClaim(fold, claims) {
			delete(header, name)
		}
	}
}

func isUntrusted(fold string) bool {
	if untrusted[fold] {
		return true
	}
	for _, prefix := range untrustedPrefixes {
		if strings.HasPrefix(fold, prefix) {
			return true
		}
	}
	return false
}

func isClaim(fold string, claims []authproxy.ClaimHeader) bool {
	return slices.ContainsFunc(claims, func(c authproxy.ClaimHeader) bool { return authproxy.FoldHeader(c.Header) == fold })
}

// tellClaims tells the server who is asking. It must come behind cleanRequest and behind the removal of what the
// client's Connection header names, so that no client can take these headers away.
func tellClaims(header http.Header, claims []authproxy.ClaimHeader, claim func(name string) (any, bool)) {
	for _, c := range claims {
		if value, there := claim(c.Claim); there {
			if text, ok := headerValue(value); ok {
				header[http.CanonicalHeaderKey(c.Header)] = []string{text}
			}
		}
	}
}

// headerValue writes a claim so that it arrives as it is, or not at all: space at the ends is cut off on the way, and
// servers do not agree on the letters beyond ASCII, so another caller's name could come out of either.
func headerValue(claim any) (text string, ok bool) {
	text, isText := claim.(string)
	if !isText && claim != nil {
		encoded, err := json.Marshal(claim)
		if err != nil {
			return "", false
		}
		text = string(encoded)
	}
	unprintable := func(c rune) bool { return c < ' ' || c > '~' }
	return text, text != "" && text == strings.TrimSpace(text) && !strings.ContainsFunc(text, unprintable)
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
	cleanRequest(p.Out.Header, upstream.ClaimHeaders)
	tellClaims(p.Out.Header, upstream.ClaimHeaders, x.request.Principal.Claim)
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
