package gate_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// No spelling of a header, and no Connection header, may decide who the server believes is asking.
func TestClaimHeadersAreTheGatesAlone(t *testing.T) {
	seen := make(chan http.Header, 1)
	s := prepareSite(t, serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header.Clone() }))
	s.config.Upstream.ClaimHeaders = []gateapi.ClaimHeader{
		{Header: "X-User", Claim: "sub"}, {Header: "X-Scopes", Claim: "scope"}, {Header: "X-Audience", Claim: "aud"}, {Header: "X-Email", Claim: "email"},
		{Header: "X-Expires", Claim: "exp"},
	}
	s.writeConfig()
	s.start()
	s.template.Scope = "read write"
	for name, forged := range map[string]string{
		"nothing":            "",
		"the same names":     "X-User: admin\r\nX-Scopes: all\r\nX-Email: admin@example\r\n",
		"twice":              "X-User: admin\r\nX-User: admin\r\n",
		"other spellings":    "X_User: admin\r\nx_user: admin\r\nX_Scopes: all\r\nX.Email: admin@example\r\nX~User: admin\r\n",
		"to be removed":      "Connection: X-User, X-Scopes, close\r\nX-User: admin\r\n",
		"to be removed, odd": "Connection: x-user\r\nConnection: X_User\r\nX_User: admin\r\nProxy-Connection: X-User\r\nKeep-Alive: X-User\r\n",
		"as a trailer":       "Trailer: X-User\r\nTe: trailers\r\n",
	} {
		got := s.raw("POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + s.token() + "\r\nMcp-Param-a_b: kept\r\n" +
			forged + "Content-Length: 2\r\n\r\n{}")
		if got.status != 200 {
			t.Fatalf("%s: %d %s", name, got.status, got.body)
		}
		header := <-seen
		for want, value := range map[string]string{"X-User": "someone", "X-Scopes": "read write", "X-Email": "", "Mcp-Param-A_b": "kept", "Authorization": ""} {
			if text := strings.Join(header[want], ", "); text != value {
				t.Errorf("%s: %s: got %q, want %q", name, want, text, value)
			}
		}
		if !strings.Contains(header.Get("X-Audience"), "urn:gatehouse:test") || strings.ContainsAny(header.Get("X-Expires"), ".eE") {
			t.Errorf("%s: %v", name, header)
		}
		for key, values := range header {
			if strings.Contains(strings.Join(values, ","), "admin") {
				t.Errorf("%s: the server sees %s: %q", name, key, values)
			}
		}
	}
	chunked := s.raw("POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + s.token() +
		"\r\nTransfer-Encoding: chunked\r\nTrailer: X-User\r\n\r\n2\r\n{}\r\n0\r\nX-User: admin\r\n\r\n")
	if header := <-seen; chunked.status != 200 || header.Get("X-User") != "someone" || header.Get("Trailer") != "" {
		t.Errorf("a trailer: %d, the server sees %v", chunked.status, header)
	}
}

// What the server sets for the transport, or in the gate's name, does not reach the client.
func TestWhatTheClientSees(t *testing.T) {
	s := newSite(t, serveRaw(t, func(conn *net.TCPConn) {
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: X-Named\r\nX-Named: 1\r\nKeep-Alive: 1\r\nProxy-Authenticate: 1\r\n"+
			"Gatehouse-Reason: expired\r\ngatehouse-x: 1\r\nAlt-Svc: 1\r\nPublic-Key-Pins: 1\r\nPublic-Key-Pins-Report-Only: 1\r\nUpgrade: h2c\r\n"+
			"X-Accel-Buffering: no\r\nContent-Length: 2\r\n\r\nok")
	}))
	got := s.post(s.token())
	if got.body != "ok" || len(got.header) != 4 || got.header.Get("X-Request-Id") == "" || got.header.Get("X-Accel-Buffering") != "no" {
		t.Errorf("want Content-Length, Date, X-Accel-Buffering and the gate's X-Request-Id: %v", got.header)
	}
}
