package attack

import (
	"math"
	"strings"
	"testing"
	"time"
)

// tokenCase is a request with one token; a reason of "" lets it in.
type tokenCase struct{ line, name, token, reason string }

func attacks(table []tokenCase) []attack {
	var out []attack
	for _, c := range table {
		want := serve()
		if c.reason != "" {
			want = refuse(c.reason)
		}
		out = append(out, attack{line: c.line, name: c.name, raw: post(c.token, ping), answers: one(want)})
	}
	return out
}

// What a token looks like and what it claims. Who signed it is for TestForgeries.
func TestTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.try(t, attacks(s.formats()))
	s.try(t, attacks(s.headers()))
	s.try(t, attacks(s.claims()))
	s.try(t, attacks(s.times()))
	s.try(t, attacks(s.texts()))
	s.try(t, s.longLived())
}

func (s *site) formats() []tokenCase {
	good := s.mint()
	part := strings.Split(good, ".")
	return []tokenCase{
		{"J1", "good token", good, ""},
		{"J2", "no JWT at all", "not-a-valid-jwt-token", "malformed_token"},
		{"J2", "two segments", part[0] + "." + part[1], "malformed_token"},
		{"J2", "four segments", good + "." + part[2], "malformed_token"},
		{"J2", "only dots", "..", "malformed_token"},
		{"J2", "empty header", "." + part[1] + "." + part[2], "malformed_token"},
		{"J2", "empty claims", part[0] + ".." + part[2], "malformed_token"},
		{"J2", "a thousand dots", strings.Repeat(".", 1000), "malformed_token"},
		{"J2", "padding at the end", good + "==", "malformed_token"},
		{"J2", "padding in the header", part[0] + "=." + part[1] + "." + part[2], "malformed_token"},
		{"J2", "the other base64 alphabet", part[0] + "." + part[1] + ".+/" + part[2][2:], "malformed_token"},
		{"J2", "space inside", part[0] + ". " + part[1] + "." + part[2], "malformed_token"},
		{"J2", "tab inside", part[0] + ".\t" + part[1] + "." + part[2], "malformed_token"},
		{"J2", "quotes around", `"` + good + `"`, "malformed_token"},
		{"J2", "braces around", "{" + good + "}", "malformed_token"},
		{"J2", "percent-encoded dot", strings.Replace(good, ".", "%2E", 1), "malformed_token"},
		{"J2", "letters beyond ASCII", good + "\xc3\xa9", "malformed_token"},
		{"J2", "bytes that are no UTF-8", good + "\xff", "malformed_token"},
		{"J2", "unused bits in the last letter", looseEnd(good), "bad_signature"},
		{"J2", "unused bits in the header", s.looseHeader(), "malformed_token"},
		{"J3", "longer than the limit", s.mint(setClaim("pad", strings.Repeat("x", 8<<10))), "malformed_token"},
		{"J3", "long, but within the limit", s.mint(setClaim("pad", strings.Repeat("x", 5000))), ""},
		{"J3", "long header", s.mint(setHead("pad", strings.Repeat("x", 4<<10))), "malformed_token"},
		{"J3", "deep claims", s.mint(claimText(lastMember(`"deep":` + strings.Repeat("[", 64) + strings.Repeat("]", 64)))), "malformed_token"},
		{"J3", "very deep claims", s.mint(claimText(lastMember(`"deep":` + strings.Repeat("[", 2500) + strings.Repeat("]", 2500)))), "malformed_token"},
		{"J20", "five segments", strings.Join([]string{part[0], part[1], part[2], part[0], part[1]}, "."), "malformed_token"},
		{"J20", "encrypted header", s.mint(setHead("alg", "dir"), setHead("enc", "A128GCM")), "unsupported_algorithm"},
		{"J20", "enc beside a signature", s.mint(setHead("enc", "A128GCM")), "malformed_token"},
		{"J20", "zip", s.mint(setHead("zip", "DEF")), "malformed_token"},
		{"J20", "PBES2 with a million rounds", s.mint(setHead("alg", "PBES2-HS256+A128KW"), setHead("p2c", 1000000)), "unsupported_algorithm"},
		{"J20", "a token as claims", s.mint(setHead("cty", "JWT"), claimText(instead(good))), "malformed_token"},
		{"J21", "flattened JSON", `{"payload":"` + part[1] + `","protected":"` + part[0] + `","signature":"` + part[2] + `"}`, "malformed_token"},
		{"J21", "general JSON", `{"payload":"` + part[1] + `","signatures":[{"protected":"` + part[0] + `","signature":"` + part[2] + `"}]}`, "malformed_token"},
	}
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// looseEnd spells the signature in another way that careless decoders read as the same: an Ed25519 signature of 64 bytes
// leaves four bits of its last letter unused.
func looseEnd(token string) string {
	end := len(token) - 1
	return token[:end] + string(alphabet[strings.IndexByte(alphabet, token[end])|1])
}

// looseHeader does so with the header, and signs that.
func (s *site) looseHeader() string {
	header, claims, _ := strings.Cut(s.mint(headText(behind(" "))), ".")
	for pad := " "; len(header)%4 == 0; pad += " " {
		header, claims, _ = strings.Cut(s.mint(headText(behind(pad))), ".")
	}
	claims, _, _ = strings.Cut(claims, ".")
	signed := looseEnd(header) + "." + claims
	return signed + "." + encode(s.issuers.ed.sign(signed))
}

func (s *site) headers() []tokenCase {
	return []tokenCase{
		{"J4", "no alg", s.mint(noHead("alg")), "malformed_token"},
		{"J4", "alg is a number", s.mint(setHead("alg", 256)), "malformed_token"},
		{"J4", "alg is null", s.mint(setHead("alg", nil)), "malformed_token"},
		{"J4", "alg is a list", s.mint(setHead("alg", []string{"EdDSA"})), "malformed_token"},
		{"J4", "alg is empty", s.mint(setHead("alg", "")), "unsupported_algorithm"},
		{"J4", "alg in lower case", s.mint(setHead("alg", "eddsa")), "unsupported_algorithm"},
		{"J4", "alg with a space", s.mint(setHead("alg", "EdDSA ")), "unsupported_algorithm"},
		{"J4", "alg with a NUL", s.mint(setHead("alg", "EdDSA\x00")), "unsupported_algorithm"},
		{"J4", "alg of another curve", s.mint(setHead("alg", "ES256K")), "unsupported_algorithm"},
		{"J4", "RS1", s.mint(setHead("alg", "RS1")), "unsupported_algorithm"},
		{"J4", "an algorithm of another key", s.mint(setHead("alg", "ES256")), "unsupported_algorithm"},
		{"J4", "an algorithm that is not listed", s.mint(by(s.issuers.ec), setHead("alg", "ES384")), "unsupported_algorithm"},
		{"J4", "PSS with a key of PKCS 1.5", s.mint(by(s.issuers.ps), setHead("kid", s.issuers.rs.kid)), "unsupported_algorithm"},
		{"J5", "Ed25519, the new name of EdDSA", s.mint(setHead("alg", "Ed25519")), ""},
		{"J5", "Ed25519 without kid", s.mint(setHead("alg", "Ed25519"), noHead("kid")), ""},
		{"J5", "Ed25519 by a stranger", s.mint(forgedBy(s.issuers.stranger), setHead("alg", "Ed25519")), "bad_signature"},
		{"J4", "Ed25519 for an EC key", s.mint(by(s.issuers.ec), setHead("alg", "Ed25519")), "unsupported_algorithm"},
		{"J4", "Ed448", s.mint(setHead("alg", "Ed448")), "unsupported_algorithm"},
		{"J4", "ed25519 in lower case", s.mint(setHead("alg", "ed25519")), "unsupported_algorithm"},
		{"J5", "ES256", s.mint(by(s.issuers.ec)), ""},
		{"J5", "RS256", s.mint(by(s.issuers.rs)), ""},
		{"J5", "PS256", s.mint(by(s.issuers.ps)), ""},
		{"J5", "HS256 of a shared secret", s.mintShared(), ""},
		{"J5", "HS512 where HS256 is listed", s.mintShared(setHead("alg", "HS512")), "unsupported_algorithm"},
		{"J7", "unknown crit", s.mint(setHead("crit", []string{"x"}), setHead("x", 1)), "malformed_token"},
		{"J7", "crit that names what is not there", s.mint(setHead("crit", []string{"x"})), "malformed_token"},
		{"J7", "empty crit", s.mint(setHead("crit", []string{})), "malformed_token"},
		{"J7", "crit is a string", s.mint(setHead("crit", "alg")), "malformed_token"},
		{"J7", "crit is null", s.mint(setHead("crit", nil)), "malformed_token"},
		{"J7", "crit of a known name", s.mint(setHead("crit", []string{"alg"})), "malformed_token"},
		{"J7", "b64", s.mint(setHead("crit", []string{"b64"}), setHead("b64", false)), "malformed_token"},
		{"J7", "b64 that is not critical", s.mint(setHead("b64", true)), "malformed_token"},
		{"J8", "no typ", s.mint(noHead("typ")), "wrong_type"},
		{"J8", "JWT", s.mint(setHead("typ", "JWT")), "wrong_type"},
		{"J8", "empty typ", s.mint(setHead("typ", "")), "wrong_type"},
		{"J8", "typ is null", s.mint(setHead("typ", nil)), "wrong_type"},
		{"J8", "typ is a number", s.mint(setHead("typ", 1)), "wrong_type"},
		{"J8", "typ is a list", s.mint(setHead("typ", []string{"at+jwt"})), "wrong_type"},
		{"J8", "DPoP proof", s.mint(setHead("typ", "dpop+jwt")), "wrong_type"},
		{"J8", "ID token", s.mint(setHead("typ", "id_token+jwt")), "wrong_type"},
		{"J8", "security event", s.mint(setHead("typ", "secevent+jwt")), "wrong_type"},
		{"J8", "logout token", s.mint(setHead("typ", "logout+jwt")), "wrong_type"},
		{"J8", "introspection", s.mint(setHead("typ", "token-introspection+jwt")), "wrong_type"},
		{"J8", "key binding", s.mint(setHead("typ", "kb+jwt")), "wrong_type"},
		{"J8", "a parameter of the type", s.mint(setHead("typ", "at+jwt; x=y")), "wrong_type"},
		{"J8", "application twice", s.mint(setHead("typ", "application/application/at+jwt")), "wrong_type"},
		{"J8", "space in front", s.mint(setHead("typ", " at+jwt")), "wrong_type"},
		{"J8", "access token of a shared secret", s.mintShared(setHead("typ", "at+jwt")), "wrong_type"},
		{"J8", "other case", s.mint(setHead("typ", "AT+JWT")), ""},
		{"J8", "the whole media type", s.mint(setHead("typ", "application/at+jwt")), ""},
		{"J8", "no typ where none is wanted", s.mintShared(noHead("typ")), ""},
		{"J8", "typ is null where none is wanted", s.mintShared(setHead("typ", nil)), "wrong_type"},
		{"J8", "typ is false where none is wanted", s.mintShared(setHead("typ", false)), "wrong_type"},
		{"J8", "typ is an empty list where none is wanted", s.mintShared(setHead("typ", []string{})), "wrong_type"},
		{"J8", "typ is an empty text where none is wanted", s.mintShared(setHead("typ", "")), "wrong_type"},
	}
}

func (s *site) claims() []tokenCase {
	return []tokenCase{
		{"J11", "unknown issuer", s.mint(setClaim("iss", "https://evil.example")), "wrong_issuer"},
		{"J11", "slash behind", s.mint(setClaim("iss", issuer+"/")), "wrong_issuer"},
		{"J11", "other case", s.mint(setClaim("iss", strings.ToUpper(issuer))), "wrong_issuer"},
		{"J11", "space behind", s.mint(setClaim("iss", issuer+" ")), "wrong_issuer"},
		{"J11", "empty", s.mint(setClaim("iss", "")), "wrong_issuer"},
		{"J11", "null", s.mint(setClaim("iss", nil)), "malformed_token"},
		{"J11", "list", s.mint(setClaim("iss", []string{issuer})), "malformed_token"},
		{"J11", "number", s.mint(setClaim("iss", 1)), "malformed_token"},
		{"J11", "no issuer is the provider without", s.mint(noClaim("iss")), "wrong_type"},
		{"J11", "no issuer and a fitting type", s.mint(noClaim("iss"), setHead("typ", "JWT")), "unsupported_algorithm"},
		{"J11", "an issuer that the provider without has not", s.mintShared(setClaim("iss", "x")), "wrong_issuer"},
		{"J12", "no audience", s.mint(noClaim("aud")), "missing_claim"},
		{"J12", "another server", s.mint(setClaim("aud", "https://other.example/mcp")), "wrong_audience"},
		{"J12", "audience of the other provider", s.mint(setClaim("aud", otherAudience)), "wrong_audience"},
		{"J12", "a beginning of ours", s.mint(setClaim("aud", audience[:len(audience)-1])), "wrong_audience"},
		{"J12", "begins as ours", s.mint(setClaim("aud", audience+"/admin")), "wrong_audience"},
		{"J12", "slash behind", s.mint(setClaim("aud", audience+"/")), "wrong_audience"},
		{"J12", "other case", s.mint(setClaim("aud", strings.ToUpper(audience))), "wrong_audience"},
		{"J12", "empty", s.mint(setClaim("aud", "")), "wrong_audience"},
		{"J12", "star", s.mint(setClaim("aud", "*")), "wrong_audience"},
		{"J12", "many, without ours", s.mint(setClaim("aud", []string{"a", "b"})), "wrong_audience"},
		{"J12", "ours in one text with others", s.mint(setClaim("aud", "a "+audience)), "wrong_audience"},
		{"J12", "empty list", s.mint(setClaim("aud", []string{})), "missing_claim"},
		{"J12", "number", s.mint(setClaim("aud", 1)), "malformed_token"},
		{"J12", "null", s.mint(setClaim("aud", nil)), "malformed_token"},
		{"J12", "object", s.mint(setClaim("aud", map[string]any{audience: true})), "malformed_token"},
		{"J12", "list with a number", s.mint(setClaim("aud", []any{audience, 1})), "malformed_token"},
		{"J12", "audience where the provider has none", s.mintShared(setClaim("aud", audience)), "wrong_audience"},
		{"J12", "ours among many", s.mint(setClaim("aud", []string{"a", audience})), ""},
		{"J15", "no subject", s.mint(noClaim("sub")), "missing_claim"},
		{"J15", "empty subject", s.mint(setClaim("sub", "")), "missing_claim"},
		{"J15", "subject is a number", s.mint(setClaim("sub", 7)), "malformed_token"},
		{"J15", "subject is null", s.mint(setClaim("sub", nil)), "malformed_token"},
		{"J15", "jti is a number", s.mint(setClaim("jti", 7)), "malformed_token"},
		{"J15", "half of an identity", s.mintShared(noClaim("uuid")), "missing_claim"},
		{"J15", "identity is an object", s.mintShared(setClaim("id", map[string]any{})), "malformed_token"},
		{"J15", "no client_id and no jti", s.mint(noClaim("client_id"), noClaim("jti")), ""},
		{"J24", "bound to a DPoP key", s.mint(setClaim("cnf", map[string]any{"jkt": "x"})), "wrong_type"},
		{"J24", "bound to a certificate", s.mint(setClaim("cnf", map[string]any{"x5t#S256": "x"})), "wrong_type"},
		{"J24", "bound to a text", s.mint(setClaim("cnf", "x")), "wrong_type"},
		{"J24", "bound to an empty list", s.mint(setClaim("cnf", []string{})), "wrong_type"},
		{"J24", "bound by a member of nothing", s.mint(setClaim("cnf", map[string]any{"jkt": nil})), "wrong_type"},
		{"J24", "bound to nothing, by null", s.mint(setClaim("cnf", nil)), ""},
		{"J24", "bound to nothing, by an empty object", s.mint(setClaim("cnf", map[string]any{})), ""},
		{"J24", "revoked by its id", s.mint(setClaim("jti", "stolen")), "revoked"},
		{"J24", "revoked by its subject", s.mint(setClaim("sub", "mallory")), "revoked"},
	}
}

func (s *site) times() []tokenCase {
	at := func(d time.Duration) int64 { return s.now.Add(d).Unix() }
	return []tokenCase{
		{"J13", "no exp", s.mint(noClaim("exp")), "missing_claim"},
		{"J13", "expired an hour ago", s.mint(setClaim("exp", at(-time.Hour))), "expired"},
		{"J13", "expired beyond the leeway", s.mint(setClaim("exp", at(-31*time.Second))), "expired"},
		{"J13", "expired in 1970", s.mint(setClaim("exp", 1)), "expired"},
		{"J13", "nbf beyond the leeway", s.mint(setClaim("nbf", at(5*time.Minute))), "not_yet_valid"},
		{"J13", "iat beyond the leeway", s.mint(setClaim("iat", at(5*time.Minute))), "not_yet_valid"},
		{"J13", "nbf in the past", s.mint(setClaim("nbf", at(-time.Hour))), ""},
		{"J14", "exp is zero", s.mint(setClaim("exp", 0)), "expired"},
		{"J14", "exp is a string", s.mint(setClaim("exp", "4102444800")), "malformed_token"},
		{"J14", "exp is true", s.mint(setClaim("exp", true)), "malformed_token"},
		{"J14", "exp is null", s.mint(setClaim("exp", nil)), "malformed_token"},
		{"J14", "exp is a list", s.mint(setClaim("exp", []int64{at(time.Minute)})), "malformed_token"},
		{"J14", "exp is an object", s.mint(setClaim("exp", map[string]any{})), "malformed_token"},
		{"J14", "exp is negative", s.mint(setClaim("exp", -1)), "malformed_token"},
		{"J14", "exp in the year 57000", s.mint(setClaim("exp", 1736640000000)), "malformed_token"},
		{"J14", "exp overflows", s.mint(setClaim("exp", uint64(math.MaxUint64))), "malformed_token"},
		{"J14", "exp is infinite", s.mint(noClaim("exp"), claimText(lastMember(`"exp":1e999`))), "malformed_token"},
		{"J14", "exp is NaN", s.mint(noClaim("exp"), claimText(lastMember(`"exp":NaN`))), "malformed_token"},
		{"J14", "exp in hexadecimal", s.mint(noClaim("exp"), claimText(lastMember(`"exp":0x7fffffff`))), "malformed_token"},
		{"J14", "nbf is a string", s.mint(setClaim("nbf", "0")), "malformed_token"},
		{"J14", "iat is null", s.mint(setClaim("iat", nil)), "malformed_token"},
		{"J14", "exp with a fraction", s.mint(setClaim("exp", float64(at(time.Minute))+0.5)), ""},
		{"J16", "no iat where the life is bounded", s.mint(noClaim("iat")), "missing_claim"},
	}
}

// texts are JSON that parsers read differently.
func (s *site) texts() []tokenCase {
	later := `"exp":` + "9999999999"
	return []tokenCase{
		{"J17", "alg twice", s.mint(headText(firstMember(`"alg":"none"`))), "malformed_token"},
		{"J17", "alg twice, the other way round", s.mint(headText(lastMember(`"alg":"none"`))), "malformed_token"},
		{"J17", "the same alg twice", s.mint(headText(lastMember(`"alg":"EdDSA"`))), "malformed_token"},
		{"J17", "kid twice", s.mint(headText(lastMember(`"kid":"other-1"`))), "malformed_token"},
		{"J17", "exp twice", s.mint(setClaim("exp", 1), claimText(lastMember(later))), "malformed_token"},
		{"J17", "aud twice", s.mint(setClaim("aud", "x"), claimText(lastMember(`"aud":"`+audience+`"`))), "malformed_token"},
		{"J17", "sub twice", s.mint(claimText(firstMember(`"sub":"admin"`))), "malformed_token"},
		{"J17", "iss twice", s.mint(claimText(firstMember(`"iss":"` + otherIssuer + `"`))), "malformed_token"},
		{"J17", "sub twice, once escaped", s.mint(claimText(firstMember(`"\u0073ub":"admin"`))), "malformed_token"},
		{"J17", "twice further down", s.mint(claimText(lastMember(`"x":{"a":1,"a":2}`))), "malformed_token"},
		{"J17", "Exp is not exp", s.mint(noClaim("exp"), claimText(lastMember(`"Exp":9999999999`))), "missing_claim"},
		{"J17", "AUD is not aud", s.mint(noClaim("aud"), claimText(lastMember(`"AUD":"`+audience+`"`))), "missing_claim"},
		{"J17", "ALG is not alg", s.mint(noHead("alg"), headText(lastMember(`"ALG":"EdDSA"`))), "malformed_token"},
		{"J18", "a second object behind the claims", s.mint(claimText(behind(`{"sub":"admin"}`))), "malformed_token"},
		{"J18", "a letter behind the claims", s.mint(claimText(behind("x"))), "malformed_token"},
		{"J18", "a NUL behind the claims", s.mint(claimText(behind("\x00"))), "malformed_token"},
		{"J18", "an object behind the header", s.mint(headText(behind("{}"))), "malformed_token"},
		{"J18", "claims are a list", s.mint(claimText(instead("[]"))), "malformed_token"},
		{"J18", "claims are a string", s.mint(claimText(instead(`"x"`))), "malformed_token"},
		{"J18", "claims are null", s.mint(claimText(instead("null"))), "malformed_token"},
		{"J18", "claims are cut off", s.mint(claimText(replace("}", ""))), "malformed_token"},
		{"J18", "claims with a comment", s.mint(claimText(behind("/* */"))), "malformed_token"},
		{"J18", "header is a list", s.mint(headText(instead(`["EdDSA"]`))), "malformed_token"},
		{"J18", "white space behind the claims", s.mint(claimText(behind(" \n"))), ""},
		{"J19", "no UTF-8", s.mint(claimText(replace("alice", "al\xffice"))), "malformed_token"},
		{"J19", "overlong UTF-8", s.mint(claimText(replace("alice", "al\xc0\xafice"))), "malformed_token"},
		{"J19", "half a surrogate pair", s.mint(claimText(replace("alice", `al\ud800ice`))), "malformed_token"},
		{"J19", "byte order mark", s.mint(claimText(func(object string) string { return "\xef\xbb\xbf" + object })), "malformed_token"},
		{"J19", "UTF-16", s.mint(claimText(func(object string) string { return utf16(object) })), "malformed_token"},
		{"J19", "a name in Greek", s.mint(setClaim("sub", "αλίκη")), ""},
	}
}

// longLived tokens are refused in words of their own.
func (s *site) longLived() []attack {
	long := refuse("expired").saying("the access token lives longer than this server accepts: get one with a shorter lifetime")
	return []attack{
		{line: "J16", name: "ten years", raw: post(s.mint(setClaim("exp", s.now.AddDate(10, 0, 0).Unix())), ping), answers: one(long)},
		{line: "J16", name: "two days", raw: post(s.mint(setClaim("exp", s.now.AddDate(0, 0, 2).Unix())), ping), answers: one(long)},
		{line: "J16", name: "within a day, but issued long ago", raw: post(s.mint(setClaim("iat", 1)), ping), answers: one(long)},
	}
}
