package verify_test

import (
	"crypto/rsa"
	"fmt"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

func TestWhichProviderJudges(t *testing.T) {
	b := newFixture(t)
	b.refused("without iss, and everybody has one", b.sign(b.ed, b.header(), with(b.claims(), "iss", nil)), gateapi.ReasonMissingClaim)
	b.addQuilt()
	ours := b.quiltClaims()
	b.refused("without iss", b.quilt(ours), "")
	b.refused("with one of the others", b.quilt(with(ours, "iss", "urn:one")), gateapi.ReasonWrongType)
	b.refused("with one of nobody", b.quilt(with(ours, "iss", "urn:foreign")), gateapi.ReasonWrongIssuer)
	b.refused("with an empty one", b.quilt(with(ours, "iss", "")), gateapi.ReasonWrongIssuer)
	b.refused("another's token, its iss left out", b.sign(b.ed, with(b.header(), "typ", "JWT"), with(b.claims(), "iss", nil)), gateapi.ReasonUnsupportedAlgorithm)
	principal, _ := b.verify(b.quilt(ours))
	if principal.Provider() != "quilt" || principal.Issuer() != "" || principal.Subject() != `["7","u-1"]` || principal.Client() != "" {
		t.Errorf("got %+v", principal)
	}
}

// A key of one provider must not open the door for tokens that claim another (RFC 8725 section 3.8).
func TestKeysBelongToTheirIssuer(t *testing.T) {
	b := newFixture(t)
	b.provider("two").Algorithms = []keys.Algorithm{keys.EdDSA}
	b.loaded["two"] = []keys.Public{b.unused.Public()}
	claims := with(b.claims(), "iss", "urn:two")
	b.refused("by its kid", b.sign(b.ed, b.header(), claims), gateapi.ReasonUnknownKey)
	b.refused("under the other's kid", b.sign(b.ed, with(b.header(), "kid", b.unused.ID()), claims), gateapi.ReasonBadSignature)
}

func TestWhichKey(t *testing.T) {
	b := newFixture(t)
	header, claims := b.header(), b.claims()
	bare := with(header, "kid", nil)
	anonymous := func(key keys.Private) keys.Public {
		public := key.Public()
		public.ID, public.Anonymous = "ours-"+key.ID()[:4], true
		return public
	}
	renamed := b.unused.Public()
	renamed.ID = b.ed.ID()
	named, other := b.ed.Public(), b.unused.Public()
	var many []keys.Public
	for range 8 {
		stranger, err := keys.Generate(keys.EdDSA)
		must(t, err)
		many = append(many, anonymous(stranger))
	}
	for name, c := range map[string]struct {
		loaded []keys.Public
		header fields
		want   gateapi.Reason
	}{
		"no kid, one key that fits":             {[]keys.Public{named, b.ec.Public()}, bare, ""},
		"no kid, two keys that fit":             {[]keys.Public{named, other}, bare, gateapi.ReasonUnknownKey},
		"no kid, none that fits":                {[]keys.Public{b.ec.Public()}, bare, gateapi.ReasonUnknownKey},
		"the kid of another algorithm's key":    {[]keys.Public{b.ec.Public()}, with(header, "kid", b.ec.ID()), gateapi.ReasonUnsupportedAlgorithm},
		"two files, one kid":                    {[]keys.Public{renamed, named}, header, ""},
		"kid in other case":                     {[]keys.Public{named}, with(header, "kid", b.ed.ID()+"x"), gateapi.ReasonUnknownKey},
		"no names, no kid":                      {[]keys.Public{anonymous(b.unused), anonymous(b.ed)}, bare, ""},
		"no names, a kid of theirs":             {[]keys.Public{anonymous(b.unused), anonymous(b.ed)}, with(header, "kid", "issuer's"), ""},
		"no names, none signed":                 {[]keys.Public{anonymous(b.unused)}, with(header, "kid", "issuer's"), gateapi.ReasonBadSignature},
		"no names, none of the algorithm":       {[]keys.Public{anonymous(b.ec)}, bare, gateapi.ReasonUnknownKey},
		"our name for a key is no kid":          {[]keys.Public{anonymous(b.ec)}, with(header, "kid", anonymous(b.ec).ID), gateapi.ReasonUnknownKey},
		"a name that fits, and one without":     {[]keys.Public{named, anonymous(b.unused)}, header, ""},
		"a name that does not, and one without": {[]keys.Public{other, anonymous(b.ed)}, with(header, "kid", "issuer's"), ""},
		"the eighth without a name":             {append(many[:7:7], anonymous(b.ed)), bare, ""},
		"the ninth without a name":              {append(many[:8:8], anonymous(b.ed)), bare, gateapi.ReasonBadSignature},
	} {
		b.loaded["one"] = c.loaded
		b.refused(name, b.sign(b.ed, c.header, claims), c.want)
	}
}

// One key, one algorithm, also where the key's type would serve several (RFC 8725 section 3.1).
func TestAKeyIsBoundToOneAlgorithm(t *testing.T) {
	b := newFixture(t)
	loose := b.rsa.Public()
	loose.Algorithm = ""
	b.loaded["two"] = []keys.Public{loose}
	b.provider("two").Algorithms = []keys.Algorithm{keys.RS256, keys.PS256}
	claims := with(b.claims(), "iss", "urn:two")
	header := fields{"alg": "RS256", "typ": "at+jwt", "kid": b.rsa.ID()}
	b.refused("the first that is allowed", b.sign(b.rsa, header, claims), "")
	b.refused("the second", b.sign(b.rsa, with(header, "alg", "PS256"), claims), gateapi.ReasonUnsupportedAlgorithm)
	usable := verify.Usable(*b.provider("two"), []keys.Public{loose, b.ed.Public()})
	if len(usable) != 1 || usable[0].Algorithm != keys.RS256 || usable[0].Key.(*rsa.PublicKey) != loose.Key {
		t.Errorf("usable: %+v", usable)
	}
}

func TestTokenTypes(t *testing.T) {
	b := newFixture(t)
	for _, c := range []struct {
		accepted []string
		kind     any
		want     gateapi.Reason
	}{
		{nil, "at+jwt", ""},
		{nil, nil, gateapi.ReasonWrongType},
		{[]string{"JWT"}, "jwt", ""},
		{[]string{"JWT"}, "application/JWT", ""},
		{[]string{"application/jwt"}, "JWT", ""},
		{[]string{"JWT"}, "at+jwt", gateapi.ReasonWrongType},
		{[]string{"JWT"}, nil, gateapi.ReasonWrongType},
		{[]string{""}, nil, ""},
		{[]string{""}, "", gateapi.ReasonWrongType},
		{[]string{""}, "application/", gateapi.ReasonWrongType},
		{[]string{"at+jwt", "JWT", ""}, nil, ""},
		{[]string{"at+jwt", "JWT", ""}, "dpop+jwt", gateapi.ReasonWrongType},
	} {
		b.provider("one").TokenTypes = c.accepted
		b.refused(fmt.Sprintf("%q under %q", c.kind, c.accepted), b.sign(b.ed, with(b.header(), "typ", c.kind), b.claims()), c.want)
	}
}

func TestIdentity(t *testing.T) {
	b := newFixture(t)
	b.addQuilt()
	claims := b.quiltClaims()
	seen := map[string]string{}
	for _, c := range []struct {
		id, uuid any
		want     gateapi.Reason
	}{
		{"7", "u", ""}, {7, "u", ""}, {7.5, "u", ""}, {`7","u`, "u", ""}, {"7", `u","u`, ""}, {"ü", "u", ""},
		{nil, "u", gateapi.ReasonMissingClaim}, {"7", nil, gateapi.ReasonMissingClaim}, {"", "u", gateapi.ReasonMissingClaim},
		{true, "u", gateapi.ReasonMalformedToken}, {[]string{"7"}, "u", gateapi.ReasonMalformedToken}, {fields{}, "u", gateapi.ReasonMalformedToken},
	} {
		name := fmt.Sprintf("%v %v", c.id, c.uuid)
		raw := b.quilt(with(with(claims, "id", c.id), "uuid", c.uuid))
		b.refused(name, raw, c.want)
		if principal, denial := b.verify(raw); denial == nil {
			if other, taken := seen[principal.Subject()]; taken {
				t.Errorf("%s and %s are both called %s", name, other, principal.Subject())
			}
			seen[principal.Subject()] = name
		}
	}
	b.refused("id null", hs256(`{"alg":"HS256"}`, `{"id":null,"uuid":"u","exp":4000000000}`, b.secret), gateapi.ReasonMalformedToken)
	b.refused("sub is not asked for, but has its type", b.quilt(with(claims, "sub", 7)), gateapi.ReasonMalformedToken)
	b.provider("one").IdentityClaims = []string{"sub"}
	if principal, denial := b.verify(b.good()); denial != nil || principal.Subject() != "alice" {
		t.Errorf("sub, asked for by name: %+v %+v", principal, denial)
	}
}

// Quilt's tokens are exactly {id, uuid, exp}.
func TestProviderOfSharedSecrets(t *testing.T) {
	b := newFixture(t)
	b.addQuilt()
	claims := b.quiltClaims()
	b.refused("as it is", b.quilt(claims), "")
	b.refused("without typ", b.shared(fields{"alg": "HS256"}, claims), "")
	b.refused("with a kid of theirs", b.shared(fields{"alg": "HS256", "kid": "1"}, claims), "")
	b.refused("meant for somebody", b.quilt(with(claims, "aud", "urn:server")), gateapi.ReasonWrongAudience)
	b.refused("meant for nobody", b.quilt(with(claims, "aud", []string{})), gateapi.ReasonWrongAudience)
	b.refused("for ever", b.quilt(with(claims, "exp", nil)), gateapi.ReasonMissingClaim)
	b.refused("bound to a key", b.quilt(with(claims, "cnf", fields{"jkt": "x"})), gateapi.ReasonWrongType)
	b.refused("expired", b.quilt(with(claims, "exp", now.Unix())), gateapi.ReasonExpired)
	b.refused("of another type", b.shared(fields{"alg": "HS256", "typ": "at+jwt"}, claims), gateapi.ReasonWrongType)
	b.refused("longer hash", b.shared(fields{"alg": "HS384"}, claims), gateapi.ReasonUnsupportedAlgorithm)
	b.refused("another secret", hs256(`{"alg":"HS256"}`, asJSON(t, claims), []byte("another secret of 32 characters!")), gateapi.ReasonBadSignature)
	b.refused("empty secret", hs256(`{"alg":"HS256"}`, asJSON(t, claims), nil), gateapi.ReasonBadSignature)
	b.refused("unsigned", encode([]byte(`{"alg":"none"}`))+"."+encode([]byte(asJSON(t, claims)))+".", gateapi.ReasonUnsupportedAlgorithm)
}

func TestLongestLife(t *testing.T) {
	b := newFixture(t)
	header := fields{"alg": "RS256", "typ": "at+jwt", "kid": b.rsa.ID()}
	claims := with(b.claims(), "iss", "urn:two")
	b.refused("exactly", b.sign(b.rsa, header, with(claims, "exp", now.Add(600*time.Second).Unix())), "")
	raw := b.sign(b.rsa, header, with(claims, "exp", now.Add(601*time.Second).Unix()))
	b.refused("a second more", raw, gateapi.ReasonExpired)
	if _, denial := b.verify(raw); denial.Message != deny.TokenLivesTooLong().Message {
		t.Errorf("message %q", denial.Message)
	}
}

func TestTokensAsMinted(t *testing.T) {
	b := newFixture(t)
	template := token.Template{Key: b.ed, Issuer: "urn:one", Audience: "urn:server", Subject: "alice", Lifetime: time.Minute}
	raw, err := template.Good(now)
	must(t, err)
	b.refused("the good token", raw, "")
	for defect, want := range map[token.Defect]gateapi.Reason{token.Expired: gateapi.ReasonExpired, token.WrongKey: gateapi.ReasonBadSignature} {
		raw, err := template.Bad(defect, now)
		must(t, err)
		b.refused(string(defect), raw, want)
	}
}

// Whoever forges learns only that he did (RFC 8725 section 3.2; nothing tells a wrong key from changed claims).
func TestForgeriesAreToldNothing(t *testing.T) {
	b := newFixture(t)
	_, wrongKey := b.verify(b.sign(b.unused, b.header(), b.claims()))
	_, changed := b.verify(flipped(t, b.good()))
	if wrongKey == nil || changed == nil || wrongKey.Message != changed.Message || wrongKey.Reason != changed.Reason {
		t.Errorf("a wrong key: %+v; another signature: %+v", wrongKey, changed)
	}
}
