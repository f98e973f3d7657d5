package verify_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/revocation"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// addProbeKey makes b.unused one more key of the providers.
func (b *fixture) addProbeKey(providers ...string) {
	b.t.Helper()
	b.config.ProbeKey = &gateapi.ProbeKey{
		ID: b.unused.ID(), PublicKey: base64.RawURLEncoding.EncodeToString(b.unused.Public().Key.(ed25519.PublicKey)),
		Providers: providers,
	}
}

func (b *fixture) probeHeader() fields { return with(b.header(), "kid", b.unused.ID()) }

func (b *fixture) probeClaims() fields {
	return with(with(b.claims(), "sub", gateapi.ProbeSubject), gateapi.ProbePodClaim, podUID)
}

func (b *fixture) probe(claims fields) string { return b.sign(b.unused, b.probeHeader(), claims) }

// What a provider asks of its tokens, it asks of those of the probe key, and says the same where it is not so.
func TestProbeKeyIsOneMoreKey(t *testing.T) {
	b := newFixture(t)
	b.refused("without the key", b.probe(b.probeClaims()), gateapi.ReasonUnknownKey)
	b.addProbeKey("one", "two")
	good := b.probeClaims()
	b.revoked = "jti:stolen"
	b.refused("a probe", b.probe(good), "")
	b.refused("the other subject", b.probe(with(good, "sub", gateapi.OtherProbeSubject)), "")
	b.refused("expired", b.probe(with(with(good, "exp", now.Add(-time.Hour).Unix()), "iat", now.Add(-time.Hour).Unix())), gateapi.ReasonExpired)
	b.refused("not yet", b.probe(with(good, "nbf", now.Add(time.Hour).Unix())), gateapi.ReasonNotYetValid)
	b.refused("another audience", b.probe(with(good, "aud", "urn:other")), gateapi.ReasonWrongAudience)
	b.refused("nobody's issuer", b.probe(with(good, "iss", "urn:other")), gateapi.ReasonWrongIssuer)
	b.refused("another type", b.sign(b.unused, with(b.probeHeader(), "typ", "JWT"), good), gateapi.ReasonWrongType)
	b.refused("bound to a key", b.probe(with(good, "cnf", fields{"jkt": "x"})), gateapi.ReasonWrongType)
	b.refused("without an end", b.probe(with(good, "exp", nil)), gateapi.ReasonMissingClaim)
	b.refused("without a subject", b.probe(with(good, "sub", nil)), gateapi.ReasonMissingClaim)
	b.refused("revoked", b.probe(with(good, "jti", "stolen")), gateapi.ReasonRevoked)
	b.refused("signed by another", b.sign(b.ed, b.probeHeader(), good), gateapi.ReasonBadSignature)
	b.refused("under another's name", b.sign(b.unused, b.header(), good), gateapi.ReasonBadSignature)
	b.refused("without a name", b.sign(b.unused, with(b.header(), "kid", nil), good), gateapi.ReasonBadSignature)
	b.revoked = "kid:" + b.unused.ID()
	b.refused("the key is revoked", b.probe(good), gateapi.ReasonRevoked)
	b.revoked = ""
	b.refused("another's token of that name", b.sign(b.ed, b.header(), b.claims()), "")

	// "two" takes RS256 alone; that is for its own keys.
	two := with(good, "iss", "urn:two")
	b.refused("whatever the provider's algorithms", b.probe(two), "")
	b.refused("of this key alone", b.sign(b.ed, b.header(), two), gateapi.ReasonUnsupportedAlgorithm)
	b.refused("one key, one algorithm", b.sign(b.rsa, fields{"alg": "RS256", "typ": "at+jwt", "kid": b.unused.ID()}, two), gateapi.ReasonUnsupportedAlgorithm)
	b.refused("its longest lifetime", b.probe(with(two, "exp", now.Add(time.Hour).Unix())), gateapi.ReasonExpired)
	b.addProbeKey("one")
	b.refused("of no other provider", b.probe(two), gateapi.ReasonUnsupportedAlgorithm)
}

// Nobody but a probe of this pod, for a minute.
func TestBoundsOfTheProbeKey(t *testing.T) {
	b := newFixture(t)
	b.addProbeKey("one")
	good := b.probeClaims()
	for name, claims := range map[string]fields{
		"a user":                   with(good, "sub", "alice"),
		"nearly a probe":           with(good, "sub", "Gatehouse-Probe"),
		"61 seconds":               with(good, "exp", now.Add(61*time.Second).Unix()),
		"a minute, from yesterday": with(good, "iat", now.Add(-24*time.Hour).Unix()),
		"without iat":              with(good, "iat", nil),
		"another pod":              with(good, gateapi.ProbePodClaim, "6d9f5c0e-0000-4000-8000-000000000002"),
		"no pod":                   with(good, gateapi.ProbePodClaim, nil),
		"no text for a pod":        with(good, gateapi.ProbePodClaim, []string{podUID}),
		"an empty pod":             with(good, gateapi.ProbePodClaim, ""),
	} {
		b.refused(name, b.probe(claims), gateapi.ReasonWrongProbe)
	}
	verifier := verify.New(b.config, "", b.loaded, revocation.List{}, func() time.Time { return now })
	for name, claims := range map[string]fields{
		"bound to a pod": good, "bound to none": with(good, gateapi.ProbePodClaim, ""), "not bound": with(good, gateapi.ProbePodClaim, nil),
	} {
		if _, denial := verifier.Verify(b.probe(claims)); denial == nil || denial.Reason != gateapi.ReasonWrongProbe {
			t.Errorf("a gate that does not know its pod, %s: got %+v", name, denial)
		}
	}
	// Who gets an issuer to publish the key under another name gets no more out of it.
	alias := b.unused.Public()
	alias.ID = "alias"
	b.loaded["one"] = append(b.loaded["one"], alias)
	header := with(b.header(), "kid", "alias")
	b.refused("by another name", b.sign(b.unused, header, with(good, "sub", "alice")), gateapi.ReasonWrongProbe)
	b.refused("a probe by another name", b.sign(b.unused, header, good), "")
}

// Nobody is made ready by a key that belongs to the prober: without a key of the issuer's own there is none.
func TestProbeKeyAloneIsNoKey(t *testing.T) {
	b := newFixture(t)
	b.addProbeKey("empty")
	b.refused("a probe", b.probe(with(b.probeClaims(), "iss", "urn:empty")), gateapi.ReasonNoKeys)
}

// The probe key must not make ambiguous which key a token without a name is signed with, nor be tried for one.
func TestProbeKeyIsNeverTriedUnnamed(t *testing.T) {
	b := newFixture(t)
	b.loaded["one"] = []keys.Public{b.ed.Public()}
	bare := with(b.header(), "kid", nil)
	b.addProbeKey("one")
	b.refused("the issuer's", b.sign(b.ed, bare, b.claims()), "")
	b.refused("the prober's", b.sign(b.unused, bare, b.probeClaims()), gateapi.ReasonBadSignature)
}

// A probe is called by its subject wherever callers are called by other claims, so that it is nobody else.
func TestIdentityOfProbes(t *testing.T) {
	b := newFixture(t)
	b.addQuilt()
	b.addProbeKey("quilt")
	header := fields{"alg": "EdDSA", "kid": b.unused.ID()}
	subject := gateapi.ProbeSubject
	good := with(with(with(with(b.quiltClaims(), "id", subject), "uuid", subject), "sub", subject), gateapi.ProbePodClaim, podUID)
	good["iat"] = now.Unix()
	probe := func(claims fields) string { return b.sign(b.unused, header, claims) }
	b.refused("a probe", probe(good), "")
	b.refused("another's id", probe(with(good, "id", "7")), gateapi.ReasonWrongProbe)
	b.refused("another's number", probe(with(good, "id", 7)), gateapi.ReasonWrongProbe)
	b.refused("two subjects", probe(with(good, "id", gateapi.OtherProbeSubject)), gateapi.ReasonWrongProbe)
	b.refused("no sub", probe(with(good, "sub", nil)), gateapi.ReasonWrongProbe)
	b.refused("no id", probe(with(good, "id", nil)), gateapi.ReasonMissingClaim)
	principal, _ := b.verify(probe(good))
	if want := `["gatehouse-probe","gatehouse-probe"]`; principal.Subject() != want || !principal.ByProbeKey() || !principal.Reserved() {
		t.Errorf("got %+v", principal)
	}
}

// Reserved is who says so, whoever has signed it; by the probe key is what that has signed.
func TestReservedSubjects(t *testing.T) {
	b := newFixture(t)
	b.addQuilt()
	b.addProbeKey("one")
	for name, c := range map[string]struct {
		raw                string
		reserved, probeKey bool
	}{
		"a user":                         {b.good(), false, false},
		"a probe":                        {b.probe(b.probeClaims()), true, true},
		"an issuer's probe":              {b.sign(b.ed, b.header(), with(b.claims(), "sub", gateapi.ProbeSubject)), true, false},
		"an issuer's other probe":        {b.sign(b.ed, b.header(), with(b.claims(), "sub", gateapi.OtherProbeSubject)), true, false},
		"nearly":                         {b.sign(b.ed, b.header(), with(b.claims(), "sub", "gatehouse-probe2")), false, false},
		"a user of other claims":         {b.quilt(b.quiltClaims()), false, false},
		"sub, where other claims name":   {b.quilt(with(b.quiltClaims(), "sub", gateapi.ProbeSubject)), true, false},
		"a claim that names the caller":  {b.quilt(with(b.quiltClaims(), "uuid", gateapi.ProbeSubject)), true, false},
		"a claim that names nobody here": {b.sign(b.ed, b.header(), with(b.claims(), "uuid", gateapi.ProbeSubject)), false, false},
	} {
		verifier := b.verifier(func() time.Time { return now })
		for _, again := range []string{"", ", again"} { // from the cache
			principal, denial := verifier.Verify(c.raw)
			if denial != nil || principal.Reserved() != c.reserved || principal.ByProbeKey() != c.probeKey {
				t.Errorf("%s%s: got %+v, %+v", name, again, principal, denial)
			}
		}
	}
	if !slices.Contains(gateapi.TokenReasons(), gateapi.ReasonWrongProbe) {
		t.Error("wrong_probe is no reason that tells about a token")
	}
}
