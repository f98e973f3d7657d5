package gateapi

// Reason says in one word why the gate answered in place of the server. It is in the answer's body ("data.reason"), in
// its ReasonHeader, in the log and in the metrics, and it is a promise: a prober may compare it, so none changes its
// meaning.
type Reason string

// Why a token was refused.
const (
	// ReasonMissingToken: no Authorization header, or one with another scheme than Bearer.
	ReasonMissingToken Reason = "missing_token"
	// ReasonMalformedToken: not a compact JWS of JSON that can be read in one way only, or too long; or its header asks for
	// processing that is not done here; or a claim has a wrong type.
	ReasonMalformedToken Reason = "malformed_token"
	// ReasonUnsupportedAlgorithm: "alg" is not one that this issuer's tokens may use, or not the one of the named key.
	ReasonUnsupportedAlgorithm Reason = "unsupported_algorithm"
	// ReasonUnknownKey: the issuer has no key of this "kid"; or there is no "kid", and not exactly one named key that fits.
	ReasonUnknownKey Reason = "unknown_key"
	// ReasonBadSignature: the signature is not one of the named key over this header and these claims; nor, where keys have no
	// names, of any.
	ReasonBadSignature Reason = "bad_signature"
	// ReasonExpired: "exp" has passed, or lies further from "iat" than this server accepts.
	ReasonExpired Reason = "expired"
	// ReasonNotYetValid: "nbf" or "iat" lies in the future.
	ReasonNotYetValid Reason = "not_yet_valid"
	// ReasonWrongAudience: "aud" does not name this server, or names anybody where this server has no name for its issuer; or a
	// required claim, which stands in for "aud", has another value.
	ReasonWrongAudience Reason = "wrong_audience"
	// ReasonWrongIssuer: "iss" is none of the configured issuers.
	ReasonWrongIssuer Reason = "wrong_issuer"
	// ReasonWrongType: "typ" is not an access token's, or the claims say that it is a token of another kind, or "cnf" binds the
	// token to a key, so that it is no bearer token.
	ReasonWrongType Reason = "wrong_type"
	// ReasonMissingClaim: "iss", "aud", "exp", a required claim or one that says who the caller is, "sub" by default, is absent; or
	// "iat", where a longest lifetime is set.
	ReasonMissingClaim Reason = "missing_claim"
	// ReasonRevoked: the token, its subject or its key is on the list of what is no longer accepted.
	ReasonRevoked Reason = "revoked"
	// ReasonWrongProbe: the probe key has signed it, and it is no probe of this pod: it is for another caller or another pod, or
	// lives for more than a minute.
	ReasonWrongProbe Reason = "wrong_probe"
	// ReasonInsufficientScope: the token is good, its scopes do not reach.
	ReasonInsufficientScope Reason = "insufficient_scope"
)

// TokenReasons lists the reasons that tell about a token.
func TokenReasons() []Reason {
	return []Reason{
		ReasonMissingToken, ReasonMalformedToken, ReasonUnsupportedAlgorithm, ReasonUnknownKey, ReasonBadSignature, ReasonExpired, ReasonNotYetValid,
		ReasonWrongAudience, ReasonWrongIssuer, ReasonWrongType, ReasonMissingClaim, ReasonRevoked, ReasonWrongProbe, ReasonInsufficientScope,
	}
}

// Why a request was refused, whatever its token.
const (
	// ReasonAmbiguousHeader: gate and server could read the headers differently. One that must be single is there more than once,
	// one begins or ends with a space, the Host is not the authority, or Connection names a header of the message.
	ReasonAmbiguousHeader Reason = "ambiguous_header"
	// ReasonBadTarget: the request line, or what HTTP/2 has in its place, is spelled so that gate and server could read it
	// differently, or the method tunnels.
	ReasonBadTarget Reason = "bad_target"
	// ReasonBadBody: the body's framing is broken.
	ReasonBadBody Reason = "bad_body"
	// ReasonWrongOrigin: the Origin is not allowed.
	ReasonWrongOrigin Reason = "wrong_origin"
	// ReasonWrongHost: the Host is not one of this server's names.
	ReasonWrongHost Reason = "wrong_host"
	// ReasonUnknownPath: the gate passes nothing on to this path.
	ReasonUnknownPath Reason = "unknown_path"
	// ReasonUnknownMethod: the path does not take this method.
	ReasonUnknownMethod Reason = "unknown_method"
	// ReasonBodyTimeout: the body came too slowly.
	ReasonBodyTimeout Reason = "body_timeout"
	// ReasonBodyTooLarge: the body is longer than Limits.BodyBytes.
	ReasonBodyTooLarge Reason = "body_too_large"
	// ReasonForbidden: the token is good, and no scope would help: a claim does not match, or nobody may do this.
	ReasonForbidden Reason = "forbidden"
	// ReasonReservedSubject: the token is good, and its subject is one of the prober's, which may list and do nothing.
	ReasonReservedSubject Reason = "reserved_subject"
	// ReasonBadMessage: the body is no JSON-RPC message that everybody reads the same way.
	ReasonBadMessage Reason = "bad_message"
	// ReasonHeaderMismatch: Mcp-Method or Mcp-Name say something else than the body.
	ReasonHeaderMismatch Reason = "header_mismatch"
	// ReasonUnsupportedMedia: the body is not plain JSON in UTF-8, so its message cannot be judged.
	ReasonUnsupportedMedia Reason = "unsupported_media"
	// ReasonUnknownSession: the session is not this caller's, or not one of this server's.
	ReasonUnknownSession Reason = "unknown_session"
	// ReasonTooManyFailures: too many bad signatures came from this source, and this one was not checked in time.
	ReasonTooManyFailures Reason = "too_many_failures"
	// ReasonTooManyRequests: the caller has as many requests in progress, or as much of their bodies, as one may have.
	ReasonTooManyRequests Reason = "too_many_requests"
	// ReasonOverloaded: all callers together have as many requests in progress, or as much of their bodies, as the gate has
	// memory for.
	ReasonOverloaded Reason = "overloaded"
	// ReasonTooManyStreams: the caller has as many streams open as one may have.
	ReasonTooManyStreams Reason = "too_many_streams"
)

// Why a stream was ended, beside the reasons that tell about a token. They are in the audit alone.
const (
	// ReasonStreamTooOld: it was open for Limits.StreamMaxSeconds.
	ReasonStreamTooOld Reason = "stream_too_old"
	// ReasonDraining: the pod is ending.
	ReasonDraining Reason = "draining"
)

// Why a good request got no answer from the server.
const (
	// ReasonNoKeys: no key is loaded for the token's issuer, so no token can be checked.
	ReasonNoKeys Reason = "no_keys"
	// ReasonNoRevocations: the list of what is revoked cannot be read, so no token can be trusted.
	ReasonNoRevocations Reason = "no_revocations"
	// ReasonNoSecret: sessions are bound to their callers, and the secret for that is not there.
	ReasonNoSecret Reason = "no_secret"
	// ReasonUpstreamRefused: nothing listens on the server's port.
	ReasonUpstreamRefused Reason = "upstream_refused"
	// ReasonUpstreamUnreachable: the server could not be dialled for another cause.
	ReasonUpstreamUnreachable Reason = "upstream_unreachable"
	// ReasonUpstreamReset: the server reset the connection.
	ReasonUpstreamReset Reason = "upstream_reset"
	// ReasonUpstreamClosed: the server closed the connection before its answer's header was complete.
	ReasonUpstreamClosed Reason = "upstream_closed"
	// ReasonUpstreamNotHTTP: what the server sent is no HTTP answer.
	ReasonUpstreamNotHTTP Reason = "upstream_not_http"
	// ReasonUpstreamUpgrade: the server switched to another protocol.
	ReasonUpstreamUpgrade Reason = "upstream_upgrade"
	// ReasonUpstreamSession: the server opened a session under an id that MCP does not allow, or that is too long.
	ReasonUpstreamSession Reason = "upstream_session"
	// ReasonUpstreamRedirect: the server leads from the MCP endpoint to another of its paths.
	ReasonUpstreamRedirect Reason = "upstream_redirect"
	// ReasonUpstreamTimeout: the server did not begin to answer in time.
	ReasonUpstreamTimeout Reason = "upstream_timeout"
	// ReasonInternal: a bug in the gate.
	ReasonInternal Reason = "internal"
)
