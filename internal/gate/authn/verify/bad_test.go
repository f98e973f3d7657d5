package verify_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// bad is a token and why it must be refused. Each is a good one with one thing changed.
type bad struct {
	raw  string
	want gateapi.Reason
}

func (b *fixture) allRefused(tokens map[string]bad) {
	b.t.Helper()
	for name, c := range tokens {
		b.refused(name, c.raw, c.want)
	}
}

// RFC 7515, RFC 7519 sections 3 and 4, RFC 8725 sections 3.7 and 3.11: what can be read in one way only.
func TestMalformedTokens(t *testing.T) {
	b := newFixture(t)
	good, header, claims := b.good(), b.header(), b.claims()
	parts := strings.Split(good, ".")
	rawHeader, rawClaims := asJSON(t, header), asJSON(t, claims)
	byHeader := func(name string, value any) string { return b.sign(b.ed, with(header, name, value), claims) }
	byClaim := func(name string, value any) string { return b.sign(b.ed, header, with(claims, name, value)) }
	b.allRefused(map[string]bad{
		"not a JWT":                 {token.Malformed, gateapi.ReasonMalformedToken},
		"empty":                     {"", gateapi.ReasonMalformedToken},
		"two segments":              {parts[0] + "." + parts[1], gateapi.ReasonMalformedToken},
		"four segments":             {good + ".x", gateapi.ReasonMalformedToken},
		"a million dots":            {strings.Repeat(".", 8000), gateapi.ReasonMalformedToken},
		"JWE, five segments":        {"a.b.c.d.e", gateapi.ReasonMalformedToken},
		"JSON serialization":        {`{"payload":"` + parts[1] + `"}`, gateapi.ReasonMalformedToken},
		"too long":                  {byClaim("x", strings.Repeat("x", 8<<10)), gateapi.ReasonMalformedToken},
		"header too long":           {byHeader("x", strings.Repeat("x", 4<<10)), gateapi.ReasonMalformedToken},
		"line end in the signature": {good[:len(good)-4] + "\n" + good[len(good)-4:], gateapi.ReasonMalformedToken},
		"padding":                   {good + "=", gateapi.ReasonMalformedToken},
		"standard alphabet":         {parts[0] + "." + parts[1] + ".ab+/", gateapi.ReasonMalformedToken},
		"header no JSON":            {b.signRaw(b.ed, "x", rawClaims), gateapi.ReasonMalformedToken},
		"header an array":           {b.signRaw(b.ed, "[]", rawClaims), gateapi.ReasonMalformedToken},
		"claims an array":           {b.signRaw(b.ed, rawHeader, "[]"), gateapi.ReasonMalformedToken},
		"claims null":               {b.signRaw(b.ed, rawHeader, "null"), gateapi.ReasonMalformedToken},
		"text behind the claims":    {b.signRaw(b.ed, rawHeader, rawClaims+"{}"), gateapi.ReasonMalformedToken},
		"text behind the header":    {b.signRaw(b.ed, rawHeader+"x", rawClaims), gateapi.ReasonMalformedToken},
		"not UTF-8":                 {b.signRaw(b.ed, rawHeader, repeated(rawClaims, "\"x\":\"\xff\"")), gateapi.ReasonMalformedToken},
		"deep nesting":              {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40))), gateapi.ReasonMalformedToken},
		"alg twice":                 {b.signRaw(b.ed, repeated(rawHeader, `"alg":"EdDSA"`), rawClaims), gateapi.ReasonMalformedToken},
		"exp twice":                 {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"exp":99999999999`)), gateapi.ReasonMalformedToken},
		"sub twice, escaped":        {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"\u0073ub":"admin"`)), gateapi.ReasonMalformedToken},
		"repeated deep inside":      {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"x":[{"a":1,"a":2}]`)), gateapi.ReasonMalformedToken},
		"Exp in place of exp":       {b.sign(b.ed, header, with(with(claims, "exp", nil), "Exp", claims["exp"])), gateapi.ReasonMissingClaim},
		"half of a surrogate pair":  {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"x":"\ud83d"`)), gateapi.ReasonMalformedToken},
		"the other half":            {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"x":"\ude00\ud83d"`)), gateapi.ReasonMalformedToken},
		"half a pair in a name":     {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"x":{"\uD83Dx":1}`)), gateapi.ReasonMalformedToken},
		"byte order mark":           {b.signRaw(b.ed, rawHeader, "\ufeff"+rawClaims), gateapi.ReasonMalformedToken},
		"claims in UTF-16":          {b.signRaw(b.ed, rawHeader, wide(rawClaims)), gateapi.ReasonMalformedToken},
		"nested JWT":                {b.signRaw(b.ed, rawHeader, good), gateapi.ReasonMalformedToken},
		"single quotes":             {b.signRaw(b.ed, rawHeader, strings.ReplaceAll(rawClaims, `"`, `'`)), gateapi.ReasonMalformedToken},
	})
}

// RFC 7515 section 4.1, RFC 8725 sections 2.1, 3.1, 3.10 and 3.11.
func TestBadHeaders(t *testing.T) {
	b := newFixture(t)
	good, header, claims := b.good(), b.header(), b.claims()
	parts := strings.Split(good, ".")
	rawHeader, rawClaims := asJSON(t, header), asJSON(t, claims)
	byHeader := func(name string, value any) string { return b.sign(b.ed, with(header, name, value), claims) }
	rs := fields{"alg": "RS256", "typ": "at+jwt", "kid": b.rsa.ID()}
	unsigned := func(alg string) string {
		return encode([]byte(asJSON(t, with(header, "alg", alg)))) + "." + parts[1] + "."
	}
	b.allRefused(map[string]bad{
		"no alg":                       {byHeader("alg", nil), gateapi.ReasonMalformedToken},
		"alg a number":                 {byHeader("alg", 1), gateapi.ReasonMalformedToken},
		"alg none":                     {unsigned("none"), gateapi.ReasonUnsupportedAlgorithm},
		"alg None":                     {unsigned("None"), gateapi.ReasonUnsupportedAlgorithm},
		"alg nOnE":                     {unsigned("nOnE"), gateapi.ReasonUnsupportedAlgorithm},
		"alg none, with a signature":   {unsigned("none") + parts[2], gateapi.ReasonUnsupportedAlgorithm},
		"alg none, no keys to compare": {encode([]byte(asJSON(t, with(header, "alg", "none")))) + "." + encode([]byte(asJSON(t, with(claims, "iss", "urn:empty")))) + ".", gateapi.ReasonUnsupportedAlgorithm},
		"alg eddsa in lower case":      {byHeader("alg", "eddsa"), gateapi.ReasonUnsupportedAlgorithm},
		"alg empty":                    {byHeader("alg", ""), gateapi.ReasonUnsupportedAlgorithm},
		"HS256 with the public key":    {b.confused(claims), gateapi.ReasonUnsupportedAlgorithm},
		"alg of the other key":         {byHeader("alg", "ES256"), gateapi.ReasonUnsupportedAlgorithm},
		"alg the provider may not use": {b.sign(b.rsa, rs, claims), gateapi.ReasonUnsupportedAlgorithm},
		"crit":                         {byHeader("crit", []string{"exp"}), gateapi.ReasonMalformedToken},
		"crit empty":                   {byHeader("crit", []string{}), gateapi.ReasonMalformedToken},
		"unencoded payload":            {byHeader("b64", false), gateapi.ReasonMalformedToken},
		"compressed":                   {byHeader("zip", "DEF"), gateapi.ReasonMalformedToken},
		"encrypted":                    {byHeader("enc", "A256GCM"), gateapi.ReasonMalformedToken},
		"crit of no array":             {byHeader("crit", "exp"), gateapi.ReasonMalformedToken},
		"alg null":                     {b.signRaw(b.ed, strings.Replace(rawHeader, `"EdDSA"`, "null", 1), rawClaims), gateapi.ReasonMalformedToken},
		"typ JWT":                      {byHeader("typ", "JWT"), gateapi.ReasonWrongType},
		"typ absent":                   {byHeader("typ", nil), gateapi.ReasonWrongType},
		"typ of an ID token":           {byHeader("typ", "application/jwt"), gateapi.ReasonWrongType},
		"typ with a parameter":         {byHeader("typ", "at+jwt; v=1"), gateapi.ReasonWrongType},
		"typ of another tree":          {byHeader("typ", "text/at+jwt"), gateapi.ReasonWrongType},
		"typ with a doubled tree":      {byHeader("typ", "application/application/at+jwt"), gateapi.ReasonWrongType},
		"typ an array":                 {byHeader("typ", []string{"at+jwt"}), gateapi.ReasonWrongType},
		"typ null":                     {b.signRaw(b.ed, strings.Replace(rawHeader, `"at+jwt"`, "null", 1), rawClaims), gateapi.ReasonWrongType},
		"typ empty":                    {byHeader("typ", ""), gateapi.ReasonWrongType},
		"typ of a DPoP proof":          {byHeader("typ", "dpop+jwt"), gateapi.ReasonWrongType},
		"typ of a logout token":        {byHeader("typ", "logout+jwt"), gateapi.ReasonWrongType},
		"kid a number":                 {byHeader("kid", 7), gateapi.ReasonMalformedToken},
		"kid empty":                    {byHeader("kid", ""), gateapi.ReasonMalformedToken},
		"kid with a line end":          {byHeader("kid", b.ed.ID()+"\n"), gateapi.ReasonMalformedToken},
		"kid too long":                 {byHeader("kid", strings.Repeat("k", 257)), gateapi.ReasonMalformedToken},
		"kid unknown":                  {byHeader("kid", "other"), gateapi.ReasonUnknownKey},
		"kid a path":                   {byHeader("kid", "../../../../dev/null"), gateapi.ReasonUnknownKey},
	})
}

// RFC 8725 sections 2.1, 2.2 and 3.10.
func TestBadSignatures(t *testing.T) {
	b := newFixture(t)
	good, header, claims := b.good(), b.header(), b.claims()
	parts := strings.Split(good, ".")
	embedded, err := keys.MarshalPublic([]keys.Public{b.unused.Public()})
	must(t, err)
	var set struct{ Keys []any }
	must(t, json.Unmarshal(embedded, &set))
	b.allRefused(map[string]bad{
		"signed by another key":               {b.sign(b.unused, header, claims), gateapi.ReasonBadSignature},
		"embedded jwk":                        {b.sign(b.unused, with(header, "jwk", set.Keys[0]), claims), gateapi.ReasonBadSignature},
		"claims changed":                      {parts[0] + "." + encode([]byte(asJSON(t, with(claims, "sub", "admin")))) + "." + parts[2], gateapi.ReasonBadSignature},
		"signature cut off":                   {parts[0] + "." + parts[1] + ".", gateapi.ReasonBadSignature},
		"signature of zeros":                  {b.psychic(claims), gateapi.ReasonBadSignature},
		"signature bit flipped":               {flipped(t, good), gateapi.ReasonBadSignature},
		"signature in another spelling":       {respelled(good), gateapi.ReasonBadSignature},
		"forged and expired":                  {b.sign(b.unused, header, with(claims, "exp", now.Add(-time.Hour).Unix())), gateapi.ReasonExpired},
		"forged, for another server":          {b.sign(b.unused, header, with(claims, "aud", "urn:foreign")), gateapi.ReasonWrongAudience},
		"signed by a key of another provider": {b.sign(b.rsa, with(header, "alg", "EdDSA"), claims), gateapi.ReasonBadSignature},
	})
}

// RFC 7519 section 4.1, RFC 9068 section 4, RFC 8725 sections 3.8 and 3.9.
func TestBadClaims(t *testing.T) {
	b := newFixture(t)
	header, claims := b.header(), b.claims()
	rawHeader, rawClaims := asJSON(t, header), asJSON(t, claims)
	byClaim := func(name string, value any) string { return b.sign(b.ed, header, with(claims, name, value)) }
	two := with(with(claims, "iss", "urn:two"), "exp", now.Add(time.Minute).Unix())
	rs := fields{"alg": "RS256", "typ": "at+jwt", "kid": b.rsa.ID()}
	b.allRefused(map[string]bad{
		"expired":                   {byClaim("exp", now.Add(-leeway).Unix()), gateapi.ReasonExpired},
		"expired at the epoch":      {byClaim("exp", 0), gateapi.ReasonExpired},
		"no exp":                    {byClaim("exp", nil), gateapi.ReasonMissingClaim},
		"exp a string":              {byClaim("exp", fmt.Sprint(now.Add(time.Minute).Unix())), gateapi.ReasonMalformedToken},
		"exp a boolean":             {byClaim("exp", true), gateapi.ReasonMalformedToken},
		"exp beyond all numbers":    {b.signRaw(b.ed, rawHeader, strings.Replace(rawClaims, `"exp":`, `"exp":1e999,"x":`, 1)), gateapi.ReasonMalformedToken},
		"exp in the year 57000":     {byClaim("exp", int64(1_736_000_000_000)), gateapi.ReasonMalformedToken},
		"exp null":                  {b.signRaw(b.ed, rawHeader, strings.Replace(rawClaims, `"exp":`, `"exp":null,"x":`, 1)), gateapi.ReasonMalformedToken},
		"nbf beyond all numbers":    {b.signRaw(b.ed, rawHeader, repeated(rawClaims, `"nbf":1e999`)), gateapi.ReasonMalformedToken},
		"not yet valid":             {byClaim("nbf", now.Add(leeway+time.Second).Unix()), gateapi.ReasonNotYetValid},
		"nbf a string":              {byClaim("nbf", "0"), gateapi.ReasonMalformedToken},
		"issued in the future":      {byClaim("iat", now.Add(leeway+time.Second).Unix()), gateapi.ReasonNotYetValid},
		"iat a string":              {byClaim("iat", fmt.Sprint(now.Unix())), gateapi.ReasonMalformedToken},
		"iat below the epoch":       {byClaim("iat", -1), gateapi.ReasonMalformedToken},
		"exp an array":              {byClaim("exp", []int64{now.Unix()}), gateapi.ReasonMalformedToken},
		"exp at this moment":        {b.sign(b.rsa, rs, with(two, "exp", now.Unix())), gateapi.ReasonExpired},
		"expired and of the future": {b.sign(b.ed, header, with(with(claims, "exp", now.Add(-time.Hour).Unix()), "nbf", now.Add(time.Hour).Unix())), gateapi.ReasonExpired},
		"jti a number":              {byClaim("jti", 1), gateapi.ReasonMalformedToken},
		"iss empty":                 {byClaim("iss", ""), gateapi.ReasonWrongIssuer},
		"iss null":                  {b.signRaw(b.ed, rawHeader, strings.Replace(rawClaims, `"urn:one"`, "null", 1)), gateapi.ReasonMalformedToken},
		"aud null":                  {b.signRaw(b.ed, rawHeader, strings.Replace(rawClaims, `"urn:server"`, "null", 1)), gateapi.ReasonMalformedToken},
		"aud an object":             {byClaim("aud", fields{"urn:server": true}), gateapi.ReasonMalformedToken},
		"aud with a slash behind":   {byClaim("aud", "urn:server/"), gateapi.ReasonWrongAudience},
		"bound to a text":           {byClaim("cnf", "x"), gateapi.ReasonWrongType},
		"bound to an empty list":    {byClaim("cnf", []string{}), gateapi.ReasonWrongType},
		"bound to false":            {byClaim("cnf", false), gateapi.ReasonWrongType},
		"bound to a key of nothing": {byClaim("cnf", fields{"jkt": ""}), gateapi.ReasonWrongType},
		"bound to an unknown thing": {byClaim("cnf", fields{"x": 1}), gateapi.ReasonWrongType},
		"no iss":                    {byClaim("iss", nil), gateapi.ReasonMissingClaim},
		"iss an array":              {byClaim("iss", []string{"urn:one"}), gateapi.ReasonMalformedToken},
		"foreign iss":               {byClaim("iss", "urn:foreign"), gateapi.ReasonWrongIssuer},
		"iss with a slash behind":   {byClaim("iss", "urn:one/"), gateapi.ReasonWrongIssuer},
		"iss of another provider":   {b.sign(b.ed, header, with(two, "iss", "urn:two")), gateapi.ReasonUnsupportedAlgorithm},
		"no aud":                    {byClaim("aud", nil), gateapi.ReasonMissingClaim},
		"aud empty":                 {byClaim("aud", []string{}), gateapi.ReasonMissingClaim},
		"foreign aud":               {byClaim("aud", "urn:foreign"), gateapi.ReasonWrongAudience},
		"aud in other case":         {byClaim("aud", "URN:server"), gateapi.ReasonWrongAudience},
		"aud a prefix":              {byClaim("aud", "urn:serv"), gateapi.ReasonWrongAudience},
		"aud a number":              {byClaim("aud", 1), gateapi.ReasonMalformedToken},
		"aud with a number":         {byClaim("aud", []any{"urn:server", 1}), gateapi.ReasonMalformedToken},
		"no sub":                    {byClaim("sub", nil), gateapi.ReasonMissingClaim},
		"sub empty":                 {byClaim("sub", ""), gateapi.ReasonMissingClaim},
		"sub a number":              {byClaim("sub", 7), gateapi.ReasonMalformedToken},
		"bound to a key":            {byClaim("cnf", map[string]string{"jkt": "x"}), gateapi.ReasonWrongType},
		"lives too long":            {b.sign(b.rsa, rs, with(two, "exp", now.Add(601*time.Second).Unix())), gateapi.ReasonExpired},
		"life unknown":              {b.sign(b.rsa, rs, with(two, "iat", nil)), gateapi.ReasonMissingClaim},
		"provider without keys":     {b.sign(b.ed, header, with(claims, "iss", "urn:empty")), gateapi.ReasonNoKeys},
	})
}
