package runner_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// going puts rounds of these tiers to one gate, each with what the one before has handed on.
func going(t *testing.T, model *modelGate, url string, tiers ...probe.Tier) []probe.Report {
	t.Helper()
	target := probe.Target{URL: url, Providers: []probe.Provider{{Tokens: model.template}}, Exact: true, Timeout: patience, KeepSessions: true}
	var reports []probe.Report
	for _, tier := range tiers {
		target.Tier = tier
		report := run(t, runner.Options{}, target)
		if verdict := verdicts.Of(report); verdict.Kind != probe.Locked {
			t.Fatalf("round %d: %+v", len(reports), verdict)
		}
		target.Sessions, target.Turn = report.Sessions, report.Turn
		reports = append(reports, report)
	}
	return reports
}

// requestCount counts those that the server got, by method.
func requestCount(model *modelGate, method string) int {
	count := 0
	for _, request := range model.seen {
		if request.asked == probe.Valid && (request.rpc == method || request.rpc == "" && request.method == method) {
			count++
		}
	}
	return count
}

const (
	full  = probe.Full
	quick = probe.Quick
)

// A round opens one session, and quick checks go on in it.
func TestSessionIsUsedAgain(t *testing.T) {
	model, fake, url := gate(t, mcpfake.Options{}, nil)
	going(t, model, url, full, quick, quick, quick)
	if opened, ended := requestCount(model, "initialize"), requestCount(model, http.MethodDelete); opened != 1 || ended != 0 || fake.Requests().Sessions != 1 {
		t.Errorf("%d sessions were opened, %d ended", opened, ended)
	}
	going(t, model, url, full)
	if open := fake.Requests().Sessions; open != 2 {
		t.Errorf("%d sessions are open: that of another target was used", open)
	}
}

// A full round opens one in place of the last, which it ends.
func TestFullRoundOpensAnew(t *testing.T) {
	model, fake, url := gate(t, mcpfake.Options{}, nil)
	reports := going(t, model, url, full, quick, full, quick)
	if opened, ended := requestCount(model, "initialize"), requestCount(model, http.MethodDelete); opened != 2 || ended != 1 || fake.Requests().Sessions != 1 {
		t.Errorf("%d sessions were opened, %d ended", opened, ended)
	}
	if status := reports[3].Sessions.EndRefused().Status; status != 0 {
		t.Errorf("ending was refused: %d", status)
	}
}

// A round by itself ends what it has opened.
func TestRoundByItselfEndsItsSession(t *testing.T) {
	for _, tier := range []probe.Tier{full, quick} {
		model, fake, url := gate(t, mcpfake.Options{}, nil)
		run(t, runner.Options{}, probe.Target{URL: url, Providers: []probe.Provider{{Tokens: model.template}}, Exact: true, Timeout: patience, Tier: tier})
		if opened, open := requestCount(model, "initialize"), fake.Requests().Sessions; opened != 1 || open != 0 {
			t.Errorf("%s: %d sessions were opened, %d are left", tier, opened, open)
		}
	}
}

// lost answers requests in one session in some way, until another is opened.
func lost(fake *mcpfake.Server, answer http.HandlerFunc) http.HandlerFunc {
	var first string
	return func(w http.ResponseWriter, r *http.Request) {
		session := r.Header.Get("Mcp-Session-Id")
		if first == "" && session != "" && peekMethod(r) == "ping" {
			first = session
		}
		if session != "" && session == first && r.Method == http.MethodPost {
			answer(w, r)
			return
		}
		fake.ServeHTTP(w, r)
	}
}

// A session that the server ends by itself, in whatever words, is followed by one new one, in the same case, and is no failure.
func TestSessionThatHasEnded(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		ended  int
	}{
		"404":                              {textHandler(404, "text/plain", "Session not found"), 0},
		"400, as some servers answer":      {textHandler(400, "application/json", `{"error":"no valid session ID"}`), 1},
		"401, for its token has expired":   {textHandler(401, "text/plain", "token expired"), 1},
		"403, for its token is another":    {textHandler(403, "text/plain", "not yours"), 1},
		"500":                              {textHandler(500, "text/html", "KeyError"), 1},
		"404 by the gate, another secret":  {refuse("unknown_session", func(a *refusal) { a.status = 404 }), 0},
		"a result that is no JSON-RPC one": {textHandler(200, "text/html", "hello"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			spoilt := map[probe.Case]http.HandlerFunc{}
			model, fake, url := gate(t, mcpfake.Options{}, spoilt)
			spoilt[probe.Valid] = lost(fake, c.answer)
			reports := going(t, model, url, quick, quick, quick, quick)
			if opened, ended := requestCount(model, "initialize"), requestCount(model, http.MethodDelete); opened != 2 || ended != c.ended {
				t.Errorf("%d sessions were opened, %d ended", opened, ended)
			}
			if reports[1].Extra != 1+c.ended {
				t.Errorf("%d connections more than a quick check has", reports[1].Extra)
			}
		})
	}
}

// What goes wrong below HTTP, or in front of the server, is told as it is; the next round does not rely on the session.
func TestSessionAndTrouble(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   probe.Outcome
	}{
		"reset":       {bytesThen("", resetting), probe.Reset},
		"unavailable": {refuse("upstream_refused", func(a *refusal) { a.status = 502 }), probe.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			spoilt := map[probe.Case]http.HandlerFunc{}
			model, fake, url := gate(t, mcpfake.Options{}, spoilt)
			target := probe.Target{URL: url, Providers: []probe.Provider{{Tokens: model.template}}, Exact: true, Timeout: patience, Tier: quick, KeepSessions: true}
			target.Sessions = run(t, runner.Options{}, target).Sessions
			spoilt[probe.Valid] = lost(fake, c.answer)
			report := run(t, runner.Options{}, target)
			if got := firstResult(t, report, probe.Valid); got.Outcome != c.want || strings.HasPrefix(got.Seen, "ping") {
				t.Errorf("%+v", got)
			}
			target.Sessions = report.Sessions
			if verdict := verdicts.Of(run(t, runner.Options{}, target)); verdict.Kind != probe.Locked {
				t.Errorf("%+v", verdict)
			}
		})
	}
}

// Where the server ends no sessions, one is used for good, and that it was refused is told.
func TestServerThatEndsNoSession(t *testing.T) {
	spoilt := map[probe.Case]http.HandlerFunc{}
	model, fake, url := gate(t, mcpfake.Options{}, spoilt)
	spoilt[probe.Valid] = func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
			return
		}
		fake.ServeHTTP(w, r)
	}
	tiers := []probe.Tier{full, quick, full, quick, full, full, quick}
	reports := going(t, model, url, tiers...)
	if opened := fake.Requests().Sessions; opened != 2 {
		t.Errorf("%d sessions are open", opened)
	}
	last := reports[len(reports)-2]
	if status := last.Sessions.EndRefused().Status; status != http.StatusMethodNotAllowed {
		t.Errorf("told %d", status)
	}
	if last.Server == nil || last.Server.Name != "mcpfake" || last.Server.Tools != reports[0].Server.Tools {
		t.Errorf("server %+v", last.Server)
	}
}

// A server that does not know ping is asked for its tools.
func TestServerThatKnowsNoPing(t *testing.T) {
	model, _, url := gateWithout(t, mcpfake.Options{}, "ping", failing(200, -32601))
	going(t, model, url, full, quick, quick)
	if opened, lists := requestCount(model, "initialize"), requestCount(model, "tools/list"); opened != 1 || lists < 3 {
		t.Errorf("%d sessions, %d lists", opened, lists)
	}
	model, fake, url := gateWithout(t, mcpfake.Options{}, "ping", failing(200, -32601))
	spoilt := model.spoilt[probe.Valid]
	model.spoilt[probe.Valid] = func(w http.ResponseWriter, r *http.Request) { // nor has it tools
		if peekMethod(r) == "initialize" {
			w = withoutTools{w}
		}
		spoilt(w, r)
	}
	going(t, model, url, full, quick, quick)
	if open := fake.Requests().Sessions; open != 1 {
		t.Errorf("%d sessions are open", open)
	}
}

// withoutTools takes the capability out of an answer.
type withoutTools struct{ http.ResponseWriter }

func (w withoutTools) Write(data []byte) (int, error) {
	w.Header().Del("Content-Length")
	_, err := w.ResponseWriter.Write([]byte(strings.ReplaceAll(string(data), `"tools":`, `"others":`)))
	return len(data), err
}

// The session of one gate is never named to another.
func TestSessionsAreOfOneGate(t *testing.T) {
	one, _, oneURL := gate(t, mcpfake.Options{}, nil)
	other, _, otherURL := gate(t, mcpfake.Options{}, nil)
	other.template = one.template
	reports := going(t, one, oneURL, full)
	target := probe.Target{
		URL: otherURL, Providers: []probe.Provider{{Tokens: other.template}}, Exact: true, Timeout: patience, Tier: quick, KeepSessions: true,
		Sessions: reports[0].Sessions,
	}
	if verdict := verdicts.Of(run(t, runner.Options{}, target)); verdict.Kind != probe.Locked {
		t.Errorf("%+v", verdict)
	}
	if slices.ContainsFunc(other.seen, func(r seenRequest) bool { return r.header.Get("Mcp-Session-Id") != "" }) {
		t.Error("a session was named to another gate")
	}
}

// Nothing prints the id of a session.
func TestSessionsAreNotPrinted(t *testing.T) {
	model, _, url := gate(t, mcpfake.Options{}, nil)
	report := going(t, model, url, full)[0]
	encoded, err := json.Marshal(report.Sessions)
	if printed := fmt.Sprintf("%v %+v %#v %s", report.Sessions, report.Sessions, report.Sessions, encoded); err != nil || printed != "1 sessions 1 sessions 1 sessions null" {
		t.Errorf("%q, %v", printed, err)
	}
}
