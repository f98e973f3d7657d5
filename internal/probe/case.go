package probe

import (
	"maps"
	"slices"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// Case is one question put to a gate.
type Case string

// The cases, in the order in which a round asks them; but Valid is asked first, and again at the end. Each but Valid is
// the control with one thing changed, and must be refused.
const (
	// NoToken carries no Authorization header.
	NoToken Case = "none"
	// Empty carries the scheme Bearer and no token.
	Empty Case = "empty"
	// WrongScheme carries the control's token under another scheme than Bearer.
	WrongScheme Case = "wrong-scheme"
	// Malformed carries a bearer that is no JWT.
	Malformed Case = "malformed"
	// QueryToken carries the control's token in the query, where RFC 6750 section 2.3 once allowed it, and no header.
	QueryToken Case = "query-token"
	// FlippedSignature carries a token that was let in just before, with one bit of its signature changed.
	FlippedSignature Case = "flipped-signature"
	// Expired carries the control's token, issued and expired more than an hour ago.
	Expired Case = "expired"
	// NotYetValid carries a token that is good in an hour.
	NotYetValid Case = "not-yet-valid"
	// TooLongLived carries a token that lives longer than the gate grants.
	TooLongLived Case = "too-long-lived"
	// WrongKey carries the control's token, signed by a key that the gate has never seen, under the real "kid".
	WrongKey Case = "wrong-key"
	// UnknownKid carries a token that names a key which nobody has.
	UnknownKid Case = "unknown-kid"
	// RetiredKey carries a token signed by a key of the issuer that is no longer in force.
	RetiredKey Case = "retired-key"
	// AlgNone carries an unsigned token that says so.
	AlgNone Case = "alg-none"
	// AlgConfused carries a token signed by HS256 with the bytes of a public key.
	AlgConfused Case = "alg-confused"
	// WrongIssuer carries a token of an issuer that nobody knows.
	WrongIssuer Case = "wrong-issuer"
	// WrongAudience carries a token for another server.
	WrongAudience Case = "wrong-audience"
	// WrongType carries a JWT that is no access token.
	WrongType Case = "wrong-type"
	// MissingIdentity carries a token that does not say whose it is.
	MissingIdentity Case = "missing-identity"
	// MissingExpiry carries a token without an end.
	MissingExpiry Case = "missing-expiry"
	// Revoked carries a token whose id is on the list of what is revoked.
	Revoked Case = "revoked"
	// Replayed carries a token of an earlier round that was let in then and has expired since.
	Replayed Case = "replayed"
	// MissingScope carries a token without a scope that every token needs.
	MissingScope Case = "missing-scope"
	// ForbiddenCall carries the control's token and calls what it may not call. Should the gate let it pass, then it comes
	// to the server outside of any session and without arguments.
	ForbiddenCall Case = "forbidden-call"
	// ForeignSession names a session of the control, with another caller's token, and with none.
	ForeignSession Case = "foreign-session"
	// OneConnection sends a good, no, a good and a malformed token over one connection.
	OneConnection Case = "one-connection"
	// WrongHost carries the control's token to a Host that is no name of the server.
	WrongHost Case = "wrong-host"
	// WrongOrigin carries the control's token and comes from a page of a foreign origin.
	WrongOrigin Case = "wrong-origin"
	// LargeBody carries a token of a wrong key and a body of more than 64 KiB, in chunks.
	LargeBody Case = "large-body"
	// TooLarge carries the control's token and announces a body that is longer than the gate takes.
	TooLarge Case = "too-large"
	// ByGet and ByDelete carry a token of a wrong key with the other methods of the transport.
	ByGet    Case = "get"
	ByDelete Case = "delete"
	// Varied carries no or a bad token in a request that is unusual in a way drawn by the round's seed.
	Varied Case = "variation"
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
