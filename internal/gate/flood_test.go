package gate_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// floodSite has a small budget, and believes us where requests come from.
func floodSite(t *testing.T, believes bool) *site {
	t.Helper()
	s := prepareSite(t, serveHTTP(t, echo))
	s.config.Limits.FailuresPerSecond, s.config.Limits.FailureBurst = 1, 10
	if believes {
		s.config.Limits.ClientIP = gateapi.ClientIP{TrustedProxies: []string{"127.0.0.0/8"}, Header: "X-Forwarded-For"}
	}
	s.writeConfig()
	s.start()
	return s
}

// floodFrom sends bad tokens with new signatures on several connections until stop is closed, and counts the answers.
func (s *site) floodFrom(address string, stop <-chan struct{}) (wait func() map[int]int) {
	var mu sync.Mutex
	answers := map[int]int{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			conn, err := new(net.Dialer).DialContext(s.t.Context(), "tcp", s.clients)
			if err != nil {
				s.t.Error(err)
				return
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(patience))
			reader := bufio.NewReader(conn)
			for {
				select {
				case <-stop:
					return
				default:
				}
				fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: %s\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s",
					address, s.forged(), len(ping), ping)
				response, err := http.ReadResponse(reader, nil)
				if err != nil {
					s.t.Errorf("a flood is answered, too: %v", err)
					return
				}
				body, _ := io.ReadAll(response.Body)
				response.Body.Close()
				mu.Lock()
				answers[response.StatusCode]++
				mu.Unlock()
				if response.Header.Get("WWW-Authenticate") == "" || !strings.Contains(string(body), `"id":7`) {
					s.t.Errorf("%d: %v %s", response.StatusCode, response.Header, body)
				}
			}
		})
	}
	return func() map[int]int {
		all.Wait()
		return answers
	}
}

func (s *site) postFrom(address, bearer string) answer {
	s.t.Helper()
	r := s.request(http.MethodPost, "/mcp", bearer, strings.NewReader(ping))
	r.Header.Set("X-Forwarded-For", address)
	return s.do(r)
}

func TestGoodTokensPassDuringAFlood(t *testing.T) {
	s := floodSite(t, true)
	const attacker = "9.9.9.9"
	known := s.token()
	s.postFrom(attacker, known)
	stop := make(chan struct{})
	wait := s.floodFrom(attacker, stop)
	s.eventually("the budget is spent", func() bool { return s.counted("requests_total", "bad_signature") > 20 })
	for i := range 20 {
		for name, c := range map[string]struct{ source, bearer string }{
			"a new token of the same source": {attacker, s.token()},
			"a known token of it":            {attacker, known},
			"a new token of another source":  {"8.8.8.8", s.token()},
		} {
			if got := s.postFrom(c.source, c.bearer); got.status != 200 {
				t.Errorf("%d: %s: got %d %s", i, name, got.status, got.body)
			}
		}
	}
	if got := s.postFrom(attacker, ""); got.status != 401 {
		t.Errorf("without a token: got %d: nobody would find out how to get one", got.status)
	}
	// Who is refused without a signature being checked learns why, whatever others behind the same address do.
	for _, bad := range []token.Defect{token.Expired, token.WrongAudience, token.WrongIssuer, token.NotYetValid} {
		raw, err := s.template.Bad(bad, time.Now())
		must(t, err)
		for _, source := range []string{attacker, "8.8.8.8"} {
			if got := s.postFrom(source, raw); got.status != 401 || got.header.Get("WWW-Authenticate") == "" || got.Error.Data.Reason == "bad_signature" {
				t.Errorf("%v from %s: got %d %s", bad, source, got.status, got.body)
			}
		}
	}
	close(stop)
	answers := wait()
	if len(answers) != 1 || answers[401] < 20 {
		t.Errorf("the flood was answered %v", answers)
	}
	log := s.log.String()
	if told := strings.Count(log, "bad_signature"); told > 30+answers[401]/10 {
		t.Errorf("%d of %d refusals are in the log", told, answers[401])
	}
	if !strings.Contains(log, `"source":"9.9.9.9"`) {
		t.Error("the log does not name the source")
	}
	s.eventually("the metrics count them all", func() bool { return s.counted("requests_total", "bad_signature") == answers[401] })
}

// Behind a mesh's proxy everybody has the same address.
func TestNobodyIsAnswered429BehindAMesh(t *testing.T) {
	s := floodSite(t, false)
	stop := make(chan struct{})
	wait := s.floodFrom("9.9.9.9", stop)
	for range 40 {
		if got := s.post(s.token()); got.status != 200 {
			t.Errorf("a good token: got %d", got.status)
		}
		if got := s.post(token.Malformed); got.status != 401 {
			t.Errorf("a bad one: got %d", got.status)
		}
	}
	close(stop)
	if answers := wait(); len(answers) != 1 || answers[401] == 0 {
		t.Errorf("the flood was answered %v", answers)
	}
}
