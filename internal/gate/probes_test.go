package gate_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/probeid"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// probeID makes an id for the gate of a pod, as the operator does.
func probeID(t *testing.T, secret []byte, uid string) string {
	t.Helper()
	return madeID(t, secret, probeid.Pod(uid), time.Now())
}

// serviceID makes one for who asks at the Service.
func serviceID(t *testing.T) string {
	t.Helper()
	return madeID(t, testSecret, probeid.AnyPod(), time.Now())
}

func madeID(t *testing.T, secret []byte, to probeid.Audience, at time.Time) string {
	t.Helper()
	key, err := probeid.NewKey(secret)
	must(t, err)
	var random [probeid.RandomBytes]byte
	_, _ = rand.Read(random[:])
	return key.New(to, at, random)
}

func (s *site) ask(id, bearer string) answer {
	s.t.Helper()
	return s.do(withHeader(s.request(http.MethodPost, "/mcp", bearer, strings.NewReader(ping)), "X-Request-Id", id))
}

// counted gives the sum of a counter's series with this label.
func (s *site) counted(metric, label string) (sum int) {
	s.t.Helper()
	series := regexp.MustCompile(`(?m)^gatehouse_gate_` + metric + `\{[^}]*` + regexp.QuoteMeta(label) + `[^}]*\} (\d+)$`)
	for _, found := range series.FindAllStringSubmatch(s.adminGet("/metrics").body, -1) {
		var n int
		_, err := fmt.Sscan(found[1], &n)
		must(s.t, err)
		sum += n
	}
	return sum
}

func TestProbesAreNoTraffic(t *testing.T) {
	lines := &logBuffer{}
	s := newSite(t, serveHTTP(t, echo), audited(lines))
	if own := s.counted("probe_requests_total", "missing_token"); own == 0 || s.counted("requests_total", "") > 0 {
		t.Errorf("the self-test is counted %d times as a probe, and %d as a client", own, s.counted("requests_total", ""))
	}
	before := s.counted("probe_requests_total", "")
	ids := []string{probeID(t, testSecret, podUID), probeID(t, testSecret, podUID), probeID(t, testSecret, podUID)}
	if s.ask(ids[0], s.token()).status != 200 || s.ask(ids[1], "not-a-token").status != 401 || s.ask(ids[2], s.forged()).status != 401 {
		t.Error("a probe is not answered like a client")
	}
	s.eventually("the probes are counted apart", func() bool { return s.counted("probe_requests_total", "") == before+3 })
	state, err := s.state(podUID)
	must(t, err)
	if n := s.counted("requests_total", ""); n != 0 || len(state.LastAccepted) != 0 || len(state.Refused) != 0 || len(state.Refusals) != 0 {
		t.Errorf("probes count as traffic: %d requests, %+v", n, state)
	}
	// What is no probe is on record.
	others := map[string]string{
		"another secret's": probeID(t, []byte(strings.Repeat("x", 31)+"y"), podUID), "another pod's": probeID(t, testSecret, "other"),
		"used before": ids[1],
	}
	for _, id := range others {
		s.ask(id, "not-a-token")
	}
	s.eventually("clients are counted", func() bool { return s.counted("requests_total", "malformed_token") == len(others) })
	s.eventually("clients are audited", func() bool { return strings.Count(lines.String(), "\n") == len(others) })
	for name, id := range others {
		if len(of(t, lines, id)) != 1 {
			t.Errorf("%s id has no audit line", name)
		}
	}
	if s.counted("probe_requests_total", "") != before+3 {
		t.Error("a client is counted as a probe")
	}
	if !strings.Contains(s.log.String(), `"requestID":"`+ids[0]+`","probe":true`) {
		t.Error("the debug log does not tell of the probe")
	}
}

// forged is a good token but for its signature.
func (s *site) forged() string {
	s.t.Helper()
	good := s.token()
	at := strings.LastIndex(good, ".") + 10
	flipped := byte('A')
	if good[at] == 'A' {
		flipped = 'B'
	}
	return good[:at] + string(flipped) + good[at+1:]
}

// A failing server behind the gate is no news when only the prober met it.
func TestProbesThatFailAreNoTraffic(t *testing.T) {
	s := newSite(t, serveRaw(t, reset))
	s.ask(probeID(t, testSecret, podUID), s.token())
	s.eventually("it is counted apart", func() bool { return s.counted("probe_requests_total", "upstream_reset") == 1 })
	if n := s.counted("upstream_failures_total", ""); n != 0 || strings.Contains(s.log.String(), `"level":"WARN"`) {
		t.Errorf("%d failures are counted; log:\n%s", n, s.log)
	}
}

// While the gate's secret turns over, the operator may hold either.
func TestProbesOfTheComingSecret(t *testing.T) {
	next := []byte(strings.Repeat("n", 31) + "x")
	s := prepareSite(t, serveHTTP(t, echo))
	s.write(s.dirs.secret, gateapi.NextSecretFile, next)
	s.start()
	before := s.counted("probe_requests_total", "")
	s.ask(probeID(t, next, podUID), s.token())
	s.ask(probeID(t, testSecret, podUID), s.token())
	s.eventually("both are counted apart", func() bool { return s.counted("probe_requests_total", "") == before+2 })
}

// Whether the gate could know the prober or not, and whether it is the prober or not, makes no difference on the wire: to
// the client or to the server.
func TestNobodyIsAnsweredLikeAProber(t *testing.T) {
	var seen string
	server := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		var b strings.Builder
		must(t, r.Header.Clone().Write(&b))
		seen = regexp.MustCompile(`X-Request-Id: [A-Z2-7]{26}\r`).ReplaceAllString(b.String(), "X-Request-Id: ID\r")
		echo(w, r)
	})
	knowing := newSite(t, server)
	ignorant := prepareSite(t, server)
	must(t, os.Remove(filepath.Join(ignorant.dirs.secret, gateapi.SecretFile)))
	ignorant.template = knowing.template
	ignorant.writeKeys(knowing.template.Key.Public())
	ignorant.start()
	expired, err := knowing.template.Good(time.Now().Add(-time.Hour))
	must(t, err)
	authorizations := map[string]string{
		"none": "", "empty": "Bearer ", "basic": "Basic YTpi", "malformed": "Bearer not-a-valid-jwt-token", "expired": "Bearer " + expired,
		"forged": "Bearer " + knowing.forged(), "good": "Bearer " + knowing.token(),
	}
	for name, authorization := range authorizations {
		for _, line := range []string{"POST /mcp", "GET /mcp", "DELETE /mcp", "POST /other", "POST /mcp/../mcp", "PUT /mcp", "OPTIONS /mcp"} {
			request := line + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 39\r\n"
			if authorization != "" {
				request += "Authorization: " + authorization + "\r\n"
			}
			exchange := func(s *site, id string) string {
				seen = ""
				return s.wire(request+"X-Request-Id: "+id+"\r\n\r\n"+ping[:39], id) + "\nserver:\n" + seen
			}
			want := exchange(ignorant, strings.Repeat("0123456789abcdef", 2))
			for who, got := range map[string]string{
				"the prober":                  exchange(knowing, probeID(t, testSecret, podUID)),
				"a client":                    exchange(knowing, strings.Repeat("89abcdef01234567", 2)),
				"the prober of a blind gate":  exchange(ignorant, probeID(t, testSecret, podUID)),
				"the prober of another's pod": exchange(knowing, probeID(t, testSecret, "other")),
				"the prober at the Service":   exchange(knowing, serviceID(t)),
			} {
				if got != want {
					t.Errorf("%s, %s: %s gets\n%s\nwant\n%s", line, name, who, got, want)
				}
			}
		}
	}
}

// wire sends a request and gives all that comes back, but for the date and the request's id.
func (s *site) wire(request, id string) string {
	s.t.Helper()
	conn, err := new(net.Dialer).DialContext(s.t.Context(), "tcp", s.clients)
	must(s.t, err)
	defer conn.Close()
	must(s.t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, request)
	must(s.t, err)
	raw, err := io.ReadAll(conn)
	must(s.t, err)
	text := regexp.MustCompile(`Date: [^\r]*`).ReplaceAllString(string(raw), "Date: DATE")
	return strings.ReplaceAll(text, id, "ID")
}
