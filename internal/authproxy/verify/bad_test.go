package verify_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// bad is a token and why it must be refused. Each is a good one with one thing changed.
type bad struct {
	raw  string
	want deny.Reason
}

func (b *bench) allRefused(tokens map[string]bad) {
	b.t.Helper()
	for name, c := range tokens {
		b.refused(name, c.raw, c.want)
	}
}

// RFC 7515, RFC 7519 sections 3 and 4, RFC 8725 sections 3.7 and 3.11: what can be read in one way only.
func TestMalformedTokens(t *testing.T) {
	b := newBench(t)
	good, header, claims := b.good(), b.header(), b.claims()
	parts := strings.Split(good, ".")
	rawHeader, rawClaims := asJSON(t, header), asJSON(t, claims)
	byHeader := func(name string, value any) string { return b.sign(b.ed, with(header, name, value), claims) }
	byClaim := func(name string, value any) string { return b.sign(b.ed, header, with(claims, name, value)) }
	b.allRefused(map[string]bad{
		"not a JWT":                 {token.Malformed, deny.MalformedToken},
		"empty":                     {"", deny.MalformedToken},
		"two segments":              {parts[0] + "." + parts[1], deny.MalformedToken},
		"four segments":             {good + ".x", deny.MalformedToken},
		"a million dots":            {strings.Repeat(".", 8000), deny.MalformedToken},
		"JWE, five segments":        {"a.b.c.d.e", deny.MalformedToken},
		"JSON serialization":        {`{"payload":"` + parts[1] + `"}`, deny.MalformedToken},
		"too long":                  {byClaim("x", strings.Repeat("x", 8<<10)), deny.MalformedToken},
		"header too long":           {byHeader("x", strings.Repeat("x", 4<<10)), deny.MalformedToken},
		"line end in the signature": {good[:len(good)-4] + "\n" + good[len(good)-4:], deny.MalformedToken},
		"padding":                   {good + "=", deny.MalformedToken},
		"standard alphabet":         {parts[0] + "." + parts[1] + ".ab+/", deny.MalformedToken},
		"header no JSON":            {b.signRaw(b.ed, "x", rawClaims), deny.MalformedToken},
		"header an array":           {b.signRaw(b.ed, "[]", rawClaims), deny.MalformedToken},
		"claims an array":           {b.signRaw(b.ed, rawHeader, "[]"), deny.MalformedToken},
		"claims null":               {b.signRaw(b.ed, rawHeader, "null"), deny.MalformedToken},
		"text behind the claims":    {b.signRaw(b.ed, rawHeader, rawClaims+"{}"), deny.MalformedToken},
		"text behind the header":    {b.signRaw(b.ed, rawHeader+"x", rawClaims), deny.MalformedToken},
		"not UTF-8":                 {b.signRaw(b.ed, rawHeader, repeated(rawClaims, "\"x\":\"\xff\"")), deny.MalformedToken},
		"deep nesting":              {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40))), deny.MalformedToken},
		"alg twice":                 {b.signRaw(b.ed, repeated(rawHeader, `"alg":"EdDSA"`), rawClaims), deny.MalformedToken},
		"exp twice":                 {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"exp":99999999999`)), deny.MalformedToken},
		"sub twice, escaped":        {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"\u0073ub":"admin"`)), deny.MalformedToken},
		"repeated deep inside":      {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"x":[{"a":1,"a":2}]`)), deny.MalformedToken},
		"Exp in place of exp":       {b.sign(b.ed, header, with(with(claims, "exp", nil), "Exp", claims["exp"])), deny.MissingClaim},
		"half of a surrogate pair":  {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"x":"\ud83d"`)), deny.MalformedToken},
		"the other half":            {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"x":"\ude00\ud83d"`)), deny.MalformedToken},
		"half a pair in a name":     {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"x":{"\uD83Dx":1}`)), deny.MalformedToken},
		"byte order mark":           {b.signRaw(b.ed, rawHeader, "\ufeff"+rawClaims), deny.MalformedToken},
		"claims in UTF-16":          {b.signRaw(b.ed, rawHeader, wide(rawClaims)), deny.MalformedToken},
		"nested JWT":                {b.signRaw(b.ed, rawHeader, good), deny.MalformedToken},
		"single quotes":             {b.signRaw(b.ed, rawHeader, strings.ReplaceAll(rawClaims, `"`, `'`)), deny.MalformedToken},
	})
}

// RFC 7515 section 4.1, RFC 8725 sections 2.1, 3.1, 3.10 and 3.11.
func TestBadHeaders(t *testing.T) {
	b := newBench(t)
	good, header, claims := b.good(), b.header(), b.claims()
	parts := strings.Split(good, ".")
	rawHeader, rawClaims := asJSON(t, header), asJSON(t, claims)
	byHeader := func(name string, value any) string { return b.sign(b.ed, with(header, name, value), claims) }
	rs := fields{"alg": "RS256", "typ": "at+jwt", "kid": b.rsa.ID()}
	unsigned := func(alg string) string {
		return encode([]byte(asJSON(t, with(header, "alg", alg)))) + "." + parts[1] + "."
	}
	b.allRefused(map[string]bad{
		"no alg":                       {byHeader("alg", nil), deny.MalformedToken},
		"alg a number":                 {byHeader("alg", 1), deny.MalformedToken},
		"alg none":                     {unsigned("none"), deny.UnsupportedAlgorithm},
		"alg None":                     {unsigned("None"), deny.UnsupportedAlgorithm},
		"alg nOnE":                     {unsigned("nOnE"), deny.UnsupportedAlgorithm},
		"alg none, with a signature":   {unsigned("none") + parts[2], deny.UnsupportedAlgorithm},
		"alg none, no keys to compare": {encode([]byte(asJSON(t, with(header, "alg", "none")))) + "." + encode([]byte(asJSON(t, with(claims, "iss", "urn:empty")))) + ".", deny.UnsupportedAlgorithm},
		"alg eddsa in lower case":      {byHeader("alg", "eddsa"), deny.UnsupportedAlgorithm},
		"alg empty":                    {byHeader("alg", ""), deny.UnsupportedAlgorithm},
		"HS256 with the public key":    {b.confused(claims), deny.UnsupportedAlgorithm},
		"alg of the other key":         {byHeader("alg", "ES256"), deny.UnsupportedAlgorithm},
		"alg the provider may not use": {b.sign(b.rsa, rs, claims), deny.UnsupportedAlgorithm},
		"crit":                         {byHeader("crit", []string{"exp"}), deny.MalformedToken},
		"crit empty":                   {byHeader("crit", []string{}), deny.MalformedToken},
		"unencoded payload":            {byHeader("b64", false), deny.MalformedToken},
		"compressed":                   {byHeader("zip", "DEF"), deny.MalformedToken},
		"encrypted":                    {byHeader("enc", "A256GCM"), deny.MalformedToken},
		"crit of no array":             {byHeader("crit", "exp"), deny.MalformedToken},
		"alg null":                     {b.signRaw(b.ed, strings.Replace(rawHeader, `"EdDSA"`, "null", 1), rawClaims), deny.MalformedToken},
		"typ JWT":                      {byHeader("typ", "JWT"), deny.WrongType},
		"typ absent":                   {byHeader("typ", nil), deny.WrongType},
		"typ of an ID token":           {byHeader("typ", "application/jwt"), deny.WrongType},
		"typ with a parameter":         {byHeader("typ", "at+jwt; v=1"), deny.WrongType},
		"typ of another tree":          {byHeader("typ", "text/at+jwt"), deny.WrongType},
		"typ with a doubled tree":      {byHeader("typ", "application/application/at+jwt"), deny.WrongType},
		"typ an array":                 {byHeader("typ", []string{"at+jwt"}), deny.WrongType},
		"typ null":                     {b.signRaw(b.ed, strings.Replace(rawHeader, `"at+jwt"`, "null", 1), rawClaims), deny.WrongType},
		"typ empty":                    {byHeader("typ", ""), deny.WrongType},
		"typ of a DPoP proof":          {byHeader("typ", "dpop+jwt"), deny.WrongType},
		"typ of a logout token":        {byHeader("typ", "logout+jwt"), deny.WrongType},
		"kid a number":                 {byHeader("kid", 7), deny.MalformedToken},
		"kid empty":                    {byHeader("kid", ""), deny.MalformedToken},
		"kid with a line end":          {byHeader("kid", b.ed.ID()+"\n"), deny.MalformedToken},
		"kid too long":                 {byHeader("kid", strings.Repeat("k", 257)), deny.MalformedToken},
		"kid unknown":                  {byHeader("kid", "other"), deny.UnknownKey},
		"kid a path":                   {byHeader("kid", "../../../../dev/null"), deny.UnknownKey},
	})
}

// RFC 8725 sections 2.1, 2.2 and 3.10.
func TestBadSignatures(t *testing.T) {
	b := newBench(t)
	good, header, claims := b.good(), b.header(), b.claims()
	parts := strings.Split(good, ".")
	embedded, err := keys.MarshalPublic([]keys.Public{b.unused.Public()})
	must(t, err)
	var set struct{ Keys []any }
	must(t, json.Unmarshal(embedded, &set))
	b.allRefused(map[string]bad{
		"signed by another key":               {b.sign(b.unused, header, claims), deny.BadSignature},
		"embedded jwk":                        {b.sign(b.unused, with(header, "jwk", set.Keys[0]), claims), deny.BadSignature},
		"claims changed":                      {parts[0] + "." + encode([]byte(asJSON(t, with(claims, "sub", "admin")))) + "." + parts[2], deny.BadSignature},
		"signature cut off":                   {parts[0] + "." + parts[1] + ".", deny.BadSignature},
		"signature of zeros":                  {b.psychic(claims), deny.BadSignature},
		"signature bit flipped":               {flipped(t, good), deny.BadSignature},
		"signature in another spelling":       {respelled(good), deny.BadSignature},
		"forged and expired":                  {b.sign(b.unused, header, with(claims, "exp", now.Add(-time.Hour).Unix())), deny.Expired},
		"forged, for another server":          {b.sign(b.unused, header, with(claims, "aud", "urn:foreign")), deny.WrongAudience},
		"signed by a key of another provider": {b.sign(b.rsa, with(header, "alg", "EdDSA"), claims), deny.BadSignature},
	})
}

// RFC 7519 section 4.1, RFC 9068 section 4, RFC 8725 sections 3.8 and 3.9.
func TestBadClaims(t *testing.T) {
	b := newBench(t)
	header, claims := b.header(), b.claims()
	rawHeader, rawClaims := asJSON(t, header), asJSON(t, claims)
	byClaim := func(name string, value any) string { return b.sign(b.ed, header, with(claims, name, value)) }
	two := with(with(claims, "iss", "urn:two"), "exp", now.Add(time.Minute).Unix())
	rs := fields{"alg": "RS256", "typ": "at+jwt", "kid": b.rsa.ID()}
	b.allRefused(map[string]bad{
		"expired":                   {byClaim("exp", now.Add(-leeway).Unix()), deny.Expired},
		"expired at the epoch":      {byClaim("exp", 0), deny.Expired},
		"no exp":                    {byClaim("exp", nil), deny.MissingClaim},
		"exp a string":              {byClaim("exp", fmt.Sprint(now.Add(time.Minute).Unix())), deny.MalformedToken},
		"exp a boolean":             {byClaim("exp", true), deny.MalformedToken},
		"exp beyond all numbers":    {b.signRaw(b.ed, rawHeader, strings.Replace(rawClaims, `"exp":`, `"exp":1e999,"x":`, 1)), deny.MalformedToken},
		"exp in the year 57000":     {byClaim("exp", int64(1_736_000_000_000)), deny.MalformedToken},
		"exp null":                  {b.signRaw(b.ed, rawHeader, strings.Replace(rawClaims, `"exp":`, `"exp":null,"x":`, 1)), deny.MalformedToken},
		"nbf beyond all numbers":    {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"nbf":1e999`)), deny.MalformedToken},
		"not yet valid":             {byClaim("nbf", now.Add(leeway+time.Second).Unix()), deny.NotYetValid},
		"nbf a string":              {byClaim("nbf", "0"), deny.MalformedToken},
		"issued in the future":      {byClaim("iat", now.Add(leeway+time.Second).Unix()), deny.NotYetValid},
		"iat a string":              {byClaim("iat", fmt.Sprint(now.Unix())), deny.MalformedToken},
		"iat below the epoch":       {byClaim("iat", -1), deny.MalformedToken},
		"exp an array":              {byClaim("exp", []int64{now.Unix()}), deny.MalformedToken},
		"exp at this moment":        {b.sign(b.rsa, rs, with(two, "exp", now.Unix())), deny.Expired},
		"expired and of the future": {b.sign(b.ed, header, with(with(claims, "exp", now.Add(-time.Hour).Unix()), "nbf", now.Add(time.Hour).Unix())), deny.Expired},
		"jti a number":              {byClaim("jti", 1), deny.MalformedToken},
		"iss empty":                 {byClaim("iss", ""), deny.WrongIssuer},
		"iss null":                  {b.signRaw(b.ed, rawHeader, strings.Replace(rawClaims, `"urn:one"`, "null", 1)), deny.MalformedToken},
		"aud null":                  {b.signRaw(b.ed, rawHeader, strings.Replace(rawClaims, `"urn:server"`, "null", 1)), deny.MalformedToken},
		"aud an object":             {byClaim("aud", fields{"urn:server": true}), deny.MalformedToken},
		"aud with a slash behind":   {byClaim("aud", "urn:server/"), deny.WrongAudience},
		"bound to a text":           {byClaim("cnf", "x"), deny.WrongType},
		"bound to an empty list":    {byClaim("cnf", []string{}), deny.WrongType},
		"bound to false":            {byClaim("cnf", false), deny.WrongType},
		"bound to a key of nothing": {byClaim("cnf", fields{"jkt": ""}), deny.WrongType},
		"bound to an unknown thing": {byClaim("cnf", fields{"x": 1}), deny.WrongType},
		"no iss":                    {byClaim("iss", nil), deny.MissingClaim},
		"iss an array":              {byClaim("iss", []string{"urn:one"}), deny.MalformedToken},
		"foreign iss":               {byClaim("iss", "urn:foreign"), deny.WrongIssuer},
		"iss with a slash behind":   {byClaim("iss", "urn:one/"), deny.WrongIssuer},
		"iss of another provider":   {b.sign(b.ed, header, with(two, "iss", "urn:two")), deny.UnsupportedAlgorithm},
		"no aud":                    {byClaim("aud", nil), deny.MissingClaim},
		"aud empty":                 {byClaim("aud", []string{}), deny.MissingClaim},
		"foreign aud":               {byClaim("aud", "urn:foreign"), deny.WrongAudience},
		"aud in other case":         {byClaim("aud", "URN:server"), deny.WrongAudience},
		"aud a prefix":              {byClaim("aud", "urn:serv"), deny.WrongAudience},
		"aud a number":              {byClaim("aud", 1), deny.MalformedToken},
		"aud with a number":         {byClaim("aud", []any{"urn:server", 1}), deny.MalformedToken},
		"no sub":                    {byClaim("sub", nil), deny.MissingClaim},
		"sub empty":                 {byClaim("sub", ""), deny.MissingClaim},
		"sub a number":              {byClaim("sub", 7), deny.MalformedToken},
		"bound to a key":            {byClaim("cnf", map[string]string{"jkt": "x"}), deny.WrongType},
		"lives too long":            {b.sign(b.rsa, rs, with(two, "exp", now.Add(601*time.Second).Unix())), deny.Expired},
		"life unknown":              {b.sign(b.rsa, rs, with(two, "iat", nil)), deny.MissingClaim},
		"provider without keys":     {b.sign(b.ed, header, with(claims, "iss", "urn:empty")), deny.NoKeys},
	})
}
