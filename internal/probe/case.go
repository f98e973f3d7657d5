package probe

import (
	"maps"
	"slices"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// Case is one question put to a gate.
type Case string

// The cases of a round, in the order in which they are asked. Valid is asked first, and again at the end.
const (
	// NoToken carries no Authorization header.
	NoToken Case = "none"
	// Malformed carries a bearer that is no JWT.
	Malformed Case = "malformed"
	// Expired carries the control's token, issued and expired more than an hour ago.
	Expired Case = "expired"
	// WrongKey carries the control's token, signed by a key that the gate has never seen, under the real "kid".
	WrongKey Case = "wrong-key"
	// Valid is the control: a token that must be let in.
	Valid Case = "valid"
)

// negative is a case that must be refused: the control with one thing changed.
type negative struct {
	name Case
	// mint gives the bearer; "" is none.
	mint func(token.Template, time.Time) (string, error)
	// reason is the one that the gate's refusal must name.
	reason string
}

func negatives() []negative {
	constant := func(bearer string) func(token.Template, time.Time) (string, error) {
		return func(token.Template, time.Time) (string, error) { return bearer, nil }
	}
	spoilt := func(defect token.Defect) func(token.Template, time.Time) (string, error) {
		return func(template token.Template, now time.Time) (string, error) { return template.Bad(defect, now) }
	}
	return []negative{
		{name: NoToken, mint: constant(""), reason: "missing_token"},
		{name: Malformed, mint: constant(token.Malformed), reason: "malformed_token"},
		{name: Expired, mint: spoilt(token.Expired), reason: "expired"},
		{name: WrongKey, mint: spoilt(token.WrongKey), reason: "bad_signature"},
	}
}

// asked is how a message to a person names what was sent.
func (c Case) asked() string {
	switch c {
	case NoToken:
		return "a request without a token"
	case Malformed:
		return "a request with a malformed token"
	case Expired:
		return "a request with an expired token"
	case WrongKey:
		return "a request with a token signed by an unknown key"
	default:
		return "a request with a valid token"
	}
}

// timed is true when the answer depends on the clocks of prober and gate.
func (c Case) timed() bool { return c == Expired || c == WrongKey || c == Valid }

// reasonHeader is on every answer that the gate gives itself, with the reason. The gate removes it from what the server
// sends, so it cannot be forged from behind.
const reasonHeader = "Gatehouse-Reason"

// reasons are all that a gate may name. Any other text in that place is the target's own and is not repeated.
var reasons = map[string]bool{
	// About the token.
	"missing_token": true, "malformed_token": true, "unsupported_algorithm": true, "unknown_key": true,
	"bad_signature": true, "expired": true, "not_yet_valid": true, "wrong_audience": true, "wrong_issuer": true,
	"wrong_type": true, "missing_claim": true, "revoked": true, "insufficient_scope": true,
	// About the request.
	"ambiguous_header": true, "bad_target": true, "bad_body": true, "wrong_origin": true, "wrong_host": true,
	"unknown_path": true, "unknown_method": true, "body_timeout": true, "body_too_large": true, "forbidden": true,
	"bad_message": true, "header_mismatch": true, "unsupported_media": true, "unknown_session": true,
	"too_many_failures": true, "too_many_streams": true,
	// About the gate and the server behind it.
	reasonNoKeys: true, reasonNoSecret: true, "internal": true, "upstream_refused": true, "upstream_unreachable": true,
	"upstream_reset": true, "upstream_closed": true, "upstream_not_http": true, "upstream_upgrade": true,
	"upstream_session": true, "upstream_timeout": true,
}

// Reasons lists what a gate may name as the reason of an answer of its own, sorted. Result.Reason has no other value
// but "" and "other". The list is the gate's own; it is repeated here because the prober must not depend on the gate.
func Reasons() []string { return slices.Sorted(maps.Keys(reasons)) }

const (
	reasonNoKeys   = "no_keys"
	reasonNoSecret = "no_secret"
	// reasonOther stands for a reason that is not in the list.
	reasonOther = "other"
	// upstreamPrefix begins the reasons by which a gate says that it asked the server and got no answer.
	upstreamPrefix = "upstream_"
)
