package verify_test

import (
	"crypto/rsa"
	"fmt"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

func TestWhichProviderJudges(t *testing.T) {
	b := newBench(t)
	b.refused("without iss, and everybody has one", b.sign(b.ed, b.header(), with(b.claims(), "iss", nil)), deny.MissingClaim)
	b.addQuilt()
	ours := b.quiltClaims()
	b.refused("without iss", b.quilt(ours), "")
	b.refused("with one of the others", b.quilt(with(ours, "iss", "urn:one")), deny.WrongType)
	b.refused("with one of nobody", b.quilt(with(ours, "iss", "urn:foreign")), deny.WrongIssuer)
	b.refused("with an empty one", b.quilt(with(ours, "iss", "")), deny.WrongIssuer)
	b.refused("another's token, its iss left out", b.sign(b.ed, with(b.header(), "typ", "JWT"), with(b.claims(), "iss", nil)), deny.UnsupportedAlgorithm)
	principal, _ := b.verify(b.quilt(ours))
	if principal.Provider() != "quilt" || principal.Issuer() != "" || principal.Subject() != `["7","u-1"]` || principal.Client() != "" {
		t.Errorf("got %+v", principal)
	}
}

// A key of one provider must not open the door for tokens that claim another (RFC 8725 section 3.8).
func TestKeysBelongToTheirIssuer(t *testing.T) {
	b := newBench(t)
	b.provider("two").Algorithms = []keys.Algorithm{keys.EdDSA}
	b.loaded["two"] = []keys.Public{b.unused.Public()}
	claims := with(b.claims(), "iss", "urn:two")
	b.refused("by its kid", b.sign(b.ed, b.header(), claims), deny.UnknownKey)
	b.refused("under the other's kid", b.sign(b.ed, with(b.header(), "kid", b.unused.ID()), claims), deny.BadSignature)
}

func TestWhichKey(t *testing.T) {
	b := newBench(t)
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
		want   deny.Reason
	}{
		"no kid, one key that fits":             {[]keys.Public{named, b.ec.Public()}, bare, ""},
		"no kid, two keys that fit":             {[]keys.Public{named, other}, bare, deny.UnknownKey},
		"no kid, none that fits":                {[]keys.Public{b.ec.Public()}, bare, deny.UnknownKey},
		"the kid of another algorithm's key":    {[]keys.Public{b.ec.Public()}, with(header, "kid", b.ec.ID()), deny.UnsupportedAlgorithm},
		"two files, one kid":                    {[]keys.Public{renamed, named}, header, ""},
		"kid in other case":                     {[]keys.Public{named}, with(header, "kid", b.ed.ID()+"x"), deny.UnknownKey},
		"no names, no kid":                      {[]keys.Public{anonymous(b.unused), anonymous(b.ed)}, bare, ""},
		"no names, a kid of theirs":             {[]keys.Public{anonymous(b.unused), anonymous(b.ed)}, with(header, "kid", "issuer's"), ""},
		"no names, none signed":                 {[]keys.Public{anonymous(b.unused)}, with(header, "kid", "issuer's"), deny.BadSignature},
		"no names, none of the algorithm":       {[]keys.Public{anonymous(b.ec)}, bare, deny.UnknownKey},
		"our name for a key is no kid":          {[]keys.Public{anonymous(b.ec)}, with(header, "kid", anonymous(b.ec).ID), deny.UnknownKey},
		"a name that fits, and one without":     {[]keys.Public{named, anonymous(b.unused)}, header, ""},
		"a name that does not, and one without": {[]keys.Public{other, anonymous(b.ed)}, with(header, "kid", "issuer's"), ""},
		"the eighth without a name":             {append(many[:7:7], anonymous(b.ed)), bare, ""},
		"the ninth without a name":              {append(many[:8:8], anonymous(b.ed)), bare, deny.BadSignature},
	} {
		b.loaded["one"] = c.loaded
		b.refused(name, b.sign(b.ed, c.header, claims), c.want)
	}
}

// One key, one algorithm, also where the key's type would serve several (RFC 8725 section 3.1).
func TestAKeyIsBoundToOneAlgorithm(t *testing.T) {
	b := newBench(t)
	loose := b.rsa.Public()
	loose.Algorithm = ""
	b.loaded["two"] = []keys.Public{loose}
	b.provider("two").Algorithms = []keys.Algorithm{keys.RS256, keys.PS256}
	claims := with(b.claims(), "iss", "urn:two")
	header := fields{"alg": "RS256", "typ": "at+jwt", "kid": b.rsa.ID()}
	b.refused("the first that is allowed", b.sign(b.rsa, header, claims), "")
	b.refused("the second", b.sign(b.rsa, with(header, "alg", "PS256"), claims), deny.UnsupportedAlgorithm)
	usable := verify.Usable(*b.provider("two"), []keys.Public{loose, b.ed.Public()})
	if len(usable) != 1 || usable[0].Algorithm != keys.RS256 || usable[0].Key.(*rsa.PublicKey) != loose.Key {
		t.Errorf("usable: %+v", usable)
	}
}

func TestTokenTypes(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		accepted []string
		kind     any
		want     deny.Reason
	}{
		{nil, "at+jwt", ""},
		{nil, nil, deny.WrongType},
		{[]string{"JWT"}, "jwt", ""},
		{[]string{"JWT"}, "application/JWT", ""},
		{[]string{"application/jwt"}, "JWT", ""},
		{[]string{"JWT"}, "at+jwt", deny.WrongType},
		{[]string{"JWT"}, nil, deny.WrongType},
		{[]string{""}, nil, ""},
		{[]string{""}, "", deny.WrongType},
		{[]string{""}, "application/", deny.WrongType},
		{[]string{"at+jwt", "JWT", ""}, nil, ""},
		{[]string{"at+jwt", "JWT", ""}, "dpop+jwt", deny.WrongType},
	} {
		b.provider("one").TokenTypes = c.accepted
		b.refused(fmt.Sprintf("%q under %q", c.kind, c.accepted), b.sign(b.ed, with(b.header(), "typ", c.kind), b.claims()), c.want)
	}
}

func TestIdentity(t *testing.T) {
	b := newBench(t)
	b.addQuilt()
	claims := b.quiltClaims()
	seen := map[string]string{}
	for _, c := range []struct {
		id, uuid any
		want     deny.Reason
	}{
		{"7", "u", ""}, {7, "u", ""}, {7.5, "u", ""}, {`7","u`, "u", ""}, {"7", `u","u`, ""}, {"ü", "u", ""},
		{nil, "u", deny.MissingClaim}, {"7", nil, deny.MissingClaim}, {"", "u", deny.MissingClaim},
		{true, "u", deny.MalformedToken}, {[]string{"7"}, "u", deny.MalformedToken}, {fields{}, "u", deny.MalformedToken},
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
	b.refused("id null", hs256(`{"alg":"HS256"}`, `{"id":null,"uuid":"u","exp":4000000000}`, b.secret), deny.MalformedToken)
	b.refused("sub is not asked for, but has its type", b.quilt(with(claims, "sub", 7)), deny.MalformedToken)
	b.provider("one").IdentityClaims = []string{"sub"}
	if principal, denial := b.verify(b.good()); denial != nil || principal.Subject() != "alice" {
		t.Errorf("sub, asked for by name: %+v %+v", principal, denial)
	}
}

// Quilt's tokens are exactly {id, uuid, exp}.
func TestProviderOfSharedSecrets(t *testing.T) {
	b := newBench(t)
	b.addQuilt()
	claims := b.quiltClaims()
	b.refused("as it is", b.quilt(claims), "")
	b.refused("without typ", b.shared(fields{"alg": "HS256"}, claims), "")
	b.refused("with a kid of theirs", b.shared(fields{"alg": "HS256", "kid": "1"}, claims), "")
	b.refused("meant for somebody", b.quilt(with(claims, "aud", "urn:server")), deny.WrongAudience)
	b.refused("meant for nobody", b.quilt(with(claims, "aud", []string{})), deny.WrongAudience)
	b.refused("for ever", b.quilt(with(claims, "exp", nil)), deny.MissingClaim)
	b.refused("bound to a key", b.quilt(with(claims, "cnf", fields{"jkt": "x"})), deny.WrongType)
	b.refused("expired", b.quilt(with(claims, "exp", now.Unix())), deny.Expired)
	b.refused("of another type", b.shared(fields{"alg": "HS256", "typ": "at+jwt"}, claims), deny.WrongType)
	b.refused("longer hash", b.shared(fields{"alg": "HS384"}, claims), deny.UnsupportedAlgorithm)
	b.refused("another secret", hs256(`{"alg":"HS256"}`, asJSON(t, claims), []byte("another secret of 32 characters!")), deny.BadSignature)
	b.refused("empty secret", hs256(`{"alg":"HS256"}`, asJSON(t, claims), nil), deny.BadSignature)
	b.refused("unsigned", encode([]byte(`{"alg":"none"}`))+"."+encode([]byte(asJSON(t, claims)))+".", deny.UnsupportedAlgorithm)
}

func TestLongestLife(t *testing.T) {
	b := newBench(t)
	header := fields{"alg": "RS256", "typ": "at+jwt", "kid": b.rsa.ID()}
	claims := with(b.claims(), "iss", "urn:two")
	b.refused("exactly", b.sign(b.rsa, header, with(claims, "exp", now.Add(600*time.Second).Unix())), "")
	raw := b.sign(b.rsa, header, with(claims, "exp", now.Add(601*time.Second).Unix()))
	b.refused("a second more", raw, deny.Expired)
	if _, denial := b.verify(raw); denial.Message != deny.TokenLivesTooLong().Message {
		t.Errorf("message %q", denial.Message)
	}
}

func TestTokensAsMinted(t *testing.T) {
	b := newBench(t)
	template := token.Template{Key: b.ed, Issuer: "urn:one", Audience: "urn:server", Subject: "alice", Lifetime: time.Minute}
	raw, err := template.Good(now)
	must(t, err)
	b.refused("the good token", raw, "")
	for defect, want := range map[token.Defect]deny.Reason{token.Expired: deny.Expired, token.WrongKey: deny.BadSignature} {
		raw, err := template.Bad(defect, now)
		must(t, err)
		b.refused(string(defect), raw, want)
	}
}

// Whoever forges learns only that he did (RFC 8725 section 3.2; nothing tells a wrong key from changed claims).
func TestForgeriesAreToldNothing(t *testing.T) {
	b := newBench(t)
	_, wrongKey := b.verify(b.sign(b.unused, b.header(), b.claims()))
	_, changed := b.verify(flipped(t, b.good()))
	if wrongKey == nil || changed == nil || wrongKey.Message != changed.Message || wrongKey.Reason != changed.Reason {
		t.Errorf("a wrong key: %+v; another signature: %+v", wrongKey, changed)
	}
}
