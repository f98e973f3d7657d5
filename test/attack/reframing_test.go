package attack

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// reframing is a gate whose server reads strictly.
type reframing struct {
	*site

	strict *strictServer
	token  string
}

func newReframing(f *testing.F, tls bool) *reframing {
	f.Helper()
	strict, server := newStrictServer(f)
	s := newSiteBefore(f, server, func(c *gateapi.Config) {
		bound(c)
		c.TLS = tls
		c.Upstream.ExtraPaths, c.Upstream.TrailingSlash = []string{"/files"}, true
		c.Upstream.ClaimHeaders = []gateapi.ClaimHeader{{Header: "X-User", Claim: "sub"}}
		c.Authorization.Rules = []gateapi.Rule{{Tools: []string{"read"}}}
	})
	return &reframing{site: s, strict: strict, token: s.mint(setClaim("exp", s.now.Add(12*time.Hour).Unix()))}
}

// judge compares what the server has read with what was judged, in order: each request there is one of these, and is one
// that the rules let pass.
func (r *reframing) judge(t *testing.T, judged []readRequest) {
	t.Helper()
	requests, problems := r.strict.take()
	for _, problem := range problems {
		t.Errorf("the server cannot read a %s", problem)
	}
	for _, seen := range requests {
		if problem := permitted(seen); problem != "" {
			t.Errorf("%s: %+v", problem, seen)
		}
		first := ""
		i := slices.IndexFunc(judged, func(j readRequest) bool {
			problem := j.differs(seen)
			if first == "" {
				first = problem
			}
			return problem == ""
		})
		if i < 0 {
			t.Fatalf("the server read what nobody judged: %s\nread   %+v\njudged %+v", first, seen, judged)
		}
		judged = judged[i+1:]
	}
}

const reads = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"read"}}`

// FuzzReframingHTTP1 has clients send any request over HTTP/1.1. What the server reads is what was judged: the gate reads by
// net/http, and so does this.
func FuzzReframingHTTP1(f *testing.F) {
	r := newReframing(f, false)
	for _, fields := range []string{
		"", "Connection: Mcp-Method\r\n", "Connection: X-Request-Id, close\r\n", "Transfer-Encoding: chunked\r\nTrailer: Mcp-Session-Id\r\n", "Mcp-Method: tools/call\r\nMcp-Name: read\r\n",
		"Content-Length: 3\r\n", "Mcp_Session_Id: x\r\n", "X-A: b\r\n\r\nGET /files HTTP/1.1\r\nHost: x\r\n", "Mcp-Param-City: a\r\nAccept: a\r\naccept: b\r\n", "Mcp-Protocol-Version: 2026-07-28\r\nMcp-Session-Id: x\r\n",
	} {
		for _, line := range []string{"POST /mcp HTTP/1.1", "GET /mcp/?a=b&access_token=x HTTP/1.1", "PUT /files?x#y HTTP/1.1", "POST http://localhost/mcp HTTP/1.1"} {
			f.Add(line, fields, reads, true)
			f.Add(line, fields, "3\r\n{} \r\n0\r\nMcp-Session-Id: x\r\n\r\n", false)
		}
	}
	f.Fuzz(func(t *testing.T, line, fields, body string, counted bool) {
		head := line + "\r\nHost: " + host + "\r\nAuthorization: Bearer " + r.token + "\r\nContent-Type: application/json\r\n" + fields
		if counted {
			head += fmt.Sprintf("Content-Length: %d\r\n", len(body))
		}
		raw := head + "\r\n" + body
		if len(raw) > 20<<10 {
			return
		}
		judged, whole := judgedOf(raw)
		r.converse(t, raw, whole)
		r.judge(t, judged)
	})
}

// converse sends a text and reads an answer to each request that is whole in it. Only then does it close its half: a client
// that does so before is taken for one that has gone.
func (r *reframing) converse(t *testing.T, raw string, methods []string) {
	t.Helper()
	conn, err := net.Dial("tcp", r.address)
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	go io.WriteString(conn, raw) //nolint:errcheck // The gate may have had enough.
	in := bufio.NewReader(conn)
	for len(methods) > 0 {
		response, err := http.ReadResponse(in, &http.Request{Method: methods[0]})
		if err == nil {
			_, err = io.Copy(io.Discard, response.Body)
		}
		if err != nil {
			return
		}
		if response.StatusCode >= http.StatusOK {
			methods = methods[1:]
		}
	}
	_ = conn.(*net.TCPConn).CloseWrite()
	_, _ = io.Copy(io.Discard, in)
}

// judgedOf are the requests that net/http finds in a text, and the methods of those that are whole.
func judgedOf(raw string) (judged []readRequest, whole []string) {
	for in := bufio.NewReader(strings.NewReader(raw)); ; {
		r, err := http.ReadRequest(in)
		if err != nil {
			return judged, whole
		}
		body, err := io.ReadAll(r.Body)
		target := r.RequestURI
		if r.URL.Host != "" {
			target = r.URL.RequestURI()
		}
		judged = append(judged, readRequest{method: r.Method, target: target, header: r.Header, body: string(body), incomplete: err != nil})
		if err != nil {
			return judged, whole
		}
		whole = append(whole, r.Method)
	}
}

// FuzzReframingHTTP2 has clients send any fields over HTTP/2. Each line of fields is a name and a value.
func FuzzReframingHTTP2(f *testing.F) {
	r := newReframing(f, true)
	for _, method := range []string{"POST", "GET", "PUT", "POST /mcp HTTP/1.1", "P OST", "CONNECT"} {
		for _, path := range []string{"/mcp", "/mcp/?a=b&access_token=x", "/files?x HTTP/1.0", "/files#x", "//mcp", "http://localhost/mcp"} {
			f.Add(method, path, host, "", reads, "")
		}
	}
	for _, fields := range []string{
		"mcp-method:tools/call\nmcp-name:read", "mcp-method:tools/call \nmcp-name: read", "mcp_session_id:x", "connection:mcp-method", "content-length:3", "te:trailers\ntrailer:mcp-session-id",
		"host:x", "x-a:b\r\nX-User: mallory", "mcp-param-city:a\nmcp-param-city:b", ":path:/admin", "transfer-encoding:chunked", "mcp-protocol-version:2026-07-28\nmcp-session-id:x",
	} {
		f.Add("POST", "/mcp", host+":80", fields, reads, "mcp-session-id:x")
	}
	f.Add("PUT", "/files", host, "", reads, "\xba") // No name of a trailer: the stream ends within the body.
	var c *connection
	var late []readRequest // A stream that was reset may have reached the server, and be read there later.
	f.Fuzz(func(t *testing.T, method, path, authority, fields, body, trailers string) {
		if len(method)+len(path)+len(authority)+len(fields)+len(body)+len(trailers) > 20<<10 {
			return
		}
		more := fieldsOf(fields)
		all := append([]field{
			{":method", method}, {":scheme", "https"}, {":path", path}, {":authority", authority}, {"authorization", "Bearer " + r.token}, {"content-type", "application/json"},
		}, more...)
		if c == nil {
			var err error
			c, err = dialHTTP2(r.address)
			must(t, err)
		}
		_, _, err := c.ask(all, body, fieldsOf(trailers))
		if err != nil && !errors.Is(err, errStreamReset) {
			c.Close()
			c = nil
		}
		header := http.Header{"Content-Type": {"application/json"}}
		for _, f := range more {
			header.Add(f.name, f.value)
		}
		late = append(late, readRequest{method: method, target: path, header: header, body: body, incomplete: err != nil})
		r.judge(t, late)
		if err == nil {
			late = late[:len(late)-1]
		}
		late = late[max(0, len(late)-4):]
	})
}

// fieldsOf reads lines of a name and a value; a name may begin with a colon.
func fieldsOf(text string) []field {
	var out []field
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" {
			continue
		}
		at := strings.IndexByte(line[1:], ':') + 1
		if at == 0 {
			at = len(line)
		}
		out = append(out, field{line[:at], strings.TrimPrefix(line[at:], ":")})
	}
	return out
}
