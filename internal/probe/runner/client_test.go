package runner_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// openings are the first requests of each case that changes nothing but its token.
func openings(model *modelGate) []seenRequest {
	return slices.DeleteFunc(slices.Clone(model.seen), func(r seenRequest) bool {
		return (r.rpc != "initialize" && r.rpc != "server/discover") || !slices.Contains(tokenCases, r.asked)
	})
}

var tokenCases = []probe.Case{
	probe.NoToken, probe.Empty, probe.WrongScheme, probe.Malformed, probe.QueryToken, probe.FlippedSignature, probe.Expired,
	probe.NotYetValid, probe.TooLongLived, probe.WrongKey, probe.UnknownKid, probe.RetiredKey, probe.AlgNone, probe.AlgConfused,
	probe.WrongIssuer, probe.WrongAudience, probe.WrongType, probe.MissingIdentity, probe.MissingExpiry, probe.Revoked, probe.MissingScope,
}

// TestMinimalPairs: a bad request is the control with one thing changed, down to the second in which its token was
// minted, and comes on a connection of its own.
func TestMinimalPairs(t *testing.T) {
	for _, dialect := range mcpfake.Dialects() {
		t.Run(string(dialect), func(t *testing.T) {
			model, _, url := gate(t, mcpfake.Options{Dialect: dialect}, nil)
			target := model.target(url)
			target.Seed = 1
			run(t, runner.Options{}, target)
			var control seenRequest
			for _, request := range model.seen { // The last of the first: it may have found out that there is no handshake.
				if request.asked != probe.Valid {
					break
				}
				if request.rpc == "initialize" || request.rpc == "server/discover" {
					control = request
				}
			}
			seen := openings(model)
			for _, request := range seen {
				comparePair(t, request, control)
			}
			for _, asked := range tokenCases {
				if !slices.ContainsFunc(seen, func(r seenRequest) bool { return r.asked == asked }) {
					t.Errorf("%s was not asked as the control is", asked)
				}
			}
			distinct(t, "connection", slices.DeleteFunc(slices.Clone(model.seen), func(r seenRequest) bool { return r.asked == probe.OneConnection }),
				func(r seenRequest) string { return r.remote })
			distinct(t, "id", seen, func(r seenRequest) string { return r.id })
			distinct(t, "request id", model.seen, func(r seenRequest) string { return r.header.Get("X-Request-Id") })
		})
	}
}

func comparePair(t *testing.T, request, control seenRequest) {
	t.Helper()
	if request.bodyless != control.bodyless {
		t.Errorf("%s: body %s, of the control %s", request.asked, request.bodyless, control.bodyless)
	}
	for name, values := range request.header {
		if own := name == "Authorization" || name == "Content-Length" || name == "X-Request-Id"; !own && !slices.Equal(values, control.header[name]) {
			t.Errorf("%s: header %s: %v, of the control %v", request.asked, name, values, control.header[name])
		}
	}
	if iat := request.claims["iat"]; request.claims != nil && request.asked != probe.Expired && iat != control.claims["iat"] {
		t.Errorf("%s: minted at %v, the control at %v", request.asked, iat, control.claims["iat"])
	}
}

func distinct(t *testing.T, what string, requests []seenRequest, of func(seenRequest) string) {
	t.Helper()
	used := map[string]bool{}
	for _, request := range requests {
		if used[of(request)] {
			t.Errorf("the %s %s is used twice", what, of(request))
		}
		used[of(request)] = true
	}
}

// TestLooksLikeAClient: nothing tells a probe from a client, and no two rounds need look alike.
func TestLooksLikeAClient(t *testing.T) {
	agents := map[string]bool{}
	for seed := range uint64(3) {
		model, _, url := gate(t, mcpfake.Options{}, nil)
		draws := seed
		random := func() uint64 { draws += 7919; return draws - 7919 }
		run(t, runner.Options{Random: random}, probe.Target{URL: url, Providers: []probe.Provider{{Tokens: model.template}}, Exact: true, Timeout: patience})
		for _, request := range model.seen {
			allowed := []string{
				"Accept", "Authorization", "Content-Length", "Content-Type", "Mcp-Protocol-Version", "Mcp-Session-Id", "User-Agent",
				"X-Request-Id",
			}
			for name := range request.header {
				if !slices.Contains(allowed, name) {
					t.Errorf("%s %s: header %s", request.method, request.rpc, name)
				}
			}
			agents[request.header.Get("User-Agent")] = true
		}
		checkHandshake(t, model.seen)
	}
	if len(agents) != 3 {
		t.Errorf("three rounds came as %v", agents)
	}
}

// checkHandshake looks at what follows initialize: the session and version agreed on are named, and the session ended.
func checkHandshake(t *testing.T, seen []seenRequest) {
	t.Helper()
	var steps []string
	for _, request := range append(slices.Clone(seen[:3]), seen[len(seen)-1]) {
		steps = append(steps, request.method+" "+request.rpc)
		inSession := request.header.Get("Mcp-Session-Id") != ""
		if version := request.header.Get("Mcp-Protocol-Version"); inSession != (request.rpc != "initialize") || inSession != (version == "2025-11-25") {
			t.Errorf("%s: session %v, version %q", request.rpc, inSession, version)
		}
		if accept := request.header.Get("Accept"); request.method == http.MethodPost && accept != "application/json, text/event-stream" {
			t.Errorf("%s: Accept %q", request.rpc, accept)
		}
	}
	if want := []string{"POST initialize", "POST notifications/initialized", "POST tools/list", "DELETE "}; !slices.Equal(steps, want) {
		t.Errorf("steps %q, want %q", steps, want)
	}
}
