package verify_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// claimed adds members to the claims of a good token.
func (b *fixture) claimed(members fields) fields {
	claims := b.claims()
	for name, value := range members {
		claims = with(claims, name, value)
	}
	return claims
}

// What an issuer signs for another purpose opens nothing, although its header is that of many access tokens.
func TestKindsOfToken(t *testing.T) {
	b := newFixture(t)
	b.provider("one").TokenTypes = []string{"at+jwt", "JWT", ""}
	plain := with(b.header(), "typ", "JWT")
	for name, c := range map[string]struct {
		header, claims fields
		detail         string // empty: it is let in
	}{
		"plain JWT":                       {plain, fields{}, ""},
		"access token of Keycloak":        {plain, fields{"typ": "Bearer", "azp": "app", "sid": "x", "acr": "1", "auth_time": 7}, ""},
		"one with the nonce of its login": {plain, fields{"typ": "Bearer", "nonce": "n"}, ""},
		"access token of Cognito":         {plain, fields{"token_use": "access"}, ""},
		"at+jwt in the payload":           {plain, fields{"typ": "at+jwt"}, ""},
		"RFC 8693 type":                   {plain, fields{"token_type": "urn:ietf:params:oauth:token-type:access_token"}, ""},
		"at+jwt with a nonce":             {b.header(), fields{"nonce": "n"}, ""},
		"one for an API with a nonce":     {plain, fields{"nonce": "n", "azp": "web"}, ""}, // as Azure AD B2C makes them
		"typ JWT in the payload":          {plain, fields{"typ": "JWT"}, ""},
		"a type of user":                  {plain, fields{"type": "user"}, ""},
		"a null statement":                {plain, fields{"typ": json.RawMessage("null"), "nonce": json.RawMessage("null"), "at_hash": json.RawMessage("null")}, ""},
		"a session id alone":              {plain, fields{"sid": "x"}, ""},
		"ID token of Keycloak":            {plain, fields{"typ": "ID", "azp": "app", "nonce": "n", "at_hash": "x"}, "typ: it states another kind"},
		"ID token of Cognito":             {plain, fields{"token_use": "id"}, "token_use: it states another kind"},
		"ID token by its at_hash":         {plain, fields{"at_hash": "x"}, "at_hash: a claim of an ID token"},
		"ID token by its c_hash":          {plain, fields{"c_hash": "x"}, "c_hash: a claim of an ID token"},
		"ID token by its s_hash":          {plain, fields{"s_hash": "x"}, "s_hash"},
		"ID token by its nonce":           {plain, fields{"nonce": "n", "client_id": "urn:server"}, "nonce: a claim of an ID token"},
		"ID token of CIBA":                {plain, fields{"urn:openid:params:jwt:claim:auth_req_id": "x"}, "urn:openid"},
		"ID token in an access token's":   {b.header(), fields{"at_hash": "x"}, "at_hash"},
		"ID token in other spelling":      {plain, fields{"typ": "id_token"}, "typ: it states"},
		"token_type ID":                   {plain, fields{"token_type": "ID"}, "token_type: it states"},
		"refresh token of Keycloak":       {plain, fields{"typ": "Refresh"}, "typ: it states"},
		"offline token of Keycloak":       {plain, fields{"typ": "Offline"}, "typ: it states"},
		"refresh token by token_type":     {plain, fields{"token_type": "refresh"}, "token_type: it states"},
		"refresh token by type":           {plain, fields{"type": "refresh"}, "type: it states"},
		"refresh token by token_use":      {plain, fields{"token_use": "refresh"}, "token_use: it states"},
		"refresh token beside Bearer":     {plain, fields{"typ": "Bearer", "token_use": "refresh_token"}, "token_use: it states"},
		"logout token":                    {plain, fields{"sid": "x", "events": fields{"http://schemas.openid.net/event/backchannel-logout": fields{}}}, "events: a claim of a logout"},
		"logout token of Keycloak":        {plain, fields{"typ": "Logout", "sid": "x"}, "typ: it states"},
		"security event":                  {plain, fields{"toe": 7}, "toe: a claim of"},
		"introspection answer":            {plain, fields{"token_introspection": fields{"active": true}}, "token_introspection"},
		"DPoP proof":                      {plain, fields{"htm": "POST", "htu": "https://x"}, "htm: a claim of a DPoP proof"},
		"credential":                      {plain, fields{"vc": fields{}}, "vc: a claim of a credential"},
		"authorization request":           {plain, fields{"redirect_uri": "https://x"}, "redirect_uri"},
		"action token of Keycloak":        {plain, fields{"typ": "reset-credentials"}, "typ: it states no kind"},
		"registration token of Keycloak":  {plain, fields{"typ": "RegistrationAccessToken"}, "typ: it states another"},
		"sliding token":                   {plain, fields{"token_type": "sliding"}, "token_type: it states no kind"},
		"a list of kinds":                 {plain, fields{"token_use": []string{"access"}}, "token_use: a list of 1, not a string"},
		"typ a number":                    {plain, fields{"typ": 7}, "typ: a number, not a string"},
		"ID token without typ":            {with(plain, "typ", nil), fields{"nonce": "n", "client_id": "urn:server"}, "nonce"},
		"ID token of nobody's client":     {plain, fields{"nonce": "n", "client_id": nil}, "nonce"},
		"ID token without scopes":         {plain, fields{"nonce": "n", "scope": nil}, "nonce"},
	} {
		_, denial := b.verify(b.sign(b.ed, c.header, b.claimed(c.claims)))
		switch {
		case c.detail == "" && denial != nil:
			t.Errorf("%s: %s, %s", name, denial.Reason, denial.Detail)
		case c.detail != "" && (denial == nil || denial.Reason != gateapi.ReasonWrongType || !strings.HasPrefix(denial.Detail, c.detail)):
			t.Errorf("%s: got %+v, want wrong_type with %q", name, denial, c.detail)
		}
	}
}

// A kind that nobody knows is let in where the configuration names it; one that is known as another never is.
func TestKindThatIsRequired(t *testing.T) {
	b := newFixture(t)
	one := b.provider("one")
	one.TokenTypes = []string{"JWT"}
	one.RequiredClaims = []gateapi.ClaimMatch{{Name: "token_type", Values: []string{"sliding", "refresh"}}}
	plain := with(b.header(), "typ", "JWT")
	b.refused("a kind of its own", b.sign(b.ed, plain, b.claimed(fields{"token_type": "sliding"})), "")
	b.refused("a refresh token", b.sign(b.ed, plain, b.claimed(fields{"token_type": "refresh"})), gateapi.ReasonWrongType)
}

// The header's typ: null is there, and no type.
func TestTypeThatIsNull(t *testing.T) {
	b := newFixture(t)
	b.provider("one").TokenTypes = []string{""}
	null := strings.Replace(asJSON(t, b.header()), `"at+jwt"`, "null", 1)
	b.refused("no typ", b.sign(b.ed, with(b.header(), "typ", nil), b.claims()), "")
	b.refused("typ null", b.signRaw(b.ed, null, asJSON(t, b.claims())), gateapi.ReasonWrongType)
}

// RFC 9864: the algorithm of Ed25519 has a name of its own; the keys are the same.
func TestFullySpecifiedAlgorithm(t *testing.T) {
	b := newFixture(t)
	named := with(b.header(), "alg", "Ed25519")
	b.refused("alg Ed25519", b.sign(b.ed, named, b.claims()), "")
	b.refused("alg Ed25519 without a kid", b.sign(b.ed, with(named, "kid", nil), b.claims()), "")
	b.refused("alg Ed25519, forged", b.sign(b.unused, named, b.claims()), gateapi.ReasonBadSignature)
	b.refused("alg Ed25519 for an EC key", b.sign(b.ec, fields{"alg": "Ed25519", "typ": "at+jwt", "kid": b.ec.ID()}, b.claims()), gateapi.ReasonUnsupportedAlgorithm)
	b.refused("alg Ed448", b.sign(b.ed, with(b.header(), "alg", "Ed448"), b.claims()), gateapi.ReasonUnsupportedAlgorithm)
	b.refused("alg ed25519", b.sign(b.ed, with(b.header(), "alg", "ed25519"), b.claims()), gateapi.ReasonUnsupportedAlgorithm)
	b.provider("one").Algorithms = []keys.Algorithm{keys.ES256}
	b.refused("alg Ed25519 that is not listed", b.sign(b.ed, named, b.claims()), gateapi.ReasonUnsupportedAlgorithm)
}

// A binding that names no key binds nothing.
func TestBindingToNothing(t *testing.T) {
	b := newFixture(t)
	for name, value := range map[string]string{"null": "null", "an object of nothing": "{}"} {
		raw := b.signRaw(b.ed, asJSON(t, b.header()), repeated(asJSON(t, b.claims()), `"cnf":`+value))
		b.refused(name, raw, "")
	}
}

// Tokens without an audience say in another claim for whom they are.
func TestRequiredClaims(t *testing.T) {
	b := newFixture(t)
	one := b.provider("one")
	one.Audiences, one.TokenTypes = nil, []string{"", "JWT"}
	one.RequiredClaims = []gateapi.ClaimMatch{
		{Name: "client_id", Values: []string{"app-1", "app-3"}}, {Name: "token_use", Values: []string{"access"}},
		{Name: "/realm/enabled", Values: []string{"true"}}, {Name: "level", Values: []string{"7"}},
	}
	good := with(b.claimed(fields{"client_id": "app-1", "token_use": "access", "realm": fields{"enabled": true}, "level": 7}), "aud", nil)
	header := with(b.header(), "typ", nil)
	for name, c := range map[string]struct {
		claims fields
		want   gateapi.Reason
		detail string
	}{
		"as wanted":               {good, "", ""},
		"another of the values":   {with(good, "client_id", "app-3"), "", ""},
		"a list with one":         {with(good, "client_id", []string{"x", "app-1"}), "", ""},
		"a number in a text":      {with(good, "level", "7"), "", ""},
		"another application's":   {with(good, "client_id", "app-2"), gateapi.ReasonWrongAudience, "client_id: a string, none of the required values"},
		"in other case":           {with(good, "client_id", "APP-1"), gateapi.ReasonWrongAudience, "client_id: a string"},
		"a beginning":             {with(good, "client_id", "app"), gateapi.ReasonWrongAudience, "client_id: a string"},
		"no client_id":            {with(good, "client_id", nil), gateapi.ReasonMissingClaim, "client_id: absent"},
		"client_id null":          {with(good, "client_id", json.RawMessage("null")), gateapi.ReasonWrongAudience, "client_id: null"},
		"client_id an object":     {with(good, "client_id", fields{"app-1": "app-1"}), gateapi.ReasonWrongAudience, "client_id: an object"},
		"client_id an empty list": {with(good, "client_id", []string{}), gateapi.ReasonWrongAudience, "client_id: an empty list"},
		"the ID token":            {with(good, "token_use", "id"), gateapi.ReasonWrongType, "token_use: it states"},
		"an audience, ours even":  {with(good, "aud", "urn:server"), gateapi.ReasonWrongAudience, "aud: a string, and this provider has no audiences"},
		"an empty audience":       {with(good, "aud", []string{}), gateapi.ReasonWrongAudience, "aud: an empty list, and"},
		"false in place of true":  {with(good, "realm", fields{"enabled": false}), gateapi.ReasonWrongAudience, "/realm/enabled: a boolean"},
		"the object is a list":    {with(good, "realm", []any{fields{"enabled": true}}), gateapi.ReasonMissingClaim, "/realm/enabled: absent"},
		"a name with the path":    {with(with(good, "realm", nil), "/realm/enabled", true), gateapi.ReasonMissingClaim, "/realm/enabled: absent"},
		"another number":          {with(good, "level", 7.5), gateapi.ReasonWrongAudience, "level: a number"},
	} {
		_, denial := b.verify(b.sign(b.ed, header, c.claims))
		if got := denialOf(denial); got.Reason != c.want || !strings.HasPrefix(got.Detail, c.detail) {
			t.Errorf("%s: got %q with %q, want %q with %q", name, got.Reason, got.Detail, c.want, c.detail)
		}
	}
	one.Audiences = []string{"urn:server"}
	b.refused("both an audience and claims", b.sign(b.ed, header, with(good, "aud", "urn:server")), "")
	b.refused("the audience alone", b.sign(b.ed, header, with(with(good, "aud", "urn:server"), "client_id", "app-2")), gateapi.ReasonWrongAudience)
	b.refused("the claims alone", b.sign(b.ed, header, good), gateapi.ReasonMissingClaim)
}

func denialOf(denial *deny.Denial) deny.Denial {
	if denial == nil {
		return deny.Denial{}
	}
	return *denial
}

// Who the caller is may be told inside of another claim.
func TestIdentityInsideAClaim(t *testing.T) {
	b := newFixture(t)
	b.provider("one").IdentityClaims = []string{"/user/id", "tenant.name"}
	claims := b.claimed(fields{"user": fields{"id": 7}, "tenant.name": "R&D"})
	principal, denial := b.verify(b.sign(b.ed, b.header(), claims))
	if denial != nil || principal.Subject() != `[7,"R&D"]` {
		t.Fatalf("got %q, %+v", principal.Subject(), denial)
	}
	b.refused("absent", b.sign(b.ed, b.header(), with(claims, "user", fields{})), gateapi.ReasonMissingClaim)
	b.refused("empty", b.sign(b.ed, b.header(), with(claims, "user", fields{"id": ""})), gateapi.ReasonMissingClaim)
	b.refused("no object", b.sign(b.ed, b.header(), with(claims, "user", "7")), gateapi.ReasonMissingClaim)
	b.refused("a list", b.sign(b.ed, b.header(), with(claims, "user", fields{"id": []string{"7"}})), gateapi.ReasonMalformedToken)
}

// What was compared is told to the audit, and no value of a claim.
func TestDetailsOfRefusals(t *testing.T) {
	b := newFixture(t)
	header, claims := b.header(), b.claims()
	b.revoked = "jti:gone"
	for name, c := range map[string]struct {
		raw, want string
	}{
		"no aud":              {b.sign(b.ed, header, with(claims, "aud", nil)), "aud: absent"},
		"aud empty list":      {b.sign(b.ed, header, with(claims, "aud", []string{})), "aud: an empty list"},
		"aud another":         {b.sign(b.ed, header, with(claims, "aud", "secret-x")), "aud: another value than this server's"},
		"aud two others":      {b.sign(b.ed, header, with(claims, "aud", []string{"secret-x", "secret-y"})), "aud: 2 values, none of this server's"},
		"aud a number":        {b.sign(b.ed, header, with(claims, "aud", 7)), "aud: a number, not a string or a list of strings"},
		"no sub":              {b.sign(b.ed, header, with(claims, "sub", nil)), "sub: absent"},
		"sub empty":           {b.sign(b.ed, header, with(claims, "sub", "")), "sub: an empty string"},
		"no exp":              {b.sign(b.ed, header, with(claims, "exp", nil)), "exp: absent"},
		"exp a string":        {b.sign(b.ed, header, with(claims, "exp", "secret-x")), "exp: a string, not a time between 1970 and 9999"},
		"expired":             {b.sign(b.ed, header, with(claims, "exp", now.Add(-time.Hour).Unix())), "exp: passed 1h0m0s ago"},
		"nbf":                 {b.sign(b.ed, header, with(claims, "nbf", now.Add(time.Hour).Unix())), "nbf: 1h0m0s ahead"},
		"iat":                 {b.sign(b.ed, header, with(claims, "iat", now.Add(time.Hour).Unix())), "iat: 1h0m0s ahead"},
		"iss another":         {b.sign(b.ed, header, with(claims, "iss", "secret-x")), "iss: a string, none of 3 issuers"},
		"no iss":              {b.sign(b.ed, header, with(claims, "iss", nil)), "iss: absent"},
		"typ":                 {b.sign(b.ed, with(header, "typ", "JWT"), claims), `typ: "JWT", accepted are at+jwt`},
		"no typ":              {b.sign(b.ed, with(header, "typ", nil), claims), "typ: absent, accepted are at+jwt"},
		"kid":                 {b.sign(b.ed, with(header, "kid", "secret-x"), claims), "kid: of none of 2 keys"},
		"alg of another key":  {b.sign(b.ec, with(header, "alg", "ES256"), claims), "alg: ES256, not that of the named key"},
		"alg not listed":      {b.sign(b.rsa, with(header, "alg", "RS256"), claims), "alg: RS256, accepted are [EdDSA ES256]"},
		"crit":                {b.sign(b.ed, with(header, "crit", []string{"secret-x"}), claims), "crit: a header that is not understood here"},
		"bound":               {b.sign(b.ed, header, with(claims, "cnf", fields{"jkt": "secret-x"})), "cnf: the token is bound to a key"},
		"signature":           {b.sign(b.unused, header, claims), "signature: of none of 1 keys"},
		"revoked":             {b.sign(b.ed, header, with(claims, "jti", "gone")), "revoked by an entry of kind jti"},
		"no token":            {"secret-x", "not three parts in base64url, or no JSON objects that can be read in one way only"},
		"scope of mixed kind": {b.sign(b.ed, header, with(claims, "scope", []any{"secret-x", 7})), "scope: a list of 2, not a string or a list of strings"},
	} {
		_, denial := b.verify(c.raw)
		if got := denialOf(denial); got.Detail != c.want || strings.Contains(got.Detail, "secret") {
			t.Errorf("%s: got %q with %q, want %q", name, got.Reason, got.Detail, c.want)
		}
	}
}
