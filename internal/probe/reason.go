package probe

import (
	"maps"
	"slices"
)

// reasonHeader is on every answer that the gate gives itself, with the reason. The gate removes it from what the server
// sends, so it cannot be forged from behind.
const reasonHeader = "Gatehouse-Reason"

// reasons are all that a gate may name. Any other text in that place is the target's own and is not repeated.
var reasons = map[string]bool{
	// About the token.
	reasonMissingToken: true, reasonMalformed: true, reasonAlgorithm: true, reasonUnknownKey: true,
	reasonSignature: true, "expired": true, "not_yet_valid": true, "wrong_audience": true, "wrong_issuer": true,
	"wrong_type": true, "missing_claim": true, "revoked": true, reasonProbe: true, "insufficient_scope": true,
	// About the request.
	"ambiguous_header": true, "bad_target": true, "bad_body": true, "wrong_origin": true, "wrong_host": true,
	"unknown_path": true, "unknown_method": true, "body_timeout": true, "body_too_large": true, "forbidden": true, reasonReserved: true,
	"bad_message": true, "header_mismatch": true, "unsupported_media": true, "unknown_session": true,
	"too_many_failures": true, "too_many_requests": true, "overloaded": true, "too_many_streams": true,
	// About the gate and the server behind it.
	reasonNoKeys: true, reasonNoRevocations: true, reasonNoSecret: true, "internal": true, "upstream_refused": true, "upstream_unreachable": true,
	"upstream_reset": true, "upstream_closed": true, "upstream_not_http": true, "upstream_upgrade": true,
	"upstream_session": true, "upstream_redirect": true, "upstream_timeout": true,
}

// Reasons lists what a gate may name as the reason of an answer of its own, sorted. Result.Reason has no other value
// but "" and "other". The list is the gate's own; it is repeated here because the prober must not depend on the gate.
func Reasons() []string { return slices.Sorted(maps.Keys(reasons)) }

const (
	reasonMissingToken  = "missing_token"
	reasonMalformed     = "malformed_token"
	reasonSignature     = "bad_signature"
	reasonUnknownKey    = "unknown_key"
	reasonAlgorithm     = "unsupported_algorithm"
	reasonProbe         = "wrong_probe"
	reasonReserved      = "reserved_subject"
	reasonNoKeys        = "no_keys"
	reasonNoRevocations = "no_revocations"
	reasonNoSecret      = "no_secret"
	// reasonOther stands for a reason that is not in the list.
	reasonOther = "other"
	// upstreamPrefix begins the reasons by which a gate says that it asked the server and got no answer.
	upstreamPrefix = "upstream_"
)
