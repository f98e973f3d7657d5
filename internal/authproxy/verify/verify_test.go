package verify_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const leeway = 30 * time.Second

type fields = map[string]any

// bench is a verifier with two providers: "one" with an EdDSA and an ES256 key, "two" with an RS256 key.
type bench struct {
	t                   *testing.T
	ed, ec, rsa, unused keys.Private
	config              authproxy.Config
	loaded              map[string][]keys.Public
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t}
	for algorithm, into := range map[keys.Algorithm][]*keys.Private{
		keys.EdDSA: {&b.ed, &b.unused}, keys.ES256: {&b.ec}, keys.RS256: {&b.rsa},
	} {
		for _, key := range into {
			var err error
			*key, err = keys.Generate(algorithm)
			must(t, err)
		}
	}
	b.config = authproxy.Config{
		Providers: []authproxy.Provider{
			{Name: "one", Issuer: "urn:one", Audiences: []string{"urn:server", "urn:alias"},
				Algorithms: []keys.Algorithm{keys.EdDSA, keys.ES256}, ClockSkewSeconds: int32(leeway.Seconds())},
			{Name: "two", Issuer: "urn:two", Audiences: []string{"urn:server"},
				Algorithms: []keys.Algorithm{keys.RS256}, ClockSkewSeconds: 0, MaxTokenLifetimeSeconds: 600},
			{Name: "empty", Issuer: "urn:empty", Audiences: []string{"urn:server"}, Algorithms: []keys.Algorithm{keys.EdDSA}},
		},
		Limits: authproxy.Limits{TokenBytes: 8 << 10},
	}
	b.loaded = map[string][]keys.Public{
		"one": {b.ed.Public(), b.ec.Public()}, "two": {b.rsa.Public()},
	}
	return b
}

func (b *bench) verify(raw string) (verify.Principal, *deny.Denial) {
	return verify.New(b.config, b.loaded, func() time.Time { return now }).Verify(raw)
}

// header and claims are those of a good token by b.ed.
func (b *bench) header() fields {
	return fields{"alg": "EdDSA", "typ": "at+jwt", "kid": b.ed.ID()}
}

func (b *bench) claims() fields {
	return fields{
		"iss": "urn:one", "aud": "urn:server", "sub": "alice", "client_id": "agent", "scope": "read write",
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "jti": "1",
	}
}

// with gives a copy with members changed; nil removes one.
func with(members fields, name string, value any) fields {
	changed := maps.Clone(members)
	changed[name] = value
	if value == nil {
		delete(changed, name)
	}
	return changed
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// signRaw signs any two texts.
func (b *bench) signRaw(key keys.Private, header, claims string) string {
	b.t.Helper()
	text := encode([]byte(header)) + "." + encode([]byte(claims))
	signature, err := key.Sign(text)
	must(b.t, err)
	return text + "." + encode(signature)
}

func (b *bench) sign(key keys.Private, header, claims fields) string {
	b.t.Helper()
	return b.signRaw(key, asJSON(b.t, header), asJSON(b.t, claims))
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	must(t, err)
	return string(data)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestGoodTokens(t *testing.T) {
	b := newBench(t)
	ec := fields{"alg": "ES256", "typ": "application/at+jwt", "kid": b.ec.ID()}
	for name, raw := range map[string]string{
		"plain":                     b.sign(b.ed, b.header(), b.claims()),
		"second key":                b.sign(b.ec, ec, b.claims()),
		"without kid, one key fits": b.sign(b.ec, with(ec, "kid", nil), b.claims()),
		"type in other case":        b.sign(b.ed, with(b.header(), "typ", "AT+JWT"), b.claims()),
		"several audiences":         b.sign(b.ed, b.header(), with(b.claims(), "aud", []string{"urn:x", "urn:alias"})),
		"expired within leeway":     b.sign(b.ed, b.header(), with(b.claims(), "exp", now.Add(-leeway+time.Second).Unix())),
		"not before, within leeway": b.sign(b.ed, b.header(), with(b.claims(), "nbf", now.Add(leeway-time.Second).Unix())),
		"issued within leeway":      b.sign(b.ed, b.header(), with(b.claims(), "iat", now.Add(leeway-time.Second).Unix())),
		"fraction of a second":      b.sign(b.ed, b.header(), with(b.claims(), "exp", float64(now.Unix())+60.5)),
		"scope of a wrong type":     b.sign(b.ed, b.header(), with(b.claims(), "scope", []string{"read"})),
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

// Each row is a good token with one thing changed.
func TestBadTokens(t *testing.T) {
	b := newBench(t)
	header, claims := b.header(), b.claims()
	good := b.sign(b.ed, header, claims)
	parts := strings.Split(good, ".")
	byHeader := func(name string, value any) string { return b.sign(b.ed, with(header, name, value), claims) }
	byClaim := func(name string, value any) string { return b.sign(b.ed, header, with(claims, name, value)) }
	unsigned := func(alg string) string {
		return encode([]byte(asJSON(t, with(header, "alg", alg)))) + "." + parts[1] + "."
	}
	two := with(with(claims, "iss", "urn:two"), "exp", now.Add(time.Minute).Unix())
	rs := fields{"alg": "RS256", "typ": "at+jwt", "kid": b.rsa.ID()}
	rawHeader, rawClaims := asJSON(t, header), asJSON(t, claims)
	repeated := func(text, member string) string { return strings.TrimSuffix(text, "}") + "," + member + "}" }
	embedded, err := keys.MarshalPublic([]keys.Public{b.unused.Public()})
	must(t, err)
	var set struct{ Keys []any }
	must(t, json.Unmarshal(embedded, &set))

	for name, c := range map[string]struct {
		raw  string
		want deny.Reason
	}{
		"not a JWT":                     {token.Malformed, deny.MalformedToken},
		"empty":                         {"", deny.MalformedToken},
		"two segments":                  {parts[0] + "." + parts[1], deny.MalformedToken},
		"four segments":                 {good + ".x", deny.MalformedToken},
		"a million dots":                {strings.Repeat(".", 8000), deny.MalformedToken},
		"JWE, five segments":            {"a.b.c.d.e", deny.MalformedToken},
		"JSON serialization":            {`{"payload":"` + parts[1] + `"}`, deny.MalformedToken},
		"too long":                      {byClaim("x", strings.Repeat("x", 8<<10)), deny.MalformedToken},
		"header too long":               {byHeader("x", strings.Repeat("x", 4<<10)), deny.MalformedToken},
		"line end in the signature":     {good[:len(good)-4] + "\n" + good[len(good)-4:], deny.MalformedToken},
		"padding":                       {good + "=", deny.MalformedToken},
		"standard alphabet":             {parts[0] + "." + parts[1] + ".ab+/", deny.MalformedToken},
		"header no JSON":                {b.signRaw(b.ed, "x", rawClaims), deny.MalformedToken},
		"header an array":               {b.signRaw(b.ed, "[]", rawClaims), deny.MalformedToken},
		"claims an array":               {b.signRaw(b.ed, rawHeader, "[]"), deny.MalformedToken},
		"claims null":                   {b.signRaw(b.ed, rawHeader, "null"), deny.MalformedToken},
		"text behind the claims":        {b.signRaw(b.ed, rawHeader, rawClaims+"{}"), deny.MalformedToken},
		"text behind the header":        {b.signRaw(b.ed, rawHeader+"x", rawClaims), deny.MalformedToken},
		"not UTF-8":                     {b.signRaw(b.ed, rawHeader, repeated(rawClaims, "\"x\":\"\xff\"")), deny.MalformedToken},
		"deep nesting":                  {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40))), deny.MalformedToken},
		"alg twice":                     {b.signRaw(b.ed, repeated(rawHeader, `"alg":"EdDSA"`), rawClaims), deny.MalformedToken},
		"exp twice":                     {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"exp":99999999999`)), deny.MalformedToken},
		"sub twice, escaped":            {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"\u0073ub":"admin"`)), deny.MalformedToken},
		"repeated deep inside":          {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"x":[{"a":1,"a":2}]`)), deny.MalformedToken},
		"Exp in place of exp":           {b.sign(b.ed, header, with(with(claims, "exp", nil), "Exp", claims["exp"])), deny.MissingClaim},
		"no alg":                        {byHeader("alg", nil), deny.MalformedToken},
		"alg a number":                  {byHeader("alg", 1), deny.MalformedToken},
		"alg none":                      {unsigned("none"), deny.UnsupportedAlgorithm},
		"alg None":                      {unsigned("None"), deny.UnsupportedAlgorithm},
		"alg nOnE":                      {unsigned("nOnE"), deny.UnsupportedAlgorithm},
		"alg none, with a signature":    {unsigned("none") + parts[2], deny.UnsupportedAlgorithm},
		"alg none, no keys to compare":  {encode([]byte(asJSON(t, with(header, "alg", "none")))) + "." + encode([]byte(asJSON(t, with(claims, "iss", "urn:empty")))) + ".", deny.UnsupportedAlgorithm},
		"alg eddsa in lower case":       {byHeader("alg", "eddsa"), deny.UnsupportedAlgorithm},
		"alg empty":                     {byHeader("alg", ""), deny.UnsupportedAlgorithm},
		"HS256 with the public key":     {b.confused(claims), deny.UnsupportedAlgorithm},
		"alg of the other key":          {byHeader("alg", "ES256"), deny.UnsupportedAlgorithm},
		"alg the provider may not use":  {b.sign(b.rsa, rs, claims), deny.UnsupportedAlgorithm},
		"crit":                          {byHeader("crit", []string{"exp"}), deny.MalformedToken},
		"crit empty":                    {byHeader("crit", []string{}), deny.MalformedToken},
		"typ JWT":                       {byHeader("typ", "JWT"), deny.WrongType},
		"typ absent":                    {byHeader("typ", nil), deny.WrongType},
		"typ of an ID token":            {byHeader("typ", "application/jwt"), deny.WrongType},
		"typ of a logout token":         {byHeader("typ", "logout+jwt"), deny.WrongType},
		"kid a number":                  {byHeader("kid", 7), deny.MalformedToken},
		"kid empty":                     {byHeader("kid", ""), deny.MalformedToken},
		"kid too long":                  {byHeader("kid", strings.Repeat("k", 257)), deny.MalformedToken},
		"kid unknown":                   {byHeader("kid", "other"), deny.UnknownKey},
		"kid a path":                    {byHeader("kid", "../../../../dev/null"), deny.UnknownKey},
		"signed by another key":         {b.sign(b.unused, header, claims), deny.BadSignature},
		"embedded jwk":                  {b.sign(b.unused, with(header, "jwk", set.Keys[0]), claims), deny.BadSignature},
		"claims changed":                {parts[0] + "." + encode([]byte(asJSON(t, with(claims, "sub", "admin")))) + "." + parts[2], deny.BadSignature},
		"signature cut off":             {parts[0] + "." + parts[1] + ".", deny.BadSignature},
		"signature of zeros":            {b.psychic(claims), deny.BadSignature},
		"signature bit flipped":         {flipped(t, good), deny.BadSignature},
		"expired":                       {byClaim("exp", now.Add(-leeway).Unix()), deny.Expired},
		"expired at the epoch":          {byClaim("exp", 0), deny.Expired},
		"no exp":                        {byClaim("exp", nil), deny.MissingClaim},
		"exp a string":                  {byClaim("exp", fmt.Sprint(now.Add(time.Minute).Unix())), deny.MalformedToken},
		"exp a boolean":                 {byClaim("exp", true), deny.MalformedToken},
		"exp beyond all numbers":        {b.signRaw(b.ed, rawHeader, strings.Replace(rawClaims, `"exp":`, `"exp":1e999,"x":`, 1)), deny.MalformedToken},
		"exp in the year 57000":         {byClaim("exp", int64(1_736_000_000_000)), deny.MalformedToken},
		"exp null":                      {b.signRaw(b.ed, rawHeader, strings.Replace(rawClaims, `"exp":`, `"exp":null,"x":`, 1)), deny.MalformedToken},
		"signature in another spelling": {respelled(good), deny.BadSignature},
		"nbf beyond all numbers":        {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"nbf":1e999`)), deny.MalformedToken},
		"not yet valid":                 {byClaim("nbf", now.Add(leeway+time.Second).Unix()), deny.NotYetValid},
		"nbf a string":                  {byClaim("nbf", "0"), deny.MalformedToken},
		"issued in the future":          {byClaim("iat", now.Add(leeway+time.Second).Unix()), deny.NotYetValid},
		"no iss":                        {byClaim("iss", nil), deny.MissingClaim},
		"iss an array":                  {byClaim("iss", []string{"urn:one"}), deny.MalformedToken},
		"foreign iss":                   {byClaim("iss", "urn:foreign"), deny.WrongIssuer},
		"iss with a slash behind":       {byClaim("iss", "urn:one/"), deny.WrongIssuer},
		"iss of another provider":       {b.sign(b.ed, header, with(two, "iss", "urn:two")), deny.UnsupportedAlgorithm},
		"no aud":                        {byClaim("aud", nil), deny.MissingClaim},
		"aud empty":                     {byClaim("aud", []string{}), deny.MissingClaim},
		"foreign aud":                   {byClaim("aud", "urn:foreign"), deny.WrongAudience},
		"aud in other case":             {byClaim("aud", "URN:server"), deny.WrongAudience},
		"aud a prefix":                  {byClaim("aud", "urn:serv"), deny.WrongAudience},
		"aud a number":                  {byClaim("aud", 1), deny.MalformedToken},
		"aud with a number":             {byClaim("aud", []any{"urn:server", 1}), deny.MalformedToken},
		"no sub":                        {byClaim("sub", nil), deny.MissingClaim},
		"sub empty":                     {byClaim("sub", ""), deny.MissingClaim},
		"sub a number":                  {byClaim("sub", 7), deny.MalformedToken},
		"bound to a key":                {byClaim("cnf", map[string]string{"jkt": "x"}), deny.WrongType},
		"lives too long":                {b.sign(b.rsa, rs, with(two, "exp", now.Add(601*time.Second).Unix())), deny.Expired},
		"life unknown":                  {b.sign(b.rsa, rs, with(two, "iat", nil)), deny.MissingClaim},
		"provider without keys":         {b.sign(b.ed, header, with(claims, "iss", "urn:empty")), deny.NoKeys},
	} {
		principal, denial := b.verify(c.raw)
		if denial == nil || principal.Valid() {
			t.Errorf("%s: accepted", name)
			continue
		}
		if denial.Reason != c.want {
			t.Errorf("%s: refused as %s, want %s", name, denial.Reason, c.want)
		}
		if want := 401; denial.Reason != deny.NoKeys && denial.Status != want {
			t.Errorf("%s: status %d", name, denial.Status)
		}
	}
}

// Without a kid nothing says which of several keys is meant.
func TestTokenWithoutKidAndSeveralKeys(t *testing.T) {
	b := newBench(t)
	b.loaded["one"] = append(b.loaded["one"], b.unused.Public())
	raw := b.sign(b.ed, with(b.header(), "kid", nil), b.claims())
	if _, denial := b.verify(raw); denial == nil || denial.Reason != deny.UnknownKey {
		t.Errorf("got %+v", denial)
	}
}

// A key of one provider must not open the door for tokens that claim another (RFC 8725 section 3.8).
func TestKeysBelongToTheirIssuer(t *testing.T) {
	b := newBench(t)
	b.config.Providers[1].Algorithms = []keys.Algorithm{keys.EdDSA}
	b.loaded["two"] = []keys.Public{b.unused.Public()}
	if _, denial := b.verify(b.sign(b.ed, b.header(), with(b.claims(), "iss", "urn:two"))); denial == nil || denial.Reason != deny.UnknownKey {
		t.Errorf("by its kid: %+v", denial)
	}
	header := with(b.header(), "kid", b.unused.ID())
	if _, denial := b.verify(b.sign(b.ed, header, with(b.claims(), "iss", "urn:two"))); denial == nil || denial.Reason != deny.BadSignature {
		t.Errorf("under the other's kid: %+v", denial)
	}
}

func TestTokensAsMinted(t *testing.T) {
	b := newBench(t)
	template := token.Template{Key: b.ed, Issuer: "urn:one", Audience: "urn:server", Subject: "alice", Lifetime: time.Minute}
	raw, err := template.Good(now)
	must(t, err)
	if _, denial := b.verify(raw); denial != nil {
		t.Errorf("the good token: %s", denial.Reason)
	}
	for defect, want := range map[token.Defect]deny.Reason{token.Expired: deny.Expired, token.WrongKey: deny.BadSignature} {
		raw, err := template.Bad(defect, now)
		must(t, err)
		if _, denial := b.verify(raw); denial == nil || denial.Reason != want {
			t.Errorf("%s: %+v", defect, denial)
		}
	}
}

// confused signs with HMAC, taking what everybody knows for the secret.
func (b *bench) confused(claims fields) string {
	public, err := x509.MarshalPKIXPublicKey(b.ed.Public().Key)
	must(b.t, err)
	text := encode([]byte(asJSON(b.t, with(b.header(), "alg", "HS256")))) + "." + encode([]byte(asJSON(b.t, claims)))
	mac := hmac.New(sha256.New, public)
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

// psychic has r = s = 0 (CVE-2022-21449).
func (b *bench) psychic(claims fields) string {
	header := fields{"alg": "ES256", "typ": "at+jwt", "kid": b.ec.ID()}
	return encode([]byte(asJSON(b.t, header))) + "." + encode([]byte(asJSON(b.t, claims))) + "." + encode(make([]byte, 64))
}

func flipped(t *testing.T, raw string) string {
	t.Helper()
	cut := strings.LastIndex(raw, ".") + 1
	signature, err := base64.RawURLEncoding.DecodeString(raw[cut:])
	must(t, err)
	signature[ed25519.SignatureSize/2] ^= 1
	return raw[:cut] + encode(signature)
}

// respelled changes the last character in the bits that decode to nothing.
func respelled(raw string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(raw) - 1
	return raw[:last] + string(alphabet[strings.IndexByte(alphabet, raw[last])|1])
}

// Whatever the text, the verifier neither panics nor lets it in, unless it is the signer's own token.
func FuzzVerify(f *testing.F) {
	_, signer, err := ed25519.GenerateKey(nil)
	if err != nil {
		f.Fatal(err)
	}
	key := keys.Public{ID: "k", Algorithm: keys.EdDSA, Key: signer.Public()}
	verifier := verify.New(authproxy.Config{
		Providers: []authproxy.Provider{{Name: "p", Issuer: "i", Audiences: []string{"a"}, Algorithms: []keys.Algorithm{keys.EdDSA}}},
		Limits:    authproxy.Limits{TokenBytes: 8 << 10},
	}, map[string][]keys.Public{"p": {key}}, func() time.Time { return now })
	unsigned := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{"iss": "i", "aud": "a", "sub": "s", "exp": now.Add(time.Hour).Unix()})
	unsigned.Header["typ"] = "at+jwt"
	good, err := unsigned.SignedString(signer)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{good, token.Malformed, "", "..", "e30.e30.", good + "A", strings.ToLower(good)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		principal, denial := verifier.Verify(raw)
		if (denial == nil) != principal.Valid() {
			t.Errorf("a verdict that is both: %+v %+v", principal, denial)
		}
		if denial == nil && raw != good {
			t.Errorf("accepted %q", raw)
		}
		if denial != nil && !slices.Contains(deny.TokenReasons(), denial.Reason) {
			t.Errorf("refused with the reason %q", denial.Reason)
		}
	})
}
