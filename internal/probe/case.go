package probe

// Case names a test case.
type Case string

// The cases, in the order in which a check asks them; but Valid is asked first, and again at the end. Each but Valid and
// Metadata is the positive control with one thing changed, and must be refused.
const (
	// NoToken carries no Authorization header.
	NoToken Case = "none"
	// Empty carries the scheme Bearer and no token.
	Empty Case = "empty"
	// WrongScheme carries the positive control's token under another scheme than Bearer.
	WrongScheme Case = "wrong-scheme"
	// Malformed carries a bearer that is no JWT.
	Malformed Case = "malformed"
	// QueryToken carries the positive control's token in the query, where RFC 6750 section 2.3 once allowed it, and no header.
	QueryToken Case = "query-token"
	// FlippedSignature carries a token that was let in just before, with one bit of its signature changed.
	FlippedSignature Case = "flipped-signature"
	// Expired carries the positive control's token, issued and expired more than an hour ago.
	Expired Case = "expired"
	// NotYetValid carries a token that is good in an hour.
	NotYetValid Case = "not-yet-valid"
	// TooLongLived carries a token that lives longer than the gate grants.
	TooLongLived Case = "too-long-lived"
	// WrongKey carries the positive control's token, signed by a key that the gate has never seen, under the real "kid"; or by
	// another issuer's key, under that one's.
	WrongKey Case = "wrong-key"
	// UnknownKid carries a token that names a key which nobody has.
	UnknownKid Case = "unknown-kid"
	// RetiredKey carries a token signed by a key of the issuer that is no longer in force.
	RetiredKey Case = "retired-key"
	// AlgNone carries an unsigned token that says so.
	AlgNone Case = "alg-none"
	// AlgConfused carries a token signed by HS256 with the bytes of a public key.
	AlgConfused Case = "alg-confused"
	// OtherAlgorithm carries the positive control's token, signed by its own key with another algorithm than the key's.
	OtherAlgorithm Case = "other-algorithm"
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
	// TooLongToken carries the positive control's token with a claim that makes it longer than the gate takes.
	TooLongToken Case = "too-long-token"
	// Revoked carries a token that is on the list of what is revoked: by its id, its subject, or the time of its issue.
	Revoked Case = "revoked"
	// ProbeKeyMisused carries a token of the gate's probe key that this may not sign: for another caller, for another pod, or
	// for longer than a minute.
	ProbeKeyMisused Case = "probe-key-misused"
	// Replayed carries a token of an earlier check that was let in then and has expired since.
	Replayed Case = "replayed"
	// MissingScope carries a token without a scope that every token needs.
	MissingScope Case = "missing-scope"
	// MissingRuleScope and MissingRuleClaim carry a token that could make a call, but for one scope or claim which a rule
	// wants for it. Nothing happens should the gate let it pass: no server has what is called, or it is a list.
	MissingRuleScope Case = "missing-rule-scope"
	MissingRuleClaim Case = "missing-rule-claim"
	// ForbiddenCall carries the positive control's token and calls what it may not call. Should the gate let it pass, then it
	// comes to the server outside of any session and without arguments.
	ForbiddenCall Case = "forbidden-call"
	// ReservedCall carries the positive control's token, whose subject is reserved for probes, and asks for more than these may
	// have.
	ReservedCall Case = "reserved-call"
	// ForeignSession names a session of the positive control, with another caller's token, and with none.
	ForeignSession Case = "foreign-session"
	// OneConnection sends a good, no, a good and a malformed token over one connection.
	OneConnection Case = "one-connection"
	// WrongHost carries the positive control's token to a Host that is no name of the server.
	WrongHost Case = "wrong-host"
	// WrongOrigin carries the positive control's token and comes from a page of a foreign origin.
	WrongOrigin Case = "wrong-origin"
	// ExtraPath comes to another path that is passed on, without a token.
	ExtraPath Case = "extra-path"
	// TrailingSlash comes to the path with one more slash at its end: with the positive control's token where that is another
	// path, else with one of a wrong key.
	TrailingSlash Case = "trailing-slash"
	// PlainHTTP comes without TLS to a gate that serves TLS, and without a token.
	PlainHTTP Case = "plain-http"
	// LargeBody carries a token of a wrong key and a body of more than 64 KiB, in chunks.
	LargeBody Case = "large-body"
	// TooLarge carries the positive control's token and announces a body that is longer than the gate takes.
	TooLarge Case = "too-large"
	// ByGet and ByDelete carry a token of a wrong key with the other methods of the transport. ByDelete asks to end a
	// session of the positive control, which must live on.
	ByGet    Case = "get"
	ByDelete Case = "delete"
	// Varied is a row of the catalogue of forms: no or a bad token in a request of some form. Rows are taken in turn.
	Varied Case = "variation"
	// Metadata fetches the protected resource metadata without a token (RFC 9728), and looks for its address in the
	// challenge of a request without a token. It is no request that must be refused.
	Metadata Case = "metadata"
	// Health asks a health path without a token, by GET, which the gate itself must answer, and by POST, which must be refused.
	Health Case = "health"
	// Valid is the positive control: a token that must be let in.
	Valid Case = "valid"
)
