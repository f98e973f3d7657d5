package gate_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// raw sends bytes as they are and reads one answer.
func (s *site) raw(text string) answer {
	s.t.Helper()
	return s.rawAsked(http.MethodPost, text)
}

// rawAsked is raw for a method whose answer is framed by it.
func (s *site) rawAsked(method, text string) answer {
	s.t.Helper()
	conn, err := new(net.Dialer).DialContext(s.t.Context(), "tcp", s.clients)
	must(s.t, err)
	defer conn.Close()
	must(s.t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, text)
	must(s.t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	must(s.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(s.t, err)
	got := answer{status: response.StatusCode, header: response.Header, body: string(body), closes: response.Close}
	return got
}

func TestSurfaceOnTheWire(t *testing.T) {
	s := newSite(t, serveHTTP(t, echo))
	good, body := "Authorization: Bearer "+s.token()+"\r\n", "Content-Length: 2\r\n\r\n{}"
	for name, c := range map[string]struct {
		request string
		status  int
		reason  string
	}{
		"plain":                        {"POST /mcp HTTP/1.1\r\nHost: localhost\r\n" + good + body, 200, ""},
		"HTTP/1.0":                     {"POST /mcp HTTP/1.0\r\nHost: localhost\r\n" + good + body, 200, ""},
		"HTTP/1.0 without Host":        {"POST /mcp HTTP/1.0\r\n" + good + body, 421, "wrong_host"},
		"allowed host":                 {"POST /mcp HTTP/1.1\r\nHost: Weather.Tools.SVC.:8080\r\n" + good + body, 200, ""},
		"IPv6 host":                    {"POST /mcp HTTP/1.1\r\nHost: [::1]:8080\r\n" + good + body, 200, ""},
		"foreign host":                 {"POST /mcp HTTP/1.1\r\nHost: evil.example\r\n" + good + body, 421, "wrong_host"},
		"absolute target, our host":    {"POST http://localhost/mcp HTTP/1.1\r\nHost: x\r\n" + good + body, 200, ""},
		"absolute target, other host":  {"POST http://evil.example/mcp HTTP/1.1\r\nHost: localhost\r\n" + good + body, 400, "bad_target"},
		"foreign origin":               {"POST /mcp HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n" + good + body, 403, "wrong_origin"},
		"own origin":                   {"POST /mcp HTTP/1.1\r\nHost: localhost:1\r\nOrigin: http://localhost:1\r\n" + good + body, 200, ""},
		"origin null":                  {"POST /mcp HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n" + good + body, 403, "wrong_origin"},
		"two tokens, good first":       {"POST /mcp HTTP/1.1\r\nHost: localhost\r\n" + good + "Authorization: Bearer x\r\n" + body, 400, "ambiguous_header"},
		"two tokens, good last":        {"POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n" + good + body, 400, "ambiguous_header"},
		"two sessions":                 {"POST /mcp HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: a\r\nMcp-Session-Id: b\r\n" + good + body, 400, "ambiguous_header"},
		"two content types":            {"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n" + good + body, 400, "ambiguous_header"},
		"scheme in other case":         {"POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: bEARER   " + s.token() + "\r\n" + body, 200, ""},
		"another scheme":               {"POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic YTpi\r\n" + body, 401, "missing_token"},
		"token in the query":           {"POST /mcp?access_token=" + s.token() + " HTTP/1.1\r\nHost: localhost\r\n" + body, 401, "missing_token"},
		"other path without token":     {"GET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n", 401, "missing_token"},
		"other path with token":        {"GET /admin HTTP/1.1\r\nHost: localhost\r\n" + good + "\r\n", 404, "unknown_path"},
		"path in other case":           {"GET /MCP HTTP/1.1\r\nHost: localhost\r\n" + good + "\r\n", 404, "unknown_path"},
		"path with a slash behind":     {"GET /mcp/ HTTP/1.1\r\nHost: localhost\r\n" + good + "\r\n", 404, "unknown_path"},
		"encoded letter":               {"GET /mc%70 HTTP/1.1\r\nHost: localhost\r\n" + good + "\r\n", 404, "unknown_path"},
		"dot segments":                 {"GET /x/../mcp HTTP/1.1\r\nHost: localhost\r\n" + good + "\r\n", 400, "bad_target"},
		"encoded dot segments":         {"GET /x/%2E%2e/mcp HTTP/1.1\r\nHost: localhost\r\n" + good + "\r\n", 400, "bad_target"},
		"double slash":                 {"GET //mcp HTTP/1.1\r\nHost: localhost\r\n" + good + "\r\n", 400, "bad_target"},
		"encoded slash":                {"GET /mcp%2f HTTP/1.1\r\nHost: localhost\r\n" + good + "\r\n", 400, "bad_target"},
		"semicolon":                    {"GET /mcp;x HTTP/1.1\r\nHost: localhost\r\n" + good + "\r\n", 400, "bad_target"},
		"star":                         {"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n" + good + "\r\n", 400, "bad_target"},
		"CONNECT":                      {"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n" + good + "\r\n", 400, "bad_target"},
		"TRACE":                        {"TRACE /mcp HTTP/1.1\r\nHost: localhost\r\n" + good + "\r\n", 400, "bad_target"},
		"OPTIONS without token":        {"OPTIONS /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n", 401, "missing_token"},
		"PUT with token":               {"PUT /mcp HTTP/1.1\r\nHost: localhost\r\n" + good + body, 405, "unknown_method"},
		"declared body too large":      {"POST /mcp HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 4194305\r\n" + good + "\r\n", 413, "body_too_large"},
		"refused without 100-continue": {"POST /mcp HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n", 401, "missing_token"},
		"upgrade is not passed on":     {"GET /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + good + "\r\n", 200, ""},
		"broken chunks": {"POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n" + good + "\r\nzz\r\n",
			400, "bad_body"},
	} {
		got := s.raw(c.request)
		if got.status != c.status || got.header.Get("Gatehouse-Reason") != c.reason {
			t.Errorf("%s: got %d %q, want %d %q: %s", name, got.status, got.header.Get("Gatehouse-Reason"), c.status, c.reason, got.body)
		}
		if got.status >= 400 && (got.header.Get("Cache-Control") != "no-store" || got.header.Get("Content-Type") != "application/json") {
			t.Errorf("%s: header %v", name, got.header)
		}
		if challenge := got.header.Get("WWW-Authenticate"); (got.status == 401) != strings.HasPrefix(challenge, "Bearer ") && !strings.HasPrefix(name, "two tokens") {
			t.Errorf("%s: status %d with challenge %q", name, got.status, challenge)
		}
		if allow := got.header.Get("Allow"); (got.status == 405) != (allow == "GET, POST, DELETE") {
			t.Errorf("%s: status %d with Allow %q", name, got.status, allow)
		}
	}
	if strings.Contains(s.log.String(), "access_token") || strings.Contains(s.log.String(), s.token()[:40]) {
		t.Error("the log holds a token or a query")
	}
}

func TestHeaderTooLarge(t *testing.T) {
	s := newSite(t, serveHTTP(t, echo))
	if got := s.raw("POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Large: " + strings.Repeat("x", 40<<10) + "\r\n\r\n"); got.status != 431 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestWhatTheServerSees(t *testing.T) {
	var seen *http.Request
	upstream := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.Clone(r.Context())
		w.Header().Set("Gatehouse-Anything", "forged")
		w.Header().Set("Alt-Svc", `h3=":443"`)
		w.Header().Set("Mcp-Session-Id", "s1")
	})
	send := func(s *site) answer {
		r := s.request(http.MethodPost, "/mcp?a=1&access_token=secret&%61ccess_token=x&b=2;access_token=y&c=%20", s.token(), strings.NewReader(ping))
		r.Host = "weather.tools.svc"
		for name, value := range map[string]string{
			"Origin": "", "Forwarded": "for=1.2.3.4", "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Host": "evil", "X-Real-Ip": "1.2.3.4",
			"X-Original-Url": "/admin", "X-Http-Method-Override": "DELETE", "Gatehouse-Subject": "admin", "Cookie": "a=b",
			"Connection": "X-Drop, X-Forwarded-Proto", "X-Drop": "1", "Te": "trailers", "X_forwarded_for": "6.6.6.6",
			"Mcp-Session-Id": "s1", "Mcp-Param-a_b": "kept", "Last-Event-Id": "7", "Accept": "text/event-stream",
		} {
			if value != "" {
				r.Header[name] = []string{value}
			}
		}
		return s.do(r)
	}
	s := newSite(t, upstream)
	got := send(s)
	if got.status != 200 || got.header.Get("Gatehouse-Anything") != "" || got.header.Get("Alt-Svc") != "" || got.header.Get("Mcp-Session-Id") != "s1" {
		t.Errorf("answer: %d %v", got.status, got.header)
	}
	if want := fmt.Sprintf("127.0.0.1:%d", s.config.Upstream.Port); seen.Host != want {
		t.Errorf("Host: got %q, want %q", seen.Host, want)
	}
	if seen.URL.RawQuery != "a=1&c=%20" {
		t.Errorf("query: got %q", seen.URL.RawQuery)
	}
	for name, want := range map[string]string{
		"Authorization": "", "Forwarded": "", "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "weather.tools.svc",
		"X-Forwarded-Proto": "http", "X-Real-Ip": "", "X-Original-Url": "", "X-Http-Method-Override": "", "Gatehouse-Subject": "",
		"Cookie": "", "X-Drop": "", "Te": "", "X_forwarded_for": "", "Mcp-Session-Id": "s1", "Mcp-Param-A_b": "kept", "Last-Event-Id": "7",
		"Accept": "text/event-stream", "Accept-Encoding": "", "Connection": "",
	} {
		if got := strings.Join(seen.Header[name], ", "); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	s.config.Upstream.ForwardAuthorization = true
	s.writeConfig()
	s.eventually("the token is forwarded", func() bool {
		send(s)
		return strings.HasPrefix(seen.Header.Get("Authorization"), "Bearer ey")
	})
}

// postAllThenRead is a client that reads nothing until it has sent everything.
func (s *site) postAllThenRead(size int, header string) *http.Response {
	s.t.Helper()
	conn, err := new(net.Dialer).DialContext(s.t.Context(), "tcp", s.clients)
	must(s.t, err)
	s.t.Cleanup(func() { conn.Close() })
	must(s.t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n%s\r\n%s", size, header, ping)
	must(s.t, err)
	block := make([]byte, 1<<20)
	for sent := len(ping); sent < size; {
		n, err := conn.Write(block[:min(len(block), size-sent)])
		if err != nil {
			s.t.Fatalf("after %d of %d bytes: %v", sent, size, err)
		}
		sent += n
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(s.t, err)
	s.t.Cleanup(func() { response.Body.Close() })
	return response
}

// The client must see the refusal, not a reset; the server must see nothing.
func TestRefusalIsSeenBehindALargeBody(t *testing.T) {
	s := newSite(t, serveRaw(t, func(conn *net.TCPConn) { t.Error("the server was bothered"); reset(conn) }))
	for want, header := range map[int]string{401: "", 413: "Authorization: Bearer " + s.token() + "\r\n"} {
		if got := s.postAllThenRead(32<<20, header); got.StatusCode != want {
			t.Errorf("got %d, want %d", got.StatusCode, want)
		}
	}
}

// The server must not act on the start of a body whose end is refused.
func TestChunkedBodyOverTheLimit(t *testing.T) {
	complete := make(chan bool, 1)
	s := newSite(t, serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		complete <- err == nil
	}))
	r := s.request(http.MethodPost, "/mcp", s.token(), io.MultiReader(strings.NewReader(ping), strings.NewReader(strings.Repeat(" ", 5<<20))))
	if got := s.do(r); got.status != 413 || string(got.ID) != "7" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if <-complete {
		t.Error("the server took the body for complete")
	}
}

func TestUpgradeIsNotPassedOn(t *testing.T) {
	seen := make(chan http.Header, 1)
	s := newSite(t, serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header }))
	for _, protocol := range []string{"websocket", "h2c"} {
		s.raw("GET /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: " + protocol +
			"\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nAuthorization: Bearer " + s.token() + "\r\n\r\n")
		got := <-seen
		if got.Get("Connection") != "" || got.Get("Upgrade") != "" || got.Get("Http2-Settings") != "" {
			t.Errorf("%s: the server saw %v", protocol, got)
		}
	}
}
