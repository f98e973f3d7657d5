package gate_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate"
)

// logLine is an audit line.
type logLine struct {
	Time, Server, Outcome, Reason, Provider, Subject, Source, HTTPMethod string
	RequestID, ServerRequestID                                           string
	Status, BytesIn, BytesOut                                            int
	Seconds                                                              float64
}

// audited collects audit lines.
func audited(lines *logBuffer) siteOption {
	return func(_ *site, o *gate.Options) { o.Audit = lines }
}

// of gives the lines of one request.
func of(t *testing.T, lines *logBuffer, requestID string) []logLine {
	t.Helper()
	var found []logLine
	for text := range strings.Lines(lines.String()) {
		var l logLine
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if l.RequestID == requestID {
			found = append(found, l)
		}
	}
	return found
}

func TestAuditTellsEveryDecision(t *testing.T) {
	lines := &logBuffer{}
	s := newSite(t, serveHTTP(t, echo), audited(lines))
	send := func(id, bearer string) answer {
		return s.do(withHeader(s.request(http.MethodPost, "/mcp?access_token=q-secret", bearer, strings.NewReader(ping)), "X-Request-Id", id))
	}
	secret := s.token()
	send("allowed-1", secret)
	send("allowed-2", s.token())
	send("other", s.as("somebody else"))
	send("denied", "not-a-token")
	s.eventually("all four are written", func() bool {
		return len(of(t, lines, "allowed-1"))+len(of(t, lines, "allowed-2"))+len(of(t, lines, "other"))+len(of(t, lines, "denied")) == 4
	})
	first, second, other := of(t, lines, "allowed-1")[0], of(t, lines, "allowed-2")[0], of(t, lines, "other")[0]
	want := logLine{
		Time: first.Time, Server: "tools/weather", Outcome: "forwarded", Provider: "managed", Subject: first.Subject, Source: "127.0.0.1", HTTPMethod: "POST",
		RequestID: "allowed-1", ServerRequestID: first.ServerRequestID, Status: 200, BytesIn: len(ping), BytesOut: len(ping), Seconds: first.Seconds,
	}
	if first != want || first.Time == "" || first.Seconds <= 0 || len(first.ServerRequestID) != 26 {
		t.Errorf("got  %+v\nwant %+v", first, want)
	}
	if len(first.Subject) != 22 || first.Subject != second.Subject || first.Subject == other.Subject {
		t.Errorf("subjects: %q and %q, other %q", first.Subject, second.Subject, other.Subject)
	}
	denied := of(t, lines, "denied")[0]
	if denied.Outcome != "denied" || denied.Reason != "malformed_token" || denied.Status != 401 || denied.Subject != "" || denied.ServerRequestID != "" || denied.BytesIn != len(ping) || denied.BytesOut == 0 {
		t.Errorf("got %+v", denied)
	}
	for _, never := range []string{"q-secret", "/mcp", "access_token", secret[:30], secret[len(secret)-30:], "someone", "somebody"} {
		if strings.Contains(lines.String(), never) {
			t.Errorf("%q is in an audit line", never)
		}
	}
}

func withHeader(r *http.Request, name, value string) *http.Request {
	r.Header[name] = []string{value}
	return r
}

// A stream is on record while it is open, and again at its end.
func TestAuditTellsOfStreams(t *testing.T) {
	lines := &logBuffer{}
	s := newSite(t, serveHTTP(t, streamer(sseEvent)), audited(lines))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r := withHeader(s.request(http.MethodGet, "/mcp", s.token(), http.NoBody), "X-Request-Id", "stream").WithContext(ctx)
	response, err := http.DefaultClient.Do(r)
	must(t, err)
	defer response.Body.Close()
	s.eventually("its beginning is on record", func() bool { return len(of(t, lines, "stream")) == 1 })
	if got := of(t, lines, "stream")[0]; got.Outcome != "opened" || got.Subject == "" {
		t.Errorf("got %+v", got)
	}
	s.writeKeys(newKey(t).Public())
	wantEnd(t, response, sseEvent+": the access token is no longer accepted\n")
	s.eventually("its end is on record", func() bool { return len(of(t, lines, "stream")) == 2 })
	if got := of(t, lines, "stream")[1]; got.Outcome != "forwarded" || got.Reason != "unknown_key" || got.BytesOut == 0 {
		t.Errorf("got %+v", got)
	}
}

// The client's id comes back to it; the server gets one of ours, whoever asks.
func TestRequestIDs(t *testing.T) {
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	var seen http.Header
	s := newSite(t, serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header.Clone()
		w.Header().Set("X-Request-Id", "the server's")
	}))
	for sent, kept := range map[string]bool{"abc-123": true, "two words": false, strings.Repeat("x", 129): false} {
		r := withHeader(s.request(http.MethodPost, "/mcp", s.token(), strings.NewReader(ping)), "X-Request-Id", sent)
		r.Header["X_request-Id"] = []string{"twin"}
		r.Header["Traceparent"], r.Header["Tracestate"] = []string{trace}, []string{"a=1", "b=2"}
		got := s.do(r)
		id := got.header.Get("X-Request-Id")
		if (id == sent) != kept || id == "" || len(got.header["X-Request-Id"]) != 1 {
			t.Errorf("sent %.20q: the client sees %q", sent, got.header["X-Request-Id"])
		}
		if ids := seen["X-Request-Id"]; len(ids) != 1 || len(ids[0]) != 26 || ids[0] == id || seen["X_request-Id"] != nil {
			t.Errorf("sent %.20q: the server sees %q", sent, seen)
		}
		if seen.Get("Traceparent") != trace || strings.Join(seen["Tracestate"], "|") != "a=1|b=2" {
			t.Errorf("trace headers: %v", seen)
		}
	}
	if got := s.post("not-a-token"); len(got.header.Get("X-Request-Id")) != 26 {
		t.Errorf("a denial carries the id %q", got.header.Get("X-Request-Id"))
	}
}
