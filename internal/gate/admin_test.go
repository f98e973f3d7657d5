package gate_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// sendRaw sends bytes to a port of the gate, and reads what comes back until the connection ends.
func sendRaw(t *testing.T, address, raw string) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, raw)
	must(t, err)
	must(t, conn.(*net.TCPConn).CloseWrite())
	if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%.40q: %v", raw, err)
	}
}

// No request on either port makes the gate believe that its pod is ending: not its streams, its answers, its state.
func TestNoRequestEndsTheStreams(t *testing.T) {
	s := prepareSite(t, serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/mcp" {
			t.Errorf("the server gets %s", r.URL)
		}
		if r.Method == http.MethodGet {
			streamer(sseEvent)(w, r)
			return
		}
		echo(w, r)
	}))
	s.config.Drain = gateapi.Drain{EndpointSeconds: 0, RequestSeconds: 1}
	s.writeConfig()
	s.start()
	listening := s.openStream(http.MethodGet)
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, listening.Body)
		ended <- err
	}()
	for name, raw := range endings(s.token()) {
		before := s.log.String()
		sendRaw(t, s.admin, raw)
		sendRaw(t, s.clients, raw)
		state, err := s.state(podUID)
		must(t, err)
		if told := strings.TrimPrefix(s.log.String(), before); state.Terminating || strings.Contains(told, "terminating") {
			t.Errorf("%s: the gate believes that its pod is ending", name)
		}
	}
	if got := s.raw("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"); got.status != http.StatusUnauthorized || got.closes {
		t.Errorf("a new request gets %d, and its connection is closed: %v", got.status, got.closes)
	}
	select {
	case err := <-ended:
		t.Errorf("the stream has ended: %v", err)
	default:
	}
}

// endings are requests by which somebody may try to end a pod's streams.
func endings(token string) map[string]string {
	out := map[string]string{}
	plain := func(line string, fields ...string) string {
		return strings.Join(append([]string{line, "Host: localhost"}, fields...), "\r\n") + "\r\n\r\n"
	}
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE", "TERMINATE", "get"} {
		out[method] = plain(method+" /terminate HTTP/1.1", "Content-Length: 0")
	}
	for _, path := range []string{
		"/terminate/", "//terminate", "/./terminate", "/x/../terminate", "/%74erminate", "/TERMINATE", "/terminate?pod=" + podUID, "/terminate%00",
		"/livez/../terminate", "/drain", "/quit", "/shutdown", "/-/quit", "/-/reload", "/debug/pprof/cmdline", "/state/terminate",
	} {
		out["path "+path] = plain("GET " + path + " HTTP/1.1")
	}
	out["with a client's token"] = plain("GET /terminate HTTP/1.1", "Authorization: Bearer "+token)
	out["absolute form"] = plain("GET http://127.0.0.1:9090/terminate HTTP/1.1")
	out["absolute form with a token"] = plain("GET http://127.0.0.1:9090/terminate HTTP/1.1", "Authorization: Bearer "+token)
	out["CONNECT"] = plain("CONNECT 127.0.0.1:9090 HTTP/1.1") + plain("GET /terminate HTTP/1.1")
	out["HTTP/1.0"] = "GET /terminate HTTP/1.0\r\n\r\n"
	out["HTTP/0.9"] = "GET /terminate\r\n\r\n"
	out["HTTP/2 without TLS"] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	out["upgrade to HTTP/2"] = plain("GET /terminate HTTP/1.1", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
	out["pipelined behind a probe"] = plain("GET /livez HTTP/1.1") + plain("GET /terminate HTTP/1.1") + plain("GET /livez HTTP/1.1")
	out["in the body of a probe"] = plain("GET /livez HTTP/1.1", fmt.Sprint("Content-Length: ", len(plain("GET /terminate HTTP/1.1")))) + plain("GET /terminate HTTP/1.1")
	out["in the chunks of a client's request"] = plain("POST /mcp HTTP/1.1", "Authorization: Bearer "+token, "Transfer-Encoding: chunked", "Content-Length: 5") + "0\r\n\r\n" + plain("GET /terminate HTTP/1.1")
	out["method in a header"] = plain("POST /livez HTTP/1.1", "X-HTTP-Method-Override: GET", "X-Original-URL: /terminate", "X-Rewrite-URL: /terminate", "Content-Length: 0")
	out["page of another origin"] = plain("GET /terminate HTTP/1.1", "Origin: https://evil.example", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors")
	out["page that gave its name our address"] = "GET /terminate HTTP/1.1\r\nHost: evil.example:9090\r\nSec-Fetch-Site: same-origin\r\n\r\n"
	out["form of a page"] = plain("POST /terminate HTTP/1.1", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 7") + "end=now"
	out["made-up proof"] = plain("GET /terminate HTTP/1.1", "Gatehouse-Proof: 1.1795435200.AAAAAAAAAAAAAAAAAAAAAA.AAAA")
	return out
}

// What comes to the admin port slowly, or is large, ends.
func TestAdminPortEndsWhatIsSlowOrLarge(t *testing.T) {
	t.Parallel()
	s := newSite(t, serveHTTP(t, echo))
	for name, c := range map[string]struct {
		raw    string
		status int
	}{
		"header that is never finished": {"GET /livez HTTP/1.1\r\nHost: x\r\nX: ", 0},
		"body that is never finished":   {"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx", 200},
		"large header":                  {"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 16<<10) + "\r\n\r\n", 431},
		"nothing at all":                {"", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.admin)
			must(t, err)
			defer conn.Close()
			must(t, conn.SetDeadline(time.Now().Add(patience)))
			_, err = io.WriteString(conn, c.raw)
			must(t, err)
			in := bufio.NewReader(conn)
			if c.status != 0 {
				response, err := http.ReadResponse(in, nil)
				must(t, err)
				if response.StatusCode != c.status {
					t.Errorf("got %d, want %d", response.StatusCode, c.status)
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
			if _, err := io.Copy(io.Discard, in); err != nil && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the connection stays open: %v", err)
			}
		})
	}
}
