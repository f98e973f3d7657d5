package forward

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// treatment is what becomes of a header of an answer.
type treatment uint8

const (
	// unspeakable: a server cannot set it. It is of the server's own connection, or speaks for the gate's port.
	unspeakable treatment = 1 << iota
	// refers: it holds references, in which no address of the pod may be.
	refers
	// refersWhole: likewise, and they have to be whole URLs.
	refersWhole
	// single: of several the first counts, which is the one that the gate has read.
	single
)

// treated are those that do not pass as they are.
var treated = map[string]treatment{
	"Alt-Svc": unspeakable, "Connection": unspeakable, "Keep-Alive": unspeakable, "Public-Key-Pins": unspeakable,
	"Public-Key-Pins-Report-Only": unspeakable, "Te": unspeakable, "Trailer": unspeakable, "Transfer-Encoding": unspeakable,
	"Upgrade": unspeakable,

	"Location": refers | single, "Content-Location": refers | single, "Refresh": refers | single, "Link": refers,
	"Uri": refers, "Content-Base": refers | single, "Sourcemap": refers | single, "X-Sourcemap": refers | single,
	"Www-Authenticate": refersWhole, "Authentication-Info": refersWhole, "Reporting-Endpoints": refersWhole,
	"Report-To": refersWhole, "Nel": refersWhole,

	"Content-Type": single, "Mcp-Protocol-Version": single,
}

var chunked = []string{"chunked"}

func isUnspeakable(name string, how treatment) bool {
	return how&unspeakable != 0 || strings.HasPrefix(name, deny.HeaderPrefix) || strings.HasPrefix(name, "Proxy-") ||
		gateapi.IsTwin(name)
}

// cleanAnswer removes what the server must not tell the client, and leads its references out of the pod. Names are in
// canonical form: net/http has read them, and what it leaves as it was is no name.
func (x *exchange) cleanAnswer(response *http.Response) {
	header := response.Header
	removeNamed(header, header["Connection"])
	for name, values := range header {
		how := treated[name]
		if isUnspeakable(name, how) {
			delete(header, name)
			continue
		}
		if how&single != 0 && len(values) > 1 {
			header[name] = values[:1]
		}
		if how&(refers|refersWhole) != 0 {
			x.leadOut(header, name, how&refers != 0)
		}
	}
	for name := range response.Trailer {
		if isUnspeakable(name, treated[name]) || !mayTrail(name) {
			delete(response.Trailer, name)
		}
	}
}

// leadOut keeps addresses of the pod from clients. A value that names something else in the pod than the server is left
// out, and the rest of the answer stays: it is true without.
func (x *exchange) leadOut(header http.Header, name string, relative bool) {
	o := outward{inside: x.forwarder.inside, host: x.client.Host, scheme: "http"}
	o.inside.port = portOf(x.request.Upstream)
	if x.client.TLS != nil {
		o.scheme = "https"
	}
	kept := header[name][:0]
	for _, value := range header[name] {
		if rewritten, ok := o.rewrite(value, relative); ok {
			kept = append(kept, rewritten)
		}
	}
	if header[name] = kept; len(kept) == 0 {
		delete(header, name)
	}
}

// headOnly are headers that say how to read an answer, where to go, or who may (RFC 9110 section 6.5.1). Behind the body
// nobody looks for them, and the gate would not have seen them in time.
var headOnly = map[string]bool{
	"age": true, "allow": true, "authentication-info": true, "cache-control": true, "clear-site-data": true, "content-disposition": true,
	"content-range": true, "content-security-policy": true, "date": true, "expires": true, "pragma": true, "retry-after": true, "set-cookie": true,
	"strict-transport-security": true, "vary": true, "warning": true, "www-authenticate": true,
}

// mayTrail reports whether a header may come behind the body: not if it is protected, belongs to the message's head, or
// would have been treated there.
func mayTrail(name string) bool {
	var room [64]byte
	fold := gateapi.AppendFoldedHeader(room[:0], name)
	return treated[name] == 0 && !headOnly[string(fold)] && !gateapi.IsProtectedFold(fold) && !gateapi.IsOfMessage(fold) &&
		!strings.HasPrefix(string(fold), "access-control-")
}

// writeHead begins the answer to the client, and gives the names of the trailers that it announces.
func (x *exchange) writeHead(response *http.Response) (trailers []string) {
	header := x.writer.Header()
	maps.Copy(header, response.Header)
	if _, present := header["Content-Type"]; !present {
		header["Content-Type"] = nil // Else net/http would guess one.
	}
	if response.ContentLength < 0 && x.client.ProtoMajor == 1 {
		header["Transfer-Encoding"] = chunked // Else net/http would count what is short.
	}
	if len(response.Trailer) > 0 && x.client.ProtoAtLeast(1, 1) {
		trailers = slices.Sorted(maps.Keys(response.Trailer))
		header["Trailer"] = []string{strings.Join(trailers, ", ")}
	}
	x.writer.WriteHeader(response.StatusCode)
	return trailers
}
