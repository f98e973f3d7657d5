package forward

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
)

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

// cleanAnswer removes what the server must not tell the client. Names are in canonical form: net/http has read them, and
// what it leaves as it was is no name.
func cleanAnswer(response *http.Response) {
	removeNamed(response.Header, response.Header["Connection"])
	for name := range response.Header {
		if isUnspeakable(name) {
			delete(response.Header, name)
		}
	}
	for name := range response.Trailer {
		if isUnspeakable(name) {
			delete(response.Trailer, name)
		}
	}
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
