package gate_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/audit"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// repeat sends what text gives, n times on one connection, and wants each answered with the status.
func (s *site) repeat(n, status int, text func(i int) string) {
	s.t.Helper()
	conn, err := new(net.Dialer).DialContext(s.t.Context(), "tcp", s.clients)
	must(s.t, err)
	defer conn.Close()
	must(s.t, conn.SetDeadline(time.Now().Add(patience)))
	in := bufio.NewReader(conn)
	for i := range n {
		_, err := io.WriteString(conn, text(i))
		must(s.t, err)
		response, err := http.ReadResponse(in, nil)
		must(s.t, err)
		_, err = io.Copy(io.Discard, response.Body)
		must(s.t, err)
		response.Body.Close()
		if response.StatusCode != status {
			s.t.Fatalf("request %d is answered %s", i+1, response.Status)
		}
	}
}

// same is for repeat: a request with these header lines.
func same(line string, header ...string) func(int) string {
	lines := append([]string{line + " HTTP/1.1"}, header...)
	if !strings.Contains(strings.Join(header, "\n"), "Host:") {
		lines = append(lines, "Host: localhost")
	}
	text := strings.Join(lines, "\r\n") + "\r\n\r\n"
	return func(int) string { return text }
}

// auditContents is what an audit says: lines in full, and what was left out, by reason, or by outcome where there is none.
type auditContents struct {
	full, leftOut map[string]int
	summaries     int
}

func tell(t *testing.T, lines *logBuffer) auditContents {
	t.Helper()
	out := auditContents{full: map[string]int{}, leftOut: map[string]int{}}
	for text := range strings.Lines(lines.String()) {
		var l struct {
			Outcome, Reason string
			Reasons         map[string]int
		}
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		switch {
		case l.Outcome == audit.OutcomeSuppressed:
			out.summaries++
			for reason, n := range l.Reasons {
				out.leftOut[reason] += n
			}
		case l.Reason == "":
			out.full[l.Outcome]++
		default:
			out.full[l.Reason]++
		}
	}
	return out
}

// Whatever can be asked without a valid token has ten lines and a summary; decisions about callers have a line each.
func TestStrangersHaveABudgetInTheAudit(t *testing.T) {
	lines := &logBuffer{}
	s := prepareSite(t, serveHTTP(t, echo))
	s.config.ResourceMetadata = &gateapi.ResourceMetadata{Resource: "https://weather.example/mcp", AuthorizationServers: []string{"https://issuer.example"}}
	s.config.AllowedOrigins = []string{"https://app.example"}
	s.config.HealthPaths = []string{"/alive"}
	keyless := s.config.Providers[0]
	keyless.Name, keyless.Issuer = "keyless", "urn:keyless"
	s.config.Providers = append(s.config.Providers, keyless)
	s.writeConfig()
	s.start(audited(lines))
	template := s.template
	template.Issuer = "urn:keyless"
	ofKeyless, err := template.Good(time.Now())
	must(t, err)
	wants := map[string]int{}
	for _, c := range []struct {
		reason    string
		n, status int
		request   func(int) string
	}{
		{"missing_token", 3000, 401, same("POST /mcp", "Content-Length: 0")},
		{"missing_token", 100, 401, same("GET /")},
		{"missing_token", 100, 401, same("GET /healthz", "Authorization: Basic YTpi")},
		{"malformed_token", 200, 401, same("GET /mcp", "Authorization: Bearer x")},
		{"bad_signature", 100, 401, same("GET /mcp", "Authorization: Bearer "+s.forged())},
		{"no_keys", 200, 503, same("GET /mcp", "Authorization: Bearer "+ofKeyless)},
		{"wrong_host", 200, 421, same("GET /mcp", "Host: evil.example")},
		{"bad_target", 200, 400, same("GET //mcp")},
		{"wrong_origin", 200, 403, same("GET /mcp", "Origin: https://evil.example")},
		{"ambiguous_header", 200, 400, same("GET /mcp", "Origin: https://a", "Origin: https://a")},
		{"ambiguous_header", 200, 400, same("GET /mcp", "Authorization: Bearer a", "Authorization: Bearer b")},
		{"unknown_method", 200, 405, same("DELETE /.well-known/oauth-protected-resource")},
		{"public", 200, 200, same("GET /.well-known/oauth-protected-resource/mcp")},
		{"public", 200, 204, same("OPTIONS /mcp", "Origin: https://app.example", "Access-Control-Request-Method: POST")},
		{"public", 500, 200, same("GET /alive")},
	} {
		s.repeat(c.n, c.status, c.request)
		wants[c.reason] += c.n
	}
	const callers = 300
	s.repeat(callers, 404, same("GET /other", "Authorization: Bearer "+s.token()))
	for reason, n := range wants {
		s.eventually("all are counted of "+reason, func() bool {
			label := `reason="` + reason + `"`
			if reason == "public" {
				label = `outcome="public"`
			}
			return s.counted("requests_total", label) == n && s.counted("audit_suppressed_total", `reason="`+reason+`"`) == n-audit.FirstLines
		})
	}
	s.stop()
	got := tell(t, lines)
	for reason, n := range wants {
		if got.full[reason] != audit.FirstLines || got.leftOut[reason] != n-audit.FirstLines {
			t.Errorf("%s: %d lines, and %d left out, of %d", reason, got.full[reason], got.leftOut[reason], n)
		}
	}
	if got.full["unknown_path"] != callers || got.summaries != 1 || len(got.full) != len(wants)+1 {
		t.Errorf("%d lines about callers, %d summaries, %v", got.full["unknown_path"], got.summaries, got.full)
	}
	// The log follows: a failure that anybody can bring about fills it no more than the audit.
	if n := strings.Count(s.log.String(), `"reason":"no_keys"`); n != audit.FirstLines {
		t.Errorf("%d warnings that keys are missing", n)
	}
}

// Nothing is counted on a gate that writes no audit, but for the metric; the log has its budget all the same.
func TestStrangersWithoutAnAudit(t *testing.T) {
	s := newSite(t, serveHTTP(t, echo))
	s.repeat(100, 401, same("GET /mcp"))
	s.eventually("they are counted", func() bool { return s.counted("audit_suppressed_total", "missing_token") == 100-audit.FirstLines })
}

// believing trusts the header that names the source.
func (s *site) believe() {
	s.t.Helper()
	s.config.Limits.ClientIP = gateapi.ClientIP{TrustedProxies: []string{"127.0.0.0/8"}, Header: "X-Forwarded-For"}
	s.writeConfig()
}

// Many sources have a budget together, and a caller among them is on record each time.
func TestManyStrangersHaveABudgetInTheAudit(t *testing.T) {
	lines := &logBuffer{}
	s := prepareSite(t, serveHTTP(t, echo))
	s.believe()
	s.start(audited(lines))
	const strangers, callers = 3000, 100
	good := s.token()
	s.repeat(strangers, 401, func(i int) string { return same("GET /", fmt.Sprintf("X-Forwarded-For: 9.9.%d.%d", i/256, i%256))(i) })
	s.repeat(callers, 404, func(i int) string {
		return same("GET /", fmt.Sprintf("X-Forwarded-For: 9.9.0.%d", i), "Authorization: Bearer "+good)(i)
	})
	// One host of IPv6 may use any address of its subnet.
	s.repeat(100, 401, func(i int) string {
		return same("GET /", fmt.Sprintf("X-Forwarded-For: 2001:db8::%x", i), "Authorization: Bearer x")(i)
	})
	s.stop()
	got := tell(t, lines)
	if full := got.full["missing_token"] + got.full["malformed_token"]; full != audit.AllLines || got.full["unknown_path"] != callers || got.summaries > audit.MaxSources+1 ||
		full+got.leftOut["missing_token"]+got.leftOut["malformed_token"] != strangers+100 {
		t.Errorf("%d strangers in full, %d callers, %d summaries, left out %v", full, got.full["unknown_path"], got.summaries, got.leftOut)
	}
}

func TestSubnetIsOneSourceInTheAudit(t *testing.T) {
	lines := &logBuffer{}
	s := prepareSite(t, serveHTTP(t, echo))
	s.believe()
	s.start(audited(lines))
	s.repeat(100, 401, func(i int) string { return same("GET /", fmt.Sprintf("X-Forwarded-For: 2001:db8::%x", i))(i) })
	s.stop()
	if got := tell(t, lines); got.full["missing_token"] != audit.FirstLines || !strings.Contains(lines.String(), `"source":"2001:db8::/64"`) {
		t.Errorf("got %v, %s", got, lines)
	}
}

// Six addresses of a load balancer that ask for / every five seconds, for an hour.
func TestLoadBalancerDoesNotFloodTheAudit(t *testing.T) {
	lines, turned := &logBuffer{}, &fakeClock{now: time.Now()}
	s := prepareSite(t, serveHTTP(t, echo))
	s.believe()
	s.start(audited(lines), withClock(turned))
	const rounds, sources = 720, 6
	s.repeat(rounds*sources, 401, func(i int) string {
		if i%sources == 0 {
			turned.advance(5 * time.Second)
		}
		return same("GET /", fmt.Sprintf("X-Forwarded-For: 10.0.0.%d", i%sources))(i)
	})
	turned.advance(audit.Window)
	s.eventually("the last window is summed up, though nobody comes", func() bool {
		got := tell(t, lines)
		return got.full["missing_token"]+got.leftOut["missing_token"] == rounds*sources
	})
	got := tell(t, lines)
	if all := got.full["missing_token"] + got.summaries; all > sources*(audit.FirstLines+2*13) {
		t.Errorf("%d lines of %d requests", all, rounds*sources)
	}
}
