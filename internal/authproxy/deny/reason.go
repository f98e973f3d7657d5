package deny

// Reason says in one word why the gate answered in place of the server. It is in the answer's body ("data.reason"), in
// its ReasonHeader, in the log and in the metrics, and it is a promise: a prober may compare it, so none changes its
// meaning.
type Reason string

// Why a token was refused.
const (
	// MissingToken: no Authorization header, or one with another scheme than Bearer.
	MissingToken Reason = "missing_token"
	// MalformedToken: not a compact JWS of JSON that can be read in one way only, or too long; or its header asks for
	// processing that is not done here; or a claim has a wrong type.
	MalformedToken Reason = "malformed_token"
	// UnsupportedAlgorithm: "alg" is not one that this issuer's tokens may use, or not the one of the named key.
	UnsupportedAlgorithm Reason = "unsupported_algorithm"
	// UnknownKey: the issuer has no key of this "kid"; or there is no "kid", and not exactly one named key that fits.
	UnknownKey Reason = "unknown_key"
	// BadSignature: the signature is not one of the named key over this header and these claims; nor, where keys have no
	// names, of any.
	BadSignature Reason = "bad_signature"
	// Expired: "exp" has passed, or lies further from "iat" than this server accepts.
	Expired Reason = "expired"
	// NotYetValid: "nbf" or "iat" lies in the future.
	NotYetValid Reason = "not_yet_valid"
	// WrongAudience: "aud" does not name this server, or names anybody where this server has no name for its issuer; or a
	// required claim, which stands in for "aud", has another value.
	WrongAudience Reason = "wrong_audience"
	// WrongIssuer: "iss" is none of the configured issuers.
	WrongIssuer Reason = "wrong_issuer"
	// WrongType: "typ" is not an access token's, or the claims say that it is a token of another kind, or "cnf" binds the
	// token to a key, so that it is no bearer token.
	WrongType Reason = "wrong_type"
	// MissingClaim: "iss", "aud", "exp", a required claim or one that says who the caller is, "sub" by default, is absent; or
	// "iat", where a longest lifetime is set.
	MissingClaim Reason = "missing_claim"
	// Revoked: the token, its subject or its key is on the list of what is no longer accepted.
	Revoked Reason = "revoked"
	// WrongProbe: the probe key has signed it, and it is no probe of this pod: it is for another caller or another pod, or
	// lives for more than a minute.
	WrongProbe Reason = "wrong_probe"
	// InsufficientScope: the token is good, its scopes do not reach.
	InsufficientScope Reason = "insufficient_scope"
)

// TokenReasons lists the reasons that tell about a token.
func TokenReasons() []Reason {
	return []Reason{
		MissingToken, MalformedToken, UnsupportedAlgorithm, UnknownKey, BadSignature, Expired, NotYetValid,
		WrongAudience, WrongIssuer, WrongType, MissingClaim, Revoked, WrongProbe, InsufficientScope,
	}
}

// Why a request was refused, whatever its token.
const (
	// AmbiguousHeader: gate and server could read the headers differently. One that must be single is there more than once,
	// one begins or ends with a space, the Host is not the authority, or Connection names a header of the message.
	AmbiguousHeader Reason = "ambiguous_header"
	// BadTarget: the request line, or what HTTP/2 has in its place, is spelled so that gate and server could read it
	// differently, or the method tunnels.
	BadTarget Reason = "bad_target"
	// BadBody: the body's framing is broken.
	BadBody Reason = "bad_body"
	// WrongOrigin: the Origin is not allowed.
	WrongOrigin Reason = "wrong_origin"
	// WrongHost: the Host is not one of this server's names.
	WrongHost Reason = "wrong_host"
	// UnknownPath: the gate passes nothing on to this path.
	UnknownPath Reason = "unknown_path"
	// UnknownMethod: the path does not take this method.
	UnknownMethod Reason = "unknown_method"
	// BodyTimeout: the body came too slowly.
	BodyTimeout Reason = "body_timeout"
	// BodyTooLarge: the body is longer than Limits.BodyBytes.
	BodyTooLarge Reason = "body_too_large"
	// Forbidden: the token is good, and no scope would help: a claim does not match, or nobody may do this.
	Forbidden Reason = "forbidden"
	// ReservedSubject: the token is good, and its subject is one of the prober's, which may list and do nothing.
	ReservedSubject Reason = "reserved_subject"
	// BadMessage: the body is no JSON-RPC message that everybody reads the same way.
	BadMessage Reason = "bad_message"
	// HeaderMismatch: Mcp-Method or Mcp-Name say something else than the body.
	HeaderMismatch Reason = "header_mismatch"
	// UnsupportedMedia: the body is not plain JSON in UTF-8, so its message cannot be judged.
	UnsupportedMedia Reason = "unsupported_media"
	// UnknownSession: the session is not this caller's, or not one of this server's.
	UnknownSession Reason = "unknown_session"
	// TooManyFailures: too many bad signatures came from this source, and this one was not checked in time.
	TooManyFailures Reason = "too_many_failures"
	// TooManyRequests: the caller has as many requests in progress, or as much of their bodies, as one may have.
	TooManyRequests Reason = "too_many_requests"
	// Overloaded: all callers together have as many requests in progress, or as much of their bodies, as the gate has
	// memory for.
	Overloaded Reason = "overloaded"
	// TooManyStreams: the caller has as many streams open as one may have.
	TooManyStreams Reason = "too_many_streams"
)

// Why a stream was ended, beside the reasons that tell about a token. They are in the audit alone.
const (
	// StreamTooOld: it was open for Limits.StreamMaxSeconds.
	StreamTooOld Reason = "stream_too_old"
	// Draining: the pod is ending.
	Draining Reason = "draining"
)

// Why a good request got no answer from the server.
const (
	// NoKeys: no key is loaded for the token's issuer, so no token can be checked.
	NoKeys Reason = "no_keys"
	// NoRevocations: the list of what is revoked cannot be read, so no token can be trusted.
	NoRevocations Reason = "no_revocations"
	// NoSecret: sessions are bound to their callers, and the secret for that is not there.
	NoSecret Reason = "no_secret"
	// UpstreamRefused: nothing listens on the server's port.
	UpstreamRefused Reason = "upstream_refused"
	// UpstreamUnreachable: the server could not be dialled for another cause.
	UpstreamUnreachable Reason = "upstream_unreachable"
	// UpstreamReset: the server reset the connection.
	UpstreamReset Reason = "upstream_reset"
	// UpstreamClosed: the server closed the connection before its answer's header was complete.
	UpstreamClosed Reason = "upstream_closed"
	// UpstreamNotHTTP: what the server sent is no HTTP answer.
	UpstreamNotHTTP Reason = "upstream_not_http"
	// UpstreamUpgrade: the server switched to another protocol.
	UpstreamUpgrade Reason = "upstream_upgrade"
	// UpstreamSession: the server opened a session under an id that MCP does not allow, or that is too long.
	UpstreamSession Reason = "upstream_session"
	// UpstreamRedirect: the server leads from the MCP endpoint to another of its paths.
	UpstreamRedirect Reason = "upstream_redirect"
	// UpstreamTimeout: the server did not begin to answer in time.
	UpstreamTimeout Reason = "upstream_timeout"
	// Internal: a bug in the gate.
	Internal Reason = "internal"
)
