package forward

import (
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/bearer"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
)

// untrusted names request headers that do not reach the server, in lower case. Each tells something that the client
// must not decide (where it comes from, which method or URL is meant), or belongs to the connection, or to the gate.
var untrusted = map[string]bool{
	// A twin of the credentials in another spelling is never the one that was judged.
	"authorization": true,
	"connection":    true, "cookie": true, "expect": true, "forwarded": true, "keep-alive": true, "origin": true, "te": true, "trailer": true,
	"transfer-encoding": true, "upgrade": true, "http2-settings": true, "via": true, "x-real-ip": true, "x-client-ip": true, "true-client-ip": true,
	"x-http-method": true, "x-http-method-override": true, "x-method-override": true, "x-rewrite-url": true,
}

var untrustedPrefixes = []string{"gatehouse-", "proxy", "x-forwarded-", "x-original-", "x-envoy-"}

// isUntrusted treats "_" like "-": CGI and WSGI servers do not tell them apart.
func isUntrusted(name string) bool {
	const longest = 32 // of what is looked for
	var folded [longest]byte
	begin := folded[:copy(folded[:], name)]
	for i, c := range begin {
		switch {
		case c == '_':
			begin[i] = '-'
		case 'A' <= c && c <= 'Z':
			begin[i] = c + ('a' - 'A')
		}
	}
	if untrusted[string(begin)] {
		return true
	}
	for _, prefix := range untrustedPrefixes {
		if strings.HasPrefix(string(begin), prefix) {
			return true
		}
	}
	return false
}

// outgoing makes the request that the server gets, but for its body.
func (x *exchange) outgoing() *http.Request {
	upstream := x.request.Upstream
	address := x.forwarder.address(upstream)
	target := *x.client.URL
	target.Scheme, target.Host, target.User = "http", address, nil
	target.RawQuery = bearer.WithoutToken(target.RawQuery)
	header := make(http.Header, len(x.client.Header)+len(x.client.Header)/2)
	for name, values := range x.client.Header {
		if !isUntrusted(name) {
			header[name] = values
		}
	}
	removeNamed(header, x.client.Header["Connection"])
	// Nothing from here on can be removed by a client's Connection header.
	x.sayWhere(header)
	if upstream.ForwardAuthorization {
		header["Authorization"] = x.client.Header["Authorization"]
	}
	if _, present := header["User-Agent"]; !present {
		header["User-Agent"] = []string{""} // Else net/http would add its own.
	}
	if x.request.Outgoing != nil {
		x.request.Outgoing(header)
	}
	// Servers on loopback refuse foreign names, as a defence against DNS rebinding; the client's was checked here.
	return &http.Request{
		Method: x.client.Method, URL: &target, Host: address, Header: header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
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
// section 7.6.1).
func removeNamed(header http.Header, connection []string) {
	for _, value := range connection {
		for name := range strings.SplitSeq(value, ",") {
			header.Del(strings.TrimSpace(name))
		}
	}
}

// unspeakable names response headers that a server cannot set: those of its own connection, and those that speak for the
// gate's port.
var unspeakable = map[string]bool{
	"Alt-Svc": true, "Connection": true, "Keep-Alive": true, "Public-Key-Pins": true, "Public-Key-Pins-Report-Only": true,
	"Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

var chunked = []string{"chunked"}

func isUnspeakable(name string) bool {
	return unspeakable[name] || strings.HasPrefix(name, deny.HeaderPrefix) || strings.HasPrefix(name, "Proxy-")
}

// incoming makes the header that the client gets. Names are in canonical form: net/http has read them, and what it left
// as it was is no name.
func (x *exchange) incoming(header http.Header, response *http.Response) (trailers []string) {
	for name, values := range response.Header {
		if !isUnspeakable(name) {
			header[name] = values
		}
	}
	removeNamed(header, response.Header["Connection"])
	if _, present := header["Content-Type"]; !present {
		header["Content-Type"] = nil // Else net/http would guess one.
	}
	if response.ContentLength < 0 {
		header["Transfer-Encoding"] = chunked // Else net/http would count what is short.
	}
	if x.client.ProtoAtLeast(1, 1) {
		for name := range response.Trailer {
			if !isUnspeakable(name) {
				trailers = append(trailers, name)
			}
		}
	}
	if len(trailers) > 0 {
		slices.Sort(trailers)
		header["Trailer"] = []string{strings.Join(trailers, ", ")}
	}
	if x.request.Incoming != nil {
		x.request.Incoming(response.StatusCode, header)
	}
	return trailers
}
