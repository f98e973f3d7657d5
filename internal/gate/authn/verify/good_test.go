package verify_test

import (
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
)

func TestGoodTokens(t *testing.T) {
	b := newFixture(t)
	ec := fields{"alg": "ES256", "typ": "application/at+jwt", "kid": b.ec.ID()}
	for name, raw := range map[string]string{
		"plain":                      b.sign(b.ed, b.header(), b.claims()),
		"second key":                 b.sign(b.ec, ec, b.claims()),
		"without kid, one key fits":  b.sign(b.ec, with(ec, "kid", nil), b.claims()),
		"type in other case":         b.sign(b.ed, with(b.header(), "typ", "AT+JWT"), b.claims()),
		"several audiences":          b.sign(b.ed, b.header(), with(b.claims(), "aud", []string{"urn:x", "urn:alias"})),
		"expired within leeway":      b.sign(b.ed, b.header(), with(b.claims(), "exp", now.Add(-leeway+time.Second).Unix())),
		"not before, within leeway":  b.sign(b.ed, b.header(), with(b.claims(), "nbf", now.Add(leeway-time.Second).Unix())),
		"issued within leeway":       b.sign(b.ed, b.header(), with(b.claims(), "iat", now.Add(leeway-time.Second).Unix())),
		"fraction of a second":       b.sign(b.ed, b.header(), with(b.claims(), "exp", float64(now.Unix())+60.5)),
		"scope of a wrong type":      b.sign(b.ed, b.header(), with(b.claims(), "scope", []string{"read"})),
		"fraction before the end":    b.sign(b.ed, b.header(), with(b.claims(), "exp", float64(now.Add(-leeway).Unix())+0.5)),
		"exp in another spelling":    b.signRaw(b.ed, asJSON(t, b.header()), repeated(asJSON(t, with(b.claims(), "exp", nil)), `"exp":2.0e9`)),
		"escapes, a pair among them": b.signRaw(b.ed, asJSON(t, b.header()), repeated(asJSON(t, b.claims()), `"x":"\\\ud83d\ude00\\ud83d"`)),
		"duplicates in other case":   b.signRaw(b.ed, asJSON(t, b.header()), repeated(asJSON(t, b.claims()), `"Sub":"admin"`)),
		// Header parameters that would choose the key are ignored; the token is good by its kid.
		"jku and x5u": b.sign(b.ed, with(with(b.header(), "jku", "http://evil.example"), "x5u", "http://evil.example"), b.claims()),
	} {
		principal, denial := b.verify(raw)
		if denial != nil {
			t.Errorf("%s: refused: %s", name, denial.Reason)
			continue
		}
		if !principal.Valid() || principal.Provider() != "one" || principal.Issuer() != "urn:one" || principal.Subject() != "alice" || principal.Client() != "agent" {
			t.Errorf("%s: %+v", name, principal)
		}
	}
	principal, _ := b.verify(b.sign(b.ed, b.header(), b.claims()))
	if !principal.HasScope("write") || principal.HasScope("read write") || principal.KeyID() != b.ed.ID() ||
		!principal.Deadline().Equal(now.Add(time.Minute+leeway)) {
		t.Errorf("%+v", principal)
	}
	rsaToken := b.sign(b.rsa, fields{"alg": "RS256", "typ": "at+jwt", "kid": b.rsa.ID()},
		with(with(b.claims(), "iss", "urn:two"), "exp", now.Add(10*time.Minute).Unix()))
	if principal, denial := b.verify(rsaToken); denial != nil || principal.Provider() != "two" {
		t.Errorf("RS256: %+v %+v", principal, denial)
	}
	if (verify.Principal{}).Valid() {
		t.Error("a Principal that nobody verified is valid")
	}
}
