package mutation

import "github.com/mcp-gatehouse/gatehouse/internal/probe"

// answers are gates that refuse whom they must, and do not say it as they must; or refuse everybody.
func answers() []mutantGate {
	return append(spoiltRefusals(), lockedOut()...)
}

func spoiltRefusals() []mutantGate {
	refusal := func(name, does string, named probe.Case, outcome probe.Outcome, edits ...edit) mutantGate {
		return mutantGate{name: name, does: does, kind: probe.Broken, named: named, outcome: outcome, edits: edits}
	}
	first := probe.NoToken
	return []mutantGate{
		refusal("reason-expired", "says of an expired token that it is malformed", probe.Expired, probe.WrongReason,
			edit{"authn/verify/provider.go", "return gateapi.ReasonExpired\n", `if mutant == "reason-expired" {
				return gateapi.ReasonMalformedToken
			}
			return gateapi.ReasonExpired
			`}),
		refusal("reason-header", "does not mark its refusals", first, probe.ForeignAnswer,
			edit{"deny/answer.go", "header.Set(ReasonHeader,", `header.Set(unless("reason-header", ReasonHeader),`}),
		refusal("challenge", "refuses without a challenge", first, probe.MissingChallenge,
			edit{"deny/answer.go", "if d.challenge {", `if d.challenge && mutant != "challenge" {`}),
		refusal("challenge-code", "tells who has no token that it is invalid", first, probe.MissingChallenge,
			edit{"deny/denial.go", "if reason == gateapi.ReasonMissingToken {", `if reason == gateapi.ReasonMissingToken && mutant != "challenge-code" {`}),
		refusal("challenge-bare", "does not tell who has a bad token that it is invalid", probe.Empty, probe.MissingChallenge,
			edit{"deny/answer.go", `parameter("error", d.code)`, `parameter("error", unless("challenge-bare", d.code))`}),
		refusal("message", "refuses without a message", first, probe.UnclearMessage,
			edit{"deny/answer.go", `http.StatusText(d.Status) + ": " + d.Message`, `unless("message", http.StatusText(d.Status) + ": " + d.Message)`}),
		refusal("message-id", "refuses without the request's id", first, probe.UnclearMessage,
			insertBefore("deny/answer.go", "payload = append(payload", `if mutant == "message-id" {
				payload = withoutID(payload)
			}
			`)),
		refusal("status", "refuses with 403 in place of 401", first, probe.WrongStatus, statusEdit),
		refusal("redirect", "sends who is refused elsewhere", first, probe.Redirect, statusEdit),
		refusal("reset", "resets the connection in place of a refusal", first, probe.Reset,
			insertBefore("request/refuse.go", "denial.Answer(x.response, x.body, x.snapshot.Site)", `if mutant == "reset" {
				x.reset()
				return
			}
			`)),
		{
			name: "ok", does: "refuses inside of a 200", named: first, edits: []edit{statusEdit},
		},
	}
}

// statusEdit is where the status of a refusal becomes another; see testdata/overlay/internal/gate/deny.
var statusEdit = edit{"deny/answer.go", "w.WriteHeader(d.Status)", "w.WriteHeader(d.mutantStatus())"}

// lockedOut are gates behind which good clients get nothing.
func lockedOut() []mutantGate {
	return []mutantGate{
		{
			name: "locked-out", does: "refuses everybody", kind: probe.ValidRejected, named: probe.Valid, outcome: probe.Rejected,
			edits: []edit{insertBefore("authn/verify/candidate.go", "principal := f.principal(signer)", `if mutant == "locked-out" {
				return Principal{}, deny.Token(gateapi.ReasonRevoked)
			}
			`)},
		},
		{
			name: "clock", does: "judges times by a clock that is hours slow", kind: probe.ValidRejected, named: probe.Valid, outcome: probe.Rejected,
			edits: []edit{insertBefore("authn/verify/provider.go", "switch {\n\tcase !now.Before(l.end)", `if mutant == "clock" {
				now = now.Add(-2 * time.Hour)
			}
			`)},
		},
		{
			name: "session-raw", does: "hands out sessions that it does not know again", kind: probe.Broken, named: probe.Valid, only: true, outcome: probe.WrongStatus,
			edits: []edit{{"request/session.go", "if x.caller.binding == nil {", `if x.caller.binding == nil || mutant == "session-raw" {`}},
		},
	}
}
