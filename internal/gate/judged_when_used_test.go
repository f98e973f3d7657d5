package gate_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// slowRequest sends the header of a POST and all of its body but the end, and returns what sends the end and reads the
// answer.
func (s *site) slowRequest(bearer string, length int, framing string) (finish func() *http.Response) {
	s.t.Helper()
	conn, err := new(net.Dialer).DialContext(s.t.Context(), "tcp", s.clients)
	must(s.t, err)
	s.t.Cleanup(func() { conn.Close() })
	must(s.t, conn.SetDeadline(time.Now().Add(patience)))
	body := ping + strings.Repeat(" ", length-len(ping))
	head := "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer " + bearer + "\r\n"
	begin, end := body[:len(body)-2], body[len(body)-2:]
	if framing == "chunked" {
		begin, end = fmt.Sprintf("%x\r\n%s\r\n", len(begin), begin), fmt.Sprintf("2\r\n%s\r\n0\r\n\r\n", end)
		head += "Transfer-Encoding: chunked\r\n\r\n"
	} else {
		head += fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body))
	}
	_, err = io.WriteString(conn, head+begin)
	must(s.t, err)
	return func() *http.Response {
		s.t.Helper()
		_, _ = io.WriteString(conn, end) // The gate may have answered already.
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		must(s.t, err)
		response.Body.Close()
		return response
	}
}

// A token acts no more once it has expired or was revoked, or its key is gone, however early its request began.
func TestTokenThatEndsWhileItsBodyComes_IsRefusedAtUse(t *testing.T) {
	const short, long = 1 << 10, 200 << 10 // read before it is forwarded, and forwarded as it comes
	for _, length := range []int{short, long} {
		for _, framing := range []string{"length", "chunked"} {
			for _, rules := range []bool{false, true} {
				for ending, want := range map[string]string{"expired": "expired", "revoked": "revoked", "key removed": "unknown_key"} {
					t.Run(fmt.Sprintf("%d bytes, %s, rules %t, %s", length, framing, rules, ending), func(t *testing.T) {
						t.Parallel()
						testEnding(t, length, framing, rules, ending, want)
					})
				}
			}
		}
	}
}

func testEnding(t *testing.T, length int, framing string, rules bool, ending, want string) {
	t.Helper()
	var whole atomic.Int32
	s := prepareSite(t, serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err == nil {
			whole.Add(1)
		}
		w.WriteHeader(http.StatusOK)
	}))
	if rules {
		s.config.Authorization = gateapi.Authorization{Rules: []gateapi.Rule{{Methods: []string{"ping"}}}}
		s.writeConfig()
	}
	clock := &fakeClock{now: time.Now()}
	s.start(withClock(clock))
	finish := s.slowRequest(s.token(), length, framing)
	s.eventually("the request is in progress", func() bool {
		return strings.Contains(s.adminGet("/metrics").body, "gatehouse_gate_requests_in_flight 1")
	})
	switch ending {
	case "expired":
		clock.advance(24 * time.Hour)
	case "revoked":
		s.write(s.dirs.keys, gateapi.RevokedFile, []byte("sub:"+s.template.Subject+"\n"))
	case "key removed":
		s.writeKeys(newKey(t).Public())
	}
	if ending != "expired" {
		s.eventually("the gate knows", func() bool { return s.post(s.token()).status != 200 })
		whole.Store(0)
	}
	response := finish()
	if got := response.Header.Get("Gatehouse-Reason"); got != want {
		t.Errorf("got %d %q, want %q", response.StatusCode, got, want)
	}
	if n := whole.Load(); n != 0 {
		t.Errorf("the server got %d whole requests", n)
	}
}
