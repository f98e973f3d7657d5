package probe

import (
	"maps"
	"slices"
)

// ReasonHeader is on every answer that the gate gives itself, with the reason. The gate removes it from what the server
// sends, so it cannot be forged from behind.
const ReasonHeader = "Gatehouse-Reason"

// reasons are all that a gate may name. Any other text in that place is the target's own and is not repeated.
var reasons = map[string]bool{
	// About the token.
	ReasonMissingToken: true, ReasonMalformed: true, ReasonAlgorithm: true, ReasonUnknownKey: true,
	ReasonSignature: true, "expired": true, "not_yet_valid": true, "wrong_audience": true, "wrong_issuer": true,
	"wrong_type": true, "missing_claim": true, "revoked": true, ReasonProbe: true, "insufficient_scope": true,
	// About the request.
	"ambiguous_header": true, "bad_target": true, "bad_body": true, "wrong_origin": true, "wrong_host": true,
	"unknown_path": true, "unknown_method": true, "body_timeout": true, "body_too_large": true, "forbidden": true, ReasonReserved: true,
	"bad_message": true, "header_mismatch": true, "unsupported_media": true, "unknown_session": true,
	"too_many_failures": true, "too_many_requests": true, "overloaded": true, "too_many_streams": true,
	// About the gate and the server behind it.
	ReasonNoKeys: true, ReasonNoRevocations: true, ReasonNoSecret: true, "internal": true, "upstream_refused": true, "upstream_unreachable": true,
	"upstream_reset": true, "upstream_closed": true, "upstream_not_http": true, "upstream_upgrade": true,
	"upstream_session": true, "upstream_redirect": true, "upstream_timeout": true,
}

// Reasons lists what a gate may name as the reason of an answer of its own, sorted. Result.Reason has no other value
// but "" and "other". The list is the gate's own; it is repeated here because the prober must not depend on the gate.
func Reasons() []string { return slices.Sorted(maps.Keys(reasons)) }

// IsReason reports whether a gate may name the reason.
func IsReason(text string) bool { return reasons[text] }

// The reasons that the prober tells apart.
const (
	ReasonMissingToken  = "missing_token"
	ReasonMalformed     = "malformed_token"
	ReasonSignature     = "bad_signature"
	ReasonUnknownKey    = "unknown_key"
	ReasonAlgorithm     = "unsupported_algorithm"
	ReasonProbe         = "wrong_probe"
	ReasonReserved      = "reserved_subject"
	ReasonNoKeys        = "no_keys"
	ReasonNoRevocations = "no_revocations"
	ReasonNoSecret      = "no_secret"
	// ReasonOther stands for a reason that is not in the list.
	ReasonOther = "other"
	// UpstreamPrefix begins the reasons by which a gate says that it asked the server and got no answer.
	UpstreamPrefix = "upstream_"
)

// The subjects that gates of Gatehouse keep for probes, and the claim by which a token of their probe key is bound to a pod.
// They are the gate's own; they are repeated here because the prober must not depend on the gate.
const (
	Subject      = "gatehouse-probe"
	OtherSubject = "gatehouse-probe-other"
	PodClaim     = "gatehouse_pod"
)
