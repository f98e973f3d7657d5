package mutation

import "github.com/mcp-gatehouse/gatehouse/internal/probe"

// signatures are gates that believe what nobody has signed, or somebody else.
func signatures() []mutantGate {
	return []mutantGate{
		{
			name: "signature", does: "checks no signature", named: probe.FlippedSignature,
			edits: []edit{insertBefore("authn/verify/candidate.go", "if !signed {", `signed = signed || mutant == "signature"
			`)},
		},
		{
			name: "signature-bit", does: "takes a signature of which a bit is wrong", named: probe.FlippedSignature, only: true,
			edits: []edit{insertBefore("authn/verify/candidate.go", "if key.Verify(", `if mutant == "signature-bit" && isNearlySigned(key, f.token.signed, signature) {
				return key, true
			}
			`)},
		},
		{
			name: "other-key", does: "checks no signature of a key that the prober does not have", named: probe.WrongKey, only: true,
			edits: []edit{insertBefore("authn/verify/candidate.go", "if !signed {", `if mutant == "other-key" && slices.ContainsFunc(f.keys, isLast(f.from.keys)) {
				signer, signed = f.keys[0], true
			}
			`), {"authn/verify/candidate.go", "import (\n", "import (\n\"slices\"\n"}},
		},
		{
			name: "first-use", does: "takes a signature on trust where it has not seen the claims before", named: probe.Varied, only: true, inTurn: true,
			edits: []edit{insertBefore("authn/verify/candidate.go", "signature, err := encoding.DecodeString(f.token.signature)", `if mutant == "first-use" && isFirstUse(f.token) {
				return f.keys[0], true
			}
			`)},
		},
		{
			name: "second-provider", does: "checks no signature of its second provider", named: probe.FlippedSignature,
			edits: []edit{insertBefore("authn/verify/candidate.go", "if !signed {", `if mutant == "second-provider" && f.from.Name == "second" {
				signer, signed = f.keys[0], true
			}
			`)},
		},
		{
			name: "cache-signature", does: "knows a token again by all but its signature", named: probe.FlippedSignature,
			edits: []edit{insertBefore("authn/verify/cache.go", "buffer := bufferPool.Get()", `if mutant == "cache-signature" {
				raw = withoutSignature(raw)
			}
			`)},
		},
		{
			name: "kid", does: `tries its keys whatever "kid" a token names`, named: probe.UnknownKid, only: true,
			edits: []edit{
				{"authn/verify/provider.go", "return key.Anonymous || h.keyID", `return mutant == "kid" || key.Anonymous || h.keyID`},
				insertBefore("authn/verify/candidate.go", "if !signed {", `if mutant == "kid" && !signed && !f.isNamed() {
					return Principal{}, deny.Token(gateapi.ReasonUnknownKey)
				}
				`),
			},
		},
		{
			name: "pooled-keys", does: "takes tokens of one issuer that are signed with a key of another", named: probe.WrongKey, only: true,
			edits: []edit{insertBefore("authn/verify/verifier.go", "return v\n}\n\n// Verify is Screen", `if mutant == "pooled-keys" {
				v.pool()
			}
			`)},
		},
		{
			name: "retired-key", does: "never forgets a key", named: probe.RetiredKey, only: true,
			edits: []edit{insertBefore("authn/verify/provider.go", "identity := p.IdentityClaims\n", `if mutant == "retired-key" {
				loaded = withRetired(p, loaded)
			}
			`)},
		},
		{
			name: "alg-none", does: `takes unsigned tokens of the algorithm "none"`, named: probe.AlgNone, only: true,
			edits: []edit{
				{
					"authn/verify/header.go", "if !slices.Contains(keys.Algorithms(), keys.Algorithm(algorithm)) {",
					`if !slices.Contains(keys.Algorithms(), keys.Algorithm(algorithm)) && !(mutant == "alg-none" && algorithm == "none") {`,
				},
				insertBefore("authn/verify/provider.go", "if !slices.Contains(p.Algorithms, h.algorithm) {", `if h.algorithm == "none" {
					return unsigned, nil
				}
				`),
				insertBefore("authn/verify/candidate.go", "if key.Verify(", `if key.Algorithm == "none" {
					return key, true
				}
				`),
			},
		},
		{
			name: "alg-confused", does: "lets a token choose the algorithm, and takes a public key for a secret", named: probe.AlgConfused, only: true,
			edits: []edit{
				insertBefore("authn/verify/provider.go", "if !slices.Contains(p.Algorithms, h.algorithm) {", `if mutant == "alg-confused" && h.algorithm == keys.HS256 {
					return p.keys, nil
				}
				`),
				insertBefore("authn/verify/candidate.go", "if key.Verify(", `if mutant == "alg-confused" && isSignedWithPublicKey(key, f.token.signed, signature) {
					return key, true
				}
				`),
			},
		},
		{
			name: "other-algorithm", does: "takes every algorithm that a key can serve", named: probe.OtherAlgorithm, only: true,
			edits: []edit{insertBefore("authn/verify/provider.go", "if !slices.Contains(p.Algorithms, h.algorithm) {", `if rebound := p.rebound(h); len(rebound) > 0 {
				return rebound, nil
			}
			`)},
		},
	}
}

// overlooksExpiry is where gates go on with a token that has expired, to its signature.
var overlooksExpiry = edit{
	"authn/verify/provider.go", `if reason := p.life(c).judge(now); reason != "" {`,
	`if reason := p.life(c).judge(now); reason != "" && (reason != gateapi.ReasonExpired ||
		mutant != "exp-first" && (mutant != "exp-clients" || gateapi.IsProbeSubject(c.subject))) {`,
}

// keepsExpired lets the tokens that a gate remembers stay remembered after their end: what is said of them must not depend
// on which token came next into their place, one in 1,024.
var keepsExpired = edit{
	"authn/verify/cache.go", `known.key == added.key || !now.Before(known.life.end)`,
	`known.key == added.key || mutant != "exp-first" && mutant != "cache-expiry" && !now.Before(known.life.end)`,
}

// claims are gates that do not look at a claim.
func claims() []mutantGate {
	return []mutantGate{
		{
			name: "exp", does: "takes expired tokens", named: probe.Expired,
			edits: []edit{{"authn/verify/provider.go", "case !now.Before(l.end):", `case !now.Before(l.end) && mutant != "exp":`}},
		},
		{
			name: "exp-first", does: "looks at the expiry of those tokens only that it knows", named: probe.Expired, only: true,
			edits: []edit{
				overlooksExpiry, keepsExpired,
				insertBefore("authn/verify/verifier.go", "// What is outside its life goes on", `if known := v.cache.get(digest); mutant == "exp-first" && known != nil && known.life.judge(now) != "" {
					return Candidate{}, deny.Token(gateapi.ReasonExpired)
				}
				`),
			},
		},
		{
			name: "exp-clients", does: "takes expired tokens of callers that are not the prober", kind: probe.Broken, named: probe.Varied,
			outcome: probe.WrongReason, only: true, inTurn: true, edits: []edit{overlooksExpiry},
		},
		{
			name: "cache-expiry", does: "takes a token that it has let in once for ever", named: probe.Replayed, only: true,
			edits: []edit{keepsExpired, {"authn/verify/verifier.go", `known.life.judge(now) == ""`, `(mutant == "cache-expiry" || known.life.judge(now) == "")`}},
		},
		{
			name: "expiry-absent", does: "takes tokens without an end", named: probe.MissingExpiry, only: true,
			edits: []edit{insertBefore("authn/verify/provider.go", "if c.expires.IsZero() {", `if mutant == "expiry-absent" && c.expires.IsZero() {
				c.expires = now.Add(time.Minute)
			}
			`)},
		},
		{
			name: "nbf", does: "takes tokens before their time", named: probe.NotYetValid, only: true,
			edits: []edit{{"authn/verify/provider.go", "case now.Before(l.begin):", `case now.Before(l.begin) && mutant != "nbf":`}},
		},
		{
			name: "lifetime", does: "takes tokens that live too long", named: probe.TooLongLived, only: true,
			edits: []edit{{"authn/verify/provider.go", "c.expires.Sub(c.issuedAt) > p.longest:", `c.expires.Sub(c.issuedAt) > p.longest && mutant != "lifetime":`}},
		},
		{
			name: "issuer", does: "takes tokens of every issuer, signed by one that it knows", named: probe.WrongIssuer, only: true,
			edits: []edit{{"authn/verify/verifier.go", "from, known := v.byIssuer[c.issuer]\n", `from, known := v.byIssuer[c.issuer]
			if mutant == "issuer" && !known {
				from = v.byAudience(c)
				known = from != nil
			}
			`}},
		},
		{
			name: "audience", does: "takes tokens for other servers", named: probe.WrongAudience, only: true,
			edits: []edit{{"authn/verify/provider.go", "!c.names(p.Audiences)", `!c.names(p.Audiences) && mutant != "audience"`}},
		},
		{
			name: "audience-clients", does: "takes tokens for other servers of callers that are not the prober", kind: probe.Broken, named: probe.Varied,
			outcome: probe.WrongReason, only: true, inTurn: true,
			edits: []edit{insertBefore("authn/verify/provider.go", "// Whoever has no name here is not meant", `if mutant == "audience-clients" && !gateapi.IsProbeSubject(c.subject) {
				return p.demand(c)
			}
			`)},
		},
		{
			name: "type", does: "takes JWTs that are no access tokens", named: probe.WrongType, only: true,
			edits: []edit{{"authn/verify/candidate.go", "if !f.from.types.accept(h) {", `if !f.from.types.accept(h) && mutant != "type" {`}},
		},
		{
			name: "kind", does: "takes tokens that say they are ID, refresh or logout tokens", named: probe.WrongType, only: true,
			edits: []edit{{"authn/verify/candidate.go", "h); detail != \"\" {", `h); detail != "" && mutant != "kind" {`}},
		},
		{
			name: "required-claim", does: "takes tokens of other applications of its issuer", named: probe.WrongAudience, only: true,
			edits: []edit{{"authn/verify/provider.go", "case !claimpath.Holds(value, want.Values):", `case !claimpath.Holds(value, want.Values) && mutant != "required-claim":`}},
		},
		{
			name: "identity", does: "takes tokens that do not say whose they are", named: probe.MissingIdentity, only: true,
			edits: []edit{insertBefore("authn/verify/identity.go", "if present {", `if mutant == "identity" && !present {
				continue
			}
			`)},
		},
		{
			name: "token-length", does: "takes tokens of any length", named: probe.TooLongToken, only: true,
			edits: []edit{{"authn/verify/verifier.go", "if len(raw) > v.maxBytes {", `if len(raw) > v.maxBytes && mutant != "token-length" {`}},
		},
		{
			name: "revoked-id", does: "takes tokens whose id is revoked", named: probe.Revoked, only: true,
			edits: []edit{{"authn/revocation/list.go", "case r.ids[trim(tokenID)]:", `case r.ids[trim(tokenID)] && mutant != "revoked-id":`}},
		},
		{
			name: "revoked-subject", does: "takes tokens whose subject is revoked", named: probe.Revoked, only: true,
			edits: []edit{{"authn/revocation/list.go", "if r.subjects[name] {", `if r.subjects[name] && mutant != "revoked-subject" {`}},
		},
		{
			name: "revoked-before", does: "takes tokens that are too old for their subject", named: probe.Revoked, only: true,
			edits: []edit{{"authn/revocation/list.go", "at.After(before) {", `at.After(before) && mutant != "revoked-before" {`}},
		},
		{
			name: "revocation", does: "does not look at the list of what is revoked", named: probe.Revoked, only: true,
			edits: []edit{{"authn/verify/candidate.go", "f.claims.issuedAt); by != \"\" {", `f.claims.issuedAt); by != "" && mutant != "revocation" {`}},
		},
	}
}
