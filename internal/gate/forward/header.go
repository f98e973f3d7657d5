package forward

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/bearer"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// untrusted names request headers that do not reach the server, by their fold. Each tells something that the client
// must not decide (where it comes from, which method or URL is meant), or belongs to the connection, or to the gate.
var untrusted = map[string]bool{
	"connection": true, "cookie": true, "expect": true, "forwarded": true, "keep-alive": true, "origin": true, "te": true, "trailer": true,
	"upgrade": true, "http2-settings": true, "transfer-encoding": true, "via": true, "x-real-ip": true, "x-client-ip": true, "true-client-ip": true,
	"x-http-method": true, "x-http-method-override": true, "x-method-override": true, "x-rewrite-url": true,
	"x-cluster-client-ip": true, "cf-connecting-ip": true, "fastly-client-ip": true,
	"authorization": true, // It is put back where the server is to have it.
}

var untrustedPrefixes = [][]byte{
	[]byte("gatehouse-"), []byte("proxy"), []byte("x-forwarded-"), []byte("x-original-"), []byte("x-envoy-"), []byte("x-amzn-oidc-"),
}

// isTrusted tells whether a header of a request may reach the server as the client sent it. Not so: headers that are
// untrusted, those in which the gate tells of the caller, and second spellings of headers that somebody decides by.
// Mcp-Param-a_b is a name like any other.
func isTrusted(name string, claims []gateapi.ClaimHeader) bool {
	var room [64]byte
	fold := gateapi.AppendFoldedHeader(room[:0], name)
	return !gateapi.IsTwin(name) && !isUntrusted(fold) && !isClaim(fold, claims)
}

func isUntrusted(fold []byte) bool {
	return untrusted[string(fold)] ||
		slices.ContainsFunc(untrustedPrefixes, func(prefix []byte) bool { return bytes.HasPrefix(fold, prefix) })
}

func isClaim(fold []byte, claims []gateapi.ClaimHeader) bool {
	return slices.ContainsFunc(claims, func(c gateapi.ClaimHeader) bool {
		var room [64]byte
		return bytes.Equal(gateapi.AppendFoldedHeader(room[:0], c.Header), fold)
	})
}

// outgoing makes the request that the server gets, but for its body.
func (x *exchange) outgoing() *http.Request {
	upstream := x.request.Upstream
	address := x.forwarder.address(upstream)
	header := make(http.Header, len(x.client.Header))
	for name, values := range x.client.Header {
		if isTrusted(name, upstream.ClaimHeaders) {
			header[name] = values
		}
	}
	removeNamed(header, x.client.Header["Connection"])
	// Nothing from here on can be removed by a client's Connection header.
	if !x.request.Principal.ByProbeKey() {
		setClaimHeaders(header, upstream.ClaimHeaders, x.request.Principal.Claim)
	}
	x.sayWhere(header)
	if upstream.ForwardAuthorization && !x.request.Principal.ByProbeKey() {
		header["Authorization"] = x.client.Header["Authorization"]
	}
	if _, present := header["User-Agent"]; !present {
		header["User-Agent"] = []string{""} // Else net/http would add its own.
	}
	// Servers on loopback refuse foreign names, as a defence against DNS rebinding; the client's was checked here.
	return &http.Request{
		Method: x.client.Method, URL: x.target(address), Host: address, Header: header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
}

// target is the URL that the server is asked for: nothing of the client's but its path and its query.
func (x *exchange) target(address string) *url.URL {
	in := x.client.URL
	out := &url.URL{
		Scheme: "http", Host: address, Path: in.Path, RawPath: in.RawPath, RawQuery: bearer.WithoutToken(in.RawQuery), ForceQuery: in.ForceQuery,
	}
	if path := in.EscapedPath(); x.request.Upstream.Forwarded(path) != path {
		out.Path, out.RawPath = strings.TrimSuffix(in.Path, "/"), strings.TrimSuffix(in.RawPath, "/")
	}
	return out
}

// setClaimHeaders tells the server who is asking. It must come behind the removal of what the client's Connection header
// names, so that no client can take these headers away.
func setClaimHeaders(header http.Header, claims []gateapi.ClaimHeader, claim func(name string) (any, bool)) {
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

// sayWhere tells the server where the request came from and to.
func (x *exchange) sayWhere(header http.Header) {
	values := [3]string{"", x.client.Host, "http"}
	if x.client.TLS != nil {
		values[2] = "https"
	}
	if remote, _, err := net.SplitHostPort(x.client.RemoteAddr); err == nil {
		values[0] = remote
		header["X-Forwarded-For"] = values[0:1:1]
	}
	header["X-Forwarded-Host"], header["X-Forwarded-Proto"] = values[1:2:2], values[2:3:3]
}

// removeNamed removes the headers that belong to the connection because a Connection header says so (RFC 9110
// section 7.6.1). What belongs to the message stays, whoever names it: a client that does is refused by package requestcheck,
// and a server would take from its answer what its client needs.
func removeNamed(header http.Header, connection []string) {
	for _, value := range connection {
		for option := range strings.SplitSeq(value, ",") {
			var room [64]byte
			name := strings.Trim(option, " \t")
			if !gateapi.IsOfMessage(gateapi.AppendFoldedHeader(room[:0], name)) {
				header.Del(name)
			}
		}
	}
}
