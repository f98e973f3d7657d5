package mutation

import "github.com/mcp-gatehouse/gatehouse/internal/probe"

// lets is where gates that are open somewhere let in whom they have refused; what is open is in
// testdata/overlay/internal/gate/request.
var lets = edit{
	"request/exchange.go", "if denial := x.admit(); denial != nil {", "if denial := x.admit(); denial != nil && !x.lets(denial) {",
}

// stays is where whoever was let in without a token is judged again.
var stays = edit{
	"request/recheck.go", "	current := x.handler.Store.Current()\n	if current == x.snapshot &&", "	if x.isLetIn() {\n		return nil\n	}\n	current := x.handler.Store.Current()\n	if current == x.snapshot &&",
}

// notes counts the requests of a connection; slips is where gates let in whom they refuse before they look at a token.
var (
	notes = insertBefore("request/exchange.go", "if denial := requestcheck.Check(", "x.note()\n")
	slips = edit{"request/exchange.go", "if denial := requestcheck.Check(x.request, x.snapshot.Config); denial != nil {", "if denial := requestcheck.Check(x.request, x.snapshot.Config); denial != nil && !x.slips(denial) {"}
)

// inTurn is a gate that is open to a form of request which has its turn now and then. The server does not like the form.
func inTurn(name, does string) mutantGate {
	return mutantGate{
		name: name, does: does, kind: probe.Broken, named: probe.Varied, outcome: probe.ForeignAnswer, only: true, inTurn: true,
		edits: []edit{lets},
	}
}

// doors are gates that are open to some requests, whatever their token.
func doors() []mutantGate {
	edits := []edit{lets}
	visits := []edit{edits[0], notes, insertBefore("request/exchange.go", "x.handler.Forwarder.Serve(x.response,", "x.remember()\n")}
	return []mutantGate{
		{name: "open", does: "is open", named: probe.NoToken, edits: edits},
		{name: "no-token", does: "lets in who has no token", named: probe.NoToken, edits: edits},
		{
			name: "no-token-plain", does: "lets in who has no token, where a connection begins and nothing else is asked for",
			named: probe.NoToken, only: true, edits: visits,
		},
		{name: "empty", does: "lets in who says Bearer and nothing behind it", named: probe.Empty, only: true, edits: edits},
		{name: "malformed", does: "lets in what is no token", named: probe.Malformed, edits: edits},
		{
			name: "malformed-plain", does: "lets in what is no token, where a connection begins and the request is short",
			named: probe.Malformed, only: true, edits: visits,
		},
		{name: "query", does: "takes a token out of the query", named: probe.QueryToken, only: true, edits: edits},
		{name: "get", does: "is open for GET", kind: probe.Broken, named: probe.ByGet, only: true, outcome: probe.ForeignAnswer, edits: edits},
		{name: "delete", does: "is open for DELETE", named: probe.ByDelete, only: true, edits: edits},
		inTurn("options", "is open for OPTIONS, as to browsers that ask what they may"),
		inTurn("batch", "is open to messages in a batch"),
		inTurn("path", "is open at other paths than its own"),
		{
			name: "extra-path", does: "is open at further paths", kind: probe.Broken, named: probe.ExtraPath, only: true,
			outcome: probe.ForeignAnswer, edits: edits,
		},
		{name: "large", does: "is open to bodies above 64 KiB", named: probe.LargeBody, only: true, edits: edits},
		{name: "chunked", does: "is open to bodies that come in chunks", named: probe.LargeBody, only: true, edits: edits},
		{
			name: "connection", does: "lets in all that comes on a connection behind a good token", named: probe.OneConnection, only: true,
			edits: visits,
		},
		{name: "prober-by-name", does: "refuses only who says that he is a prober", named: probe.NoToken, edits: edits},
		{name: "forward-first", does: "shows the server what it refuses", named: probe.ByDelete, only: true, edits: edits},
	}
}

// rights are gates that let every good token do everything. Where rules are gone, the fence around the prober still is.
func rights() []mutantGate {
	return []mutantGate{
		{
			name: "scope", does: "does not want the scopes that every token needs", named: probe.MissingScope, only: true,
			edits: []edit{{"authz/policy.go", "enough := hasAll(", `enough := mutant == "scope" || hasAll(`}},
		},
		{
			name: "rule", does: "lets everybody call what nobody may", kind: probe.Broken, named: probe.MissingRuleClaim, outcome: probe.WrongReason,
			edits: []edit{{"authz/policy.go", "case forbidden:\n", `case forbidden:
			if mutant == "rule" {
				continue
			}
			`}},
		},
		{
			name: "rule-scope", does: "does not want the scopes that a call needs", kind: probe.Broken, named: probe.MissingRuleScope, only: true, outcome: probe.WrongReason,
			edits: []edit{{"authz/policy.go", "enough = false", `enough = enough && mutant == "rule-scope"`}},
		},
		{
			name: "rule-claim", does: "does not want the claims that a call needs", kind: probe.Broken, named: probe.MissingRuleClaim, only: true, outcome: probe.WrongReason,
			edits: []edit{{"authz/policy.go", "if !rule.claimsMatch(caller) {", `if !rule.claimsMatch(caller) && mutant != "rule-claim" {`}},
		},
		{
			name: "unnamed", does: "lets everybody call what no rule names", kind: probe.Broken, named: probe.ForbiddenCall, only: true, outcome: probe.WrongReason,
			edits: []edit{{"authz/policy.go", "case p.judgesNames[s.target] || !p.allow:", `case mutant != "unnamed" && (p.judgesNames[s.target] || !p.allow):`}},
		},
		{
			name: "session-caller", does: "seals sessions to nobody in particular", named: probe.ForeignSession, only: true,
			edits: []edit{insertBefore("authn/session/session.go", "sum := k.mac.Sum(", `if mutant == "session-caller" {
				caller = Caller{}
			}
			`)},
		},
		{
			name: "session-seal", does: "does not look at the seal of a session", named: probe.ForeignSession, only: true,
			edits: []edit{insertBefore("request/session.go", "if !ok {", `if mutant == "session-seal" && !ok {
				unseal(header)
				return nil
			}
			`)},
		},
		{
			name: "session-unbound", does: "binds no session", named: probe.ForeignSession, only: true,
			edits: []edit{insertBefore("request/session.go", "keyring := x.handler.Secrets", `if mutant == "session-unbound" {
				return nil
			}
			`)},
		},
	}
}

// requests are gates that look at a good token alone, and not at what it comes with.
func requests() []mutantGate {
	return []mutantGate{
		{
			name: "scheme", does: "takes a token under any scheme", named: probe.WrongScheme, only: true,
			edits: []edit{{"authn/bearer/bearer.go", `if !strings.EqualFold(scheme, "Bearer") {`, `if !strings.EqualFold(scheme, "Bearer") && mutant != "scheme" {`}},
		},
		{
			name: "two-tokens", does: "takes the first of two tokens", named: probe.Varied, only: true, inTurn: true,
			edits: []edit{{"authn/bearer/bearer.go", "if len(values) > 1 {", `if len(values) > 1 && mutant != "two-tokens" {`}},
		},
		{
			name: "host", does: "answers to every name", named: probe.WrongHost, only: true,
			edits: []edit{{"requestcheck/target.go", "if !isOurHost(r.Host, hosts) {", `if !isOurHost(r.Host, hosts) && mutant != "host" {`}},
		},
		{
			name: "origin", does: "takes requests of every page", named: probe.WrongOrigin, only: true,
			edits: []edit{insertBefore("requestcheck/origin.go", "return deny.WrongOrigin()", `if mutant == "origin" {
				return nil
			}
			`)},
		},
		{
			name: "slash", does: "takes the path with a slash at its end for its own", kind: probe.Broken, named: probe.TrailingSlash, only: true, outcome: probe.ForeignAnswer,
			edits: []edit{{"requestcheck/requestcheck.go", "case upstream.IsEndpoint(path):", `case upstream.IsEndpoint(path), mutant == "slash" && path == upstream.Path+"/":`}},
		},
		{
			name: "plain-http", does: "takes plain HTTP on the port of TLS", kind: probe.Broken, named: probe.PlainHTTP, only: true, outcome: probe.WrongStatus, tls: true,
			edits: []edit{insertBefore("server.go", `return server.ServeTLS(listener, "", "")`, `if mutant == "plain-http" {
				return server.Serve(&eitherWay{listener, server.TLSConfig})
			}
			`)},
		},
		{
			name: "tls", does: "serves plain HTTP where it is to serve TLS", kind: probe.Broken, named: probe.Valid, outcome: probe.TLS, tls: true,
			edits: []edit{insertBefore("server.go", `return server.ServeTLS(listener, "", "")`, `if mutant == "tls" {
				return server.Serve(listener)
			}
			`)},
		},
		{
			name: "body-limit", does: "takes bodies of any length", kind: probe.Broken, named: probe.TooLarge, only: true, outcome: probe.ForeignAnswer,
			edits: []edit{
				{"request/handler.go", "body.Of(w, r, current.Config.Limits.BodyBytes)", "body.Of(w, r, bodyLimit(current.Config))"},
				{"request/message.go", "x.body.Prefetch(config.Limits.BodyBytes)", "x.body.Prefetch(bodyLimit(config))"},
			},
		},
	}
}

// published are gates that do not tell clients where tokens are to be had.
func published() []mutantGate {
	tells := func(name, does string, outcome probe.Outcome, edits ...edit) mutantGate {
		return mutantGate{name: name, does: does, kind: probe.Broken, named: probe.Metadata, only: true, outcome: outcome, edits: edits}
	}
	return []mutantGate{
		tells("metadata-absent", "does not serve its metadata", probe.WrongStatus,
			edit{"request/public.go", "document.Is(x.request.URL.EscapedPath()) {", `document.Is(x.request.URL.EscapedPath()) && mutant != "metadata-absent" {`}),
		tells("metadata-other", "serves the metadata of another resource", probe.NoResult,
			edit{"metadata/metadata.go", "Resource: m.Resource,", "Resource: resourceOf(m),"}),
		tells("metadata-challenge", "does not tell where its metadata is", probe.MissingChallenge,
			edit{"deny/answer.go", `parameter("resource_metadata", site.Metadata)`, `parameter("resource_metadata", unless("metadata-challenge", site.Metadata))`}),
	}
}

// monitored are gates whose health paths are not as they must be.
func monitored() []mutantGate {
	return []mutantGate{
		{
			name: "health-server", does: "tells of its server at its health paths", kind: probe.Broken, named: probe.Health, only: true, outcome: probe.ForeignAnswer,
			edits: []edit{insertBefore("request/public.go", "header := x.response.Header()", `if mutant == "health-server" {
				text = "{\"status\":\"ok\",\"version\":\"1\"}"
			}
			`)},
		},
		{
			name: "health-absent", does: "does not serve its health paths", kind: probe.Broken, named: probe.Health, only: true, outcome: probe.WrongStatus,
			edits: []edit{{"request/public.go", "if !slices.Contains(config.HealthPaths, path) ||", `if mutant == "health-absent" || !slices.Contains(config.HealthPaths, path) ||`}},
		},
		{
			name: "health-post", does: "takes any method at its health paths", named: probe.Health, only: true,
			edits: []edit{{"request/public.go", "if !isGet {", `if !isGet && mutant != "health-post" {`}},
		},
	}
}

// unseen are gates that no prober can tell from a good one: they know it by what only a gate can know. What keeps
// the gate from being one of them is that nothing which decides about a request can ask (test/imports).
func unseen() []mutantGate {
	return []mutantGate{{
		name: "prober-by-id", does: "refuses only what has a probe's request id", edits: []edit{lets},
		kind: probe.Locked, named: probe.Valid, outcome: probe.Passed,
	}}
}
