package runner_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

func TestModelGateIsLocked(t *testing.T) {
	for name, options := range map[string]mcpfake.Options{
		"stateful":      {},
		"stateful, SSE": {Answer: mcpfake.SSE},
		"stateless":     {Dialect: mcpfake.Stateless},
		"discover":      {Dialect: mcpfake.Discover},
		"discover, SSE": {Dialect: mcpfake.Discover, Answer: mcpfake.SSE},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			model, fake, url := gate(t, options, nil)
			report := run(t, runner.Options{}, model.target(url))
			if verdict := verdicts.Of(report); verdict.Kind != probe.Locked {
				t.Fatalf("%+v", verdict)
			}
			want := probe.ServerInfo{Name: "mcpfake", Version: "1.0.0", ProtocolVersion: "2025-11-25", Tools: 3}
			if options.Dialect == mcpfake.Discover {
				want.ProtocolVersion = "2026-07-28"
			}
			if report.Server == nil || *report.Server != want {
				t.Errorf("server %+v, want %+v", report.Server, want)
			}
			if open := fake.Requests().Sessions; open != 0 {
				t.Errorf("%d sessions are left open", open)
			}
		})
	}
}

// TestRefusal spoils the answer to one bad request; the control stays good.
func TestRefusal(t *testing.T) {
	tests := []struct {
		name    string
		asked   probe.Case
		answer  http.HandlerFunc
		outcome probe.Outcome
		kind    probe.Kind
		slow    bool
	}{
		{"let in", probe.NoToken, nil, probe.Accepted, probe.Open, false},
		{"malformed let in", probe.Malformed, nil, probe.Accepted, probe.Open, false},
		{"expired let in", probe.Expired, nil, probe.Accepted, probe.Open, false},
		{"forged let in", probe.WrongKey, nil, probe.Accepted, probe.Open, false},
		{"let in without a body", probe.NoToken, textHandler(202, "text/plain", ""), probe.Accepted, probe.Open, false},
		{"let in, then silence", probe.NoToken, bytesThen("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", hanging), probe.Accepted, probe.Open, true},
		{"let in, then reset", probe.NoToken, bytesThen("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", resetting), probe.Accepted, probe.Open, false},
		{"let in, refused in JSON-RPC", probe.NoToken, refuse("missing_token", func(a *refusal) { a.status = 200 }), probe.Accepted, probe.Open, false},
		{"passed on, server resets", probe.NoToken, refuse("upstream_reset", func(a *refusal) { a.status = 502 }), probe.Accepted, probe.Open, false},

		{"for another reason", probe.WrongKey, refuse("expired"), probe.WrongReason, probe.Broken, false},
		{"header and body disagree", probe.WrongKey, refuse("bad_signature", func(a *refusal) { a.header = "expired" }), probe.WrongReason, probe.Broken, false},
		{"body and header disagree", probe.WrongKey, refuse("expired", func(a *refusal) { a.header = "bad_signature" }), probe.WrongReason, probe.Broken, false},
		{"an unknown reason", probe.WrongKey, refuse("because"), probe.WrongReason, probe.Broken, false},
		{"by the server behind", probe.NoToken, refuse("missing_token", func(a *refusal) { a.header = "" }), probe.ForeignAnswer, probe.Broken, false},
		{"server wants a session", probe.NoToken, textHandler(400, "application/json", "{}"), probe.ForeignAnswer, probe.Broken, false},
		{"403 instead", probe.Expired, refuse("expired", func(a *refusal) { a.status = 403 }), probe.WrongStatus, probe.Broken, false},
		{"gate fails", probe.Expired, refuse("internal", func(a *refusal) { a.status = 500 }), probe.WrongStatus, probe.Broken, false},
		{"no challenge", probe.NoToken, refuse("missing_token", func(a *refusal) { a.challenges = nil }), probe.MissingChallenge, probe.Broken, false},
		{"two challenges", probe.NoToken, refuse("missing_token", func(a *refusal) { a.challenges = append(a.challenges, `Basic realm="x"`) }), probe.MissingChallenge, probe.Broken, false},
		{"challenge without realm", probe.NoToken, refuse("missing_token", withChallenge(`Bearer scope="a"`)), probe.MissingChallenge, probe.Broken, false},
		{"challenge without parameter", probe.NoToken, refuse("missing_token", withChallenge(`Bearer`)), probe.MissingChallenge, probe.Broken, false},
		{"basic challenge", probe.NoToken, refuse("missing_token", withChallenge(`Basic realm="x"`)), probe.MissingChallenge, probe.Broken, false},
		{"error code without a token", probe.NoToken, refuse("missing_token", withChallenge(`Bearer realm="x", error="invalid_token"`)), probe.MissingChallenge, probe.Broken, false},
		{"other error code without a token", probe.NoToken, refuse("missing_token", withChallenge(`Bearer realm="x", error="invalid_request"`)), probe.MissingChallenge, probe.Broken, false},
		{"no error code for a token", probe.Expired, refuse("expired", withChallenge(`Bearer realm="x"`)), probe.MissingChallenge, probe.Broken, false},
		{"other error code", probe.Expired, refuse("expired", withChallenge(`Bearer realm="x", error="insufficient_scope"`)), probe.MissingChallenge, probe.Broken, false},
		{"as HTML", probe.NoToken, refuse("missing_token", func(a *refusal) { a.mediaType = "text/html" }), probe.UnclearMessage, probe.Broken, false},
		{"says nothing", probe.NoToken, refuse("missing_token", func(a *refusal) { a.message = "No." }), probe.UnclearMessage, probe.Broken, false},
		{"says its status only", probe.NoToken, refuse("missing_token", func(a *refusal) { a.message = "Unauthorized: no" }), probe.UnclearMessage, probe.Broken, false},
		{"other id", probe.NoToken, refuse("missing_token", func(a *refusal) { a.id = "null" }), probe.UnclearMessage, probe.Broken, false},
		{"endless", probe.NoToken, endless(401), probe.UnclearMessage, probe.Broken, false},
		{"compressed", probe.NoToken, withMark(textHandler(401, "application/json", "\x1f\x8b\x08")), probe.UnclearMessage, probe.Broken, false},

		{"throttled", probe.NoToken, textHandler(429, "text/plain", "slow down"), probe.Throttled, probe.Inconclusive, false},
		{"throttled by the gate", probe.WrongKey, refuse("too_many_failures", func(a *refusal) { a.status = 429 }), probe.Throttled, probe.Inconclusive, false},
		{"503", probe.NoToken, textHandler(503, "text/plain", "busy"), probe.Unavailable, probe.Inconclusive, false},
		{"no keys", probe.Expired, refuse("no_keys", func(a *refusal) { a.status = 503 }), probe.Unavailable, probe.Inconclusive, false},
		{"502", probe.NoToken, textHandler(502, "text/plain", "bad gateway"), probe.Unavailable, probe.Broken, false},
		{"504", probe.NoToken, textHandler(504, "text/plain", "late"), probe.Unavailable, probe.Broken, false},
		{"switches protocols", probe.NoToken, bytesThen("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", hanging), probe.ForeignAnswer, probe.Broken, false},

		{"reset", probe.NoToken, bytesThen("", resetting), probe.Reset, probe.Broken, false},
		{"reset in the head", probe.NoToken, bytesThen("HTTP/1.1 401 Unau", resetting), probe.Reset, probe.Broken, false},
		{"reset in the body", probe.NoToken, bytesThen("HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\n{", resetting), probe.Reset, probe.Broken, false},
		{"closed", probe.NoToken, bytesThen("", closing), probe.ClosedWithoutAnswer, probe.Broken, false},
		{"half a head", probe.NoToken, bytesThen("HTTP/1.1 401 Unau", closing), probe.Truncated, probe.Broken, false},
		{"half a body", probe.NoToken, bytesThen("HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\n{", closing), probe.Truncated, probe.Broken, false},
		{"half a chunk", probe.NoToken, bytesThen("HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{", closing), probe.Truncated, probe.Broken, false},
		{"no chunk", probe.NoToken, bytesThen("HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", hanging), probe.NotHTTP, probe.Broken, false},
		{"SSH", probe.NoToken, bytesThen("SSH-2.0-OpenSSH_9.2p1\r\n", hanging), probe.NotHTTP, probe.Broken, false},
		{"SSH, closed", probe.NoToken, bytesThen("SSH-2.0-OpenSSH_9.2p1\r\n", closing), probe.NotHTTP, probe.Broken, false},
		{"head too large", probe.NoToken, bytesThen("HTTP/1.1 401 Unauthorized\r\nX: "+strings.Repeat("x", 64<<10)+"\r\n\r\n", hanging), probe.NotHTTP, probe.Broken, false},
		{"TLS alert", probe.NoToken, bytesThen("\x15\x03\x01\x00\x02\x02\x46", closing), probe.TLS, probe.Broken, false},
		{"hang", probe.NoToken, bytesThen("", hanging), probe.Timeout, probe.Broken, true},
		{"hang in the head", probe.NoToken, bytesThen("HTTP/1.1 401 Unau", hanging), probe.Timeout, probe.Broken, true},
		{"hang in the body", probe.NoToken, bytesThen("HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\n{", hanging), probe.Timeout, probe.Broken, true},
		{"drip", probe.NoToken, bytesThen("HTTP/1.1 401 Unauthorized\r\nContent-Length: 10000\r\n\r\n", dripping), probe.Timeout, probe.Broken, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			spoilt := map[probe.Case]http.HandlerFunc{test.asked: test.answer}
			model, fake, url := gate(t, mcpfake.Options{}, spoilt)
			if test.answer == nil {
				spoilt[test.asked] = fake.ServeHTTP
			}
			timeout := patience
			if test.slow {
				timeout = hurry
			}
			report := run(t, runner.Options{}, probe.Target{URL: url, Providers: []probe.Provider{{Tokens: model.template}}, Exact: true, Timeout: timeout})
			if got := firstResult(t, report, test.asked); got.Outcome != test.outcome {
				t.Errorf("outcome %s, want %s; %+v", got.Outcome, test.outcome, got)
			}
			verdict := verdicts.Of(report)
			if verdict.Kind != test.kind || verdict.Case != test.asked || verdict.Outcome != test.outcome {
				t.Errorf("verdict %+v, want %s", verdict, test.kind)
			}
			if open := fake.Requests().Sessions; open != 0 {
				t.Errorf("%d sessions are left open", open)
			}
		})
	}
}

func withChallenge(value string) func(*refusal) {
	return func(a *refusal) { a.challenges = []string{value} }
}

// withMark adds the mark of the gate.
func withMark(answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Gatehouse-Reason", "missing_token")
		answer(w, r)
	}
}

// endless never stops writing.
func endless(status int) http.HandlerFunc {
	return withMark(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		for {
			if _, err := w.Write([]byte(strings.Repeat("[", 4096))); err != nil {
				return
			}
		}
	})
}

// TestAcceptedOnceIsNotOpen: one entry that is not repeated alarms, and does not count as an open gate.
func TestAcceptedOnceIsNotOpen(t *testing.T) {
	var times atomic.Int32
	model, _, url := gate(t, mcpfake.Options{}, map[probe.Case]http.HandlerFunc{
		probe.Expired: func(w http.ResponseWriter, r *http.Request) {
			if times.Add(1) == 1 {
				textHandler(200, "application/json", "{}")(w, r)
				return
			}
			refuse("expired")(w, r)
		},
	})
	verdict := verdicts.Of(run(t, runner.Options{}, probe.Target{
		URL: url, Providers: []probe.Provider{{Tokens: model.template}}, Exact: true, Timeout: patience, Turn: probe.Turn{Rest: true},
	}))
	if verdict.Kind != probe.Broken || verdict.Outcome != probe.Accepted {
		t.Errorf("%+v", verdict)
	}
	if times.Load() != 2 {
		t.Errorf("asked %d times, want 2", times.Load())
	}
}

// TestAcceptedWithoutControlIsNotOpen: something that says 200 to everything need not be a gate at all.
func TestAcceptedWithoutControlIsNotOpen(t *testing.T) {
	ok := textHandler(200, "text/html", "<h1>It works!</h1>")
	model, _, url := gate(t, mcpfake.Options{}, map[probe.Case]http.HandlerFunc{
		probe.NoToken: ok, probe.Malformed: ok, probe.Expired: ok, probe.WrongKey: ok, probe.Valid: ok,
	})
	verdict := verdicts.Of(run(t, runner.Options{}, probe.Target{URL: url, Providers: []probe.Provider{{Tokens: model.template}}, Exact: true, Timeout: patience}))
	if verdict.Kind != probe.Broken || verdict.Case != probe.NoToken || verdict.Outcome != probe.Accepted {
		t.Errorf("%+v", verdict)
	}
}

// TestRefusedTooLate: what the server was shown is let in, whatever the gate says afterwards.
func TestRefusedTooLate(t *testing.T) {
	spoilt := map[probe.Case]http.HandlerFunc{}
	model, fake, url := gate(t, mcpfake.Options{}, spoilt)
	spoilt[probe.ByDelete] = func(w http.ResponseWriter, r *http.Request) {
		fake.ServeHTTP(httptest.NewRecorder(), r)
		refuse("bad_signature")(w, r)
	}
	verdict := verdicts.Of(run(t, runner.Options{}, model.target(url)))
	if verdict.Kind != probe.Open || verdict.Case != probe.ByDelete || verdict.Outcome != probe.Accepted {
		t.Errorf("%+v", verdict)
	}
	if open := fake.Requests().Sessions; open != 0 {
		t.Errorf("%d sessions are left open", open)
	}
}

// TestRedirectIsNotFollowed: where a redirect leads, no token and no request arrives.
func TestRedirectIsNotFollowed(t *testing.T) {
	var arrived atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived.Add(1) }))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		redirect := func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) }
		model, _, url := gate(t, mcpfake.Options{}, map[probe.Case]http.HandlerFunc{
			probe.Valid: redirect, probe.Malformed: redirect,
		})
		report := run(t, runner.Options{}, probe.Target{URL: url, Providers: []probe.Provider{{Tokens: model.template}}, Exact: true, Timeout: patience})
		for _, asked := range []probe.Case{probe.Valid, probe.Malformed} {
			if got := firstResult(t, report, asked); got.Outcome != probe.Redirect {
				t.Errorf("%d: %+v", status, got)
			}
		}
		if kind := verdicts.Of(report).Kind; kind != probe.Broken {
			t.Errorf("%d: %s", status, kind)
		}
	}
	if arrived.Load() != 0 {
		t.Errorf("%d requests arrived where the redirect led", arrived.Load())
	}
}

// TestForeignServer: without Exact a refusal is 401 or 403, whatever it says; a refusal inside JSON-RPC is none.
func TestForeignServer(t *testing.T) {
	for name, test := range map[string]struct {
		answer  http.HandlerFunc
		outcome probe.Outcome
		kind    probe.Kind
	}{
		"401, bare":         {textHandler(401, "text/plain", ""), probe.Passed, probe.Locked},
		"403":               {textHandler(403, "text/html", "no"), probe.Passed, probe.Locked},
		"400":               {textHandler(400, "text/plain", "no"), probe.WrongStatus, probe.Broken},
		"refused in a body": {refuse("missing_token", func(a *refusal) { a.status, a.header = 200, "" }), probe.WrongStatus, probe.Broken},
	} {
		t.Run(name, func(t *testing.T) {
			model, _, url := gate(t, mcpfake.Options{}, map[probe.Case]http.HandlerFunc{probe.NoToken: test.answer})
			report := run(t, runner.Options{}, probe.Target{URL: url, Providers: []probe.Provider{{Tokens: model.template}}, Timeout: patience})
			if got := firstResult(t, report, probe.NoToken); got.Outcome != test.outcome || verdicts.Of(report).Kind != test.kind {
				t.Errorf("%+v, %+v", got, verdicts.Of(report))
			}
		})
	}
}
