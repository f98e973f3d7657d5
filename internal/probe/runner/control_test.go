package runner_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// TestControl spoils the answer to the valid token; the bad ones are refused as they must be.
func TestControl(t *testing.T) {
	own := func(reason string, status int) http.HandlerFunc {
		return refuse(reason, func(a *refusal) { a.status = status })
	}
	tests := []struct {
		name    string
		answer  http.HandlerFunc
		outcome probe.Outcome
		kind    probe.Kind
		slow    bool
	}{
		{"refused by the gate", refuse("wrong_audience"), probe.Rejected, probe.ValidRejected, false},
		{"refused by the server", textHandler(403, "application/json", `{"error":"Invalid JWT"}`), probe.Rejected, probe.ValidRejected, false},
		{"gate has no keys", own("no_keys", 503), probe.Unavailable, probe.Inconclusive, false},
		{"gate has no secret", own("no_secret", 503), probe.Unavailable, probe.Inconclusive, false},
		{"throttled by the gate", own("too_many_failures", 429), probe.Throttled, probe.Inconclusive, false},
		{"too many streams", own("too_many_streams", 429), probe.Throttled, probe.Inconclusive, false},
		{"gate refuses the session", own("upstream_session", 502), probe.Unavailable, probe.UpstreamUnavailable, false},
		{"gate forbids it", own("forbidden", 403), probe.Rejected, probe.ValidRejected, false},
		{"server refuses connections", own("upstream_refused", 502), probe.Unavailable, probe.UpstreamUnavailable, false},
		{"server is late", own("upstream_timeout", 504), probe.Unavailable, probe.UpstreamUnavailable, false},
		{"server's own 503", textHandler(503, "text/html", "busy"), probe.Unavailable, probe.UpstreamUnavailable, false},
		{"throttled", textHandler(429, "text/plain", "slow down"), probe.Throttled, probe.Inconclusive, false},
		{"gate does not know the host", own("wrong_host", 421), probe.WrongStatus, probe.Broken, false},
		{"gate does not know the path", own("unknown_path", 404), probe.WrongStatus, probe.Broken, false},
		{"gate fails", own("internal", 500), probe.WrongStatus, probe.Broken, false},
		{"server does not know the path", textHandler(404, "text/plain", "not found"), probe.WrongStatus, probe.UpstreamUnavailable, false},
		{"server fails", textHandler(500, "text/html", "Traceback"), probe.WrongStatus, probe.UpstreamUnavailable, false},
		{"empty", textHandler(200, "application/json", ""), probe.NoResult, probe.UpstreamUnavailable, false},
		{"HTML", textHandler(200, "text/html", "<form>"), probe.NoResult, probe.UpstreamUnavailable, false},
		{"JSON-RPC error", rpcHandler(`"error":{"code":-32603,"message":"unauthorized"}`), probe.NoResult, probe.UpstreamUnavailable, false},
		{"null result", rpcHandler(`"result":null`), probe.NoResult, probe.UpstreamUnavailable, false},
		{"result of another shape", rpcHandler(`"result":[1]`), probe.NoResult, probe.UpstreamUnavailable, false},
		{"result that is an error", rpcHandler(`"result":{"isError":true,"content":[]}`), probe.NoResult, probe.UpstreamUnavailable, false},
		{"result in plain text", mistyped("text/plain"), probe.NoResult, probe.UpstreamUnavailable, false},
		{"result without a type", mistyped(""), probe.NoResult, probe.UpstreamUnavailable, false},
		{"result and error", rpcHandler(`"result":{},"error":{"code":1,"message":"x"}`), probe.NoResult, probe.UpstreamUnavailable, false},
		{"result for another id", textHandler(200, "application/json", `{"jsonrpc":"2.0","id":0,"result":{}}`), probe.NoResult, probe.UpstreamUnavailable, false},
		{"stream without the answer", textHandler(200, "text/event-stream", ": hello\n\ndata: {}\n\n"), probe.NoResult, probe.UpstreamUnavailable, false},
		{"stream that never answers", stream(": ping\n\n"), probe.Timeout, probe.UpstreamUnavailable, true},
		{"stream of one endless event", flood("data: "), probe.NoResult, probe.UpstreamUnavailable, false},
		{"endless JSON", flood("["), probe.NoResult, probe.UpstreamUnavailable, false},
		{"stream aborts", bytesThen("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {}\n\n", resetting), probe.Reset, probe.UpstreamUnavailable, false},
		{"breaks off", bytesThen("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", closing), probe.Truncated, probe.UpstreamUnavailable, false},
		{"aborts", bytesThen("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", resetting), probe.Reset, probe.UpstreamUnavailable, false},
		{"no answer", bytesThen("", hanging), probe.Timeout, probe.UpstreamUnavailable, true},
		{"reset", bytesThen("", resetting), probe.Reset, probe.Broken, false},
		{"closed", bytesThen("", closing), probe.ClosedWithoutAnswer, probe.Broken, false},
		{"SSH", bytesThen("SSH-2.0-OpenSSH_9.2p1\r\n", closing), probe.NotHTTP, probe.Broken, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			model, _, url := gate(t, mcpfake.Options{}, map[probe.Case]http.HandlerFunc{probe.Valid: test.answer})
			timeout := patience
			if test.slow {
				timeout = hurry
			}
			report := run(t, runner.Options{}, probe.Target{URL: url, Providers: []probe.Provider{{Tokens: model.template}}, Exact: true, Timeout: timeout})
			if got := firstResult(t, report, probe.Valid); got.Outcome != test.outcome {
				t.Errorf("outcome %s, want %s; %+v", got.Outcome, test.outcome, got)
			}
			if got := firstResult(t, report, probe.WrongKey); got.Outcome != probe.Passed {
				t.Errorf("the bad ones: %+v", got)
			}
			if verdict := verdicts.Of(report); verdict.Kind != test.kind || verdict.Case != probe.Valid {
				t.Errorf("verdict %+v, want %s", verdict, test.kind)
			}
		})
	}
}

// rpcHandler answers 200 with the members and the request's id.
func rpcHandler(members string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%s}`, rpcID(r), members)
	}
}

// mistyped answers 200 with a good result of initialize, called something else than JSON.
func mistyped(mediaType string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		textHandler(200, mediaType, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-06-18","capabilities":{}}}`, rpcID(r)))(w, r)
	}
}

// stream sends an event and keeps the stream open until the client leaves.
func stream(event string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprint(w, event)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

// flood begins with prefix and never stops.
func flood(prefix string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", map[bool]string{true: "text/event-stream", false: "application/json"}[prefix == "data: "])
		_, err := fmt.Fprint(w, prefix)
		for err == nil {
			_, err = fmt.Fprint(w, strings.Repeat("[", 64<<10))
		}
	}
}

// TestControlPastTheOpening: what fails after initialize fails the control, and the session is closed all the same.
func TestControlPastTheOpening(t *testing.T) {
	for name, test := range map[string]struct {
		method  string
		answer  http.HandlerFunc
		timeout time.Duration
	}{
		"initialized fails":   {"notifications/initialized", textHandler(500, "text/plain", "oops"), patience},
		"tools/list is empty": {"tools/list", rpcHandler(`"result":{"tools":null}`), patience},
		"tools/list hangs":    {"tools/list", bytesThen("", hanging), hurry},
	} {
		t.Run(name, func(t *testing.T) {
			model, fake, url := gateWithout(t, mcpfake.Options{}, test.method, test.answer)
			report := run(t, runner.Options{}, probe.Target{URL: url, Providers: []probe.Provider{{Tokens: model.template}}, Exact: true, Timeout: test.timeout})
			got := firstResult(t, report, probe.Valid)
			if got.Outcome == probe.Passed || !strings.HasPrefix(got.Seen, test.method+": ") {
				t.Errorf("%+v", got)
			}
			if kind := verdicts.Of(report).Kind; kind != probe.UpstreamUnavailable {
				t.Errorf("verdict %s", kind)
			}
			if open := fake.Requests().Sessions; open != 0 {
				t.Errorf("%d sessions are left open", open)
			}
		})
	}
}

// TestDialects: a server of the stateless revision may say in three ways that it knows no handshake; a stream may hold
// other messages before the answer.
func TestDialects(t *testing.T) {
	for name, test := range map[string]struct {
		dialect mcpfake.Dialect
		method  string
		answer  http.HandlerFunc
	}{
		"header missing":        {mcpfake.Discover, "initialize", failing(400, -32020)},
		"version not supported": {mcpfake.Discover, "initialize", failing(400, -32022)},
		"method not found":      {mcpfake.Discover, "initialize", failing(404, -32601)},
		"notification goes first": {mcpfake.Stateful, "tools/list", func(w http.ResponseWriter, r *http.Request) {
			textHandler(200, "text/event-stream", "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n"+
				"id: 2\r\ndata: {\"jsonrpc\":\"2.0\",\r\ndata:\"id\":"+rpcID(r)+",\"result\":{\"tools\":[{},{},{}]}}\r\n\r\n")(w, r)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			model, _, url := gateWithout(t, mcpfake.Options{Dialect: test.dialect}, test.method, test.answer)
			report := run(t, runner.Options{}, probe.Target{URL: url, Providers: []probe.Provider{{Tokens: model.template}}, Exact: true, Timeout: patience})
			if verdict := verdicts.Of(report); verdict.Kind != probe.Locked || report.Server.Tools != 3 {
				t.Errorf("%+v, server %+v", verdict, report.Server)
			}
		})
	}
}

// failing answers with a JSON-RPC error.
func failing(status, code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		textHandler(status, "application/json", fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":"no"}}`, rpcID(r), code))(w, r)
	}
}

// TestServerWithoutTools is not asked for a list it does not have.
func TestServerWithoutTools(t *testing.T) {
	answer := rpcHandler(`"result":{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"bare","version":"2"}}`)
	model, _, url := gate(t, mcpfake.Options{}, map[probe.Case]http.HandlerFunc{probe.Valid: answer})
	report := run(t, runner.Options{}, probe.Target{URL: url, Providers: []probe.Provider{{Tokens: model.template}}, Exact: true, Timeout: patience})
	if verdict := verdicts.Of(report); verdict.Kind != probe.Locked {
		t.Errorf("%+v", verdict)
	}
	if want := (probe.ServerInfo{Name: "bare", Version: "2", ProtocolVersion: "2025-06-18"}); *report.Server != want {
		t.Errorf("server %+v, want %+v", *report.Server, want)
	}
	for _, request := range model.seen {
		if request.rpc == "tools/list" && request.asked == probe.Valid { // not a form of a bad request
			t.Error("tools/list was asked")
		}
	}
}

// TestManyTools: a list that is longer than any refusal may be is still a result.
func TestManyTools(t *testing.T) {
	tools := strings.Repeat(`{"name":"tool","description":"`+strings.Repeat("x", 1000)+`"},`, 1000)
	list := rpcHandler(`"result":{"tools":[` + strings.TrimSuffix(tools, ",") + `]}`)
	model, _, url := gateWithout(t, mcpfake.Options{}, "tools/list", list)
	report := run(t, runner.Options{}, probe.Target{URL: url, Providers: []probe.Provider{{Tokens: model.template}}, Exact: true, Timeout: patience})
	if verdict := verdicts.Of(report); verdict.Kind != probe.Locked || report.Server.Tools != 1000 {
		t.Errorf("%+v, server %+v", verdict, report.Server)
	}
}

// gateWithout starts a model gate before a server that answers one method of the control in another way.
func gateWithout(
	t *testing.T, options mcpfake.Options, method string, answer http.HandlerFunc,
) (*modelGate, *mcpfake.Server, string) {
	t.Helper()
	spoilt := map[probe.Case]http.HandlerFunc{}
	model, fake, url := gate(t, options, spoilt)
	spoilt[probe.Valid] = func(w http.ResponseWriter, r *http.Request) {
		if peekMethod(r) == method {
			answer(w, r)
			return
		}
		fake.ServeHTTP(w, r)
	}
	return model, fake, url
}
