package probe

// Info tells what a case is, for tables and pages.
type Info struct {
	Case Case
	// Sends names what is sent, to follow "a request".
	Sends string
	// Proves is what of an MCPServer or of the gate is seen to hold.
	Proves string
	// Quick: it is asked in both tiers.
	Quick bool
	// Exact: it is asked of Gatehouse's own gate only.
	Exact bool
	// Timed: the answer depends on the clocks of prober and gate.
	Timed bool
}

var catalogue = []Info{
	{Case: NoToken, Sends: "without a token", Proves: "nobody enters without a token", Quick: true},
	{Case: Empty, Sends: "with an empty token", Proves: "nor by the scheme alone"},
	{Case: WrongScheme, Sends: "with a good token under another scheme", Proves: "only Bearer is a token", Exact: true},
	{Case: Malformed, Sends: "with a malformed token", Proves: "tokens are read", Quick: true},
	{Case: QueryToken, Sends: "with a good token in the query", Proves: "tokens are taken from the header only", Exact: true},
	{Case: FlippedSignature, Sends: "with a good token, one bit of its signature changed", Proves: "signatures are checked, and remembered as a whole", Timed: true},
	{Case: Expired, Sends: "with an expired token", Proves: "exp", Timed: true},
	{Case: NotYetValid, Sends: "with a token that is not valid yet", Proves: "nbf", Timed: true},
	{Case: TooLongLived, Sends: "with a token that lives too long", Proves: "auth.providers.maxTokenLifetimeSeconds", Exact: true, Timed: true},
	{Case: WrongKey, Sends: "with a token signed by an unknown key", Proves: "auth.providers.keys", Quick: true, Timed: true},
	{Case: UnknownKid, Sends: "with a token that names an unknown key", Proves: "kid", Exact: true, Timed: true},
	{Case: RetiredKey, Sends: "with a token signed by a retired key", Proves: "rotation: what was retired is gone", Timed: true},
	{Case: AlgNone, Sends: "with an unsigned token", Proves: "auth.providers.algorithms"},
	{Case: AlgConfused, Sends: "with a token signed with the bytes of a public key", Proves: "auth.providers.algorithms: one key, one algorithm"},
	{Case: OtherAlgorithm, Sends: "with a token signed by another algorithm than its key's", Proves: "auth.providers.algorithms: those listed, and of a key its own", Exact: true},
	{Case: WrongIssuer, Sends: "with a token of another issuer", Proves: "auth.providers.issuer"},
	{Case: WrongAudience, Sends: "with a token for another server", Proves: "auth.providers.audiences"},
	{Case: WrongType, Sends: "with a JWT that is no access token", Proves: "auth.providers.tokenTypes", Exact: true},
	{Case: MissingIdentity, Sends: "with a token that does not say whose it is", Proves: "auth.providers.identityClaims", Exact: true},
	{Case: MissingExpiry, Sends: "with a token that never expires", Proves: "exp is required", Exact: true},
	{Case: TooLongToken, Sends: "with a good token that is too long", Proves: "auth.limits.tokenBytes", Exact: true, Timed: true},
	{Case: Revoked, Sends: "with a revoked token", Proves: "auth.revoked", Exact: true, Timed: true},
	{Case: ProbeKeyMisused, Sends: "with a token that the probe key may not sign", Proves: "the probe key opens nothing but a probe of this pod", Exact: true, Timed: true},
	{Case: Replayed, Sends: "with a token that was good in an earlier check", Proves: "exp, of tokens that are remembered", Timed: true},
	{Case: MissingScope, Sends: "with a token that lacks a scope", Proves: "auth.authorization.requiredScopes", Timed: true},
	{Case: MissingRuleScope, Sends: "for a call with a token that lacks a scope which a rule wants", Proves: "auth.authorization.rules.scopes", Exact: true, Timed: true},
	{Case: MissingRuleClaim, Sends: "for a call with a token that lacks a claim which a rule wants", Proves: "auth.authorization.rules.claims", Exact: true, Timed: true},
	{Case: ForbiddenCall, Sends: "for what its token may not do", Proves: "auth.authorization.rules, defaultAction", Timed: true},
	{Case: ReservedCall, Sends: "for more than a probe's subject may have", Proves: "what is minted for the prober does nothing", Exact: true, Timed: true},
	{Case: ForeignSession, Sends: "in a session of another caller", Proves: "auth.sessionBinding", Exact: true, Timed: true},
	{Case: OneConnection, Sends: "after others on the same connection", Proves: "each request is judged by itself", Exact: true, Timed: true},
	{Case: WrongHost, Sends: "to a foreign host name", Proves: "gate.allowedHosts", Exact: true},
	{Case: WrongOrigin, Sends: "from a foreign origin", Proves: "gate.allowedOrigins", Exact: true},
	{Case: ExtraPath, Sends: "to a further path without a token", Proves: "gate.extraPaths are behind the lock", Exact: true},
	{Case: TrailingSlash, Sends: "to the path with a slash at its end", Proves: "gate.trailingSlash", Exact: true, Timed: true},
	{Case: PlainHTTP, Sends: "in plain HTTP, without a token, to a gate that serves TLS", Proves: "gate.tls", Exact: true},
	{Case: LargeBody, Sends: "with a token signed by an unknown key and a large body in chunks", Proves: "size and framing open nothing", Exact: true, Timed: true},
	{Case: TooLarge, Sends: "with a good token and too large a body", Proves: "auth.limits.bodyBytes", Exact: true, Timed: true},
	{Case: ByGet, Sends: "by GET with a token signed by an unknown key", Proves: "every method is judged", Exact: true, Timed: true},
	{Case: ByDelete, Sends: "by DELETE with a token signed by an unknown key", Proves: "every method is judged, before the server sees it", Exact: true, Timed: true},
	{Case: Varied, Sends: "of an unusual form, with a bad token or none", Proves: "no form of a request opens", Timed: true},
	{Case: Metadata, Sends: "without a token for the protected resource metadata", Proves: "auth.resourceMetadata", Exact: true},
	{Case: Health, Sends: "without a token to a health path", Proves: "gate.healthPaths are the gate's, and open nothing", Exact: true},
	{Case: Valid, Sends: "with a valid token", Proves: "who has a token enters", Quick: true, Timed: true},
}

// Catalogue lists every case, in the order in which a check asks them.
func Catalogue() []Info { return append([]Info(nil), catalogue...) }

// Cases lists the names of the Catalogue.
func Cases() []Case {
	var names []Case
	for _, info := range catalogue {
		names = append(names, info.Case)
	}
	return names
}

// Info is what the Catalogue says of the case.
func (c Case) Info() Info {
	for _, info := range catalogue {
		if info.Case == c {
			return info
		}
	}
	return Info{Case: c, Sends: "of the case " + string(c)}
}

// Asked is how a message to a person names what a case sends: "a request without a token".
func (c Case) Asked() string { return "a request " + c.Info().Sends }

// ProofOfTimes reports whether an entry can come from a clock that is off.
func (c Case) ProofOfTimes() bool { return c == Expired || c == NotYetValid || c == Replayed }
