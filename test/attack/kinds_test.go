package attack

import (
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Issuers sign other tokens with the same key and the same header: they open nothing.
func TestKinds(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *gateapi.Config) { c.Providers[0].TokenTypes = []string{"at+jwt", "JWT"} })
	s.try(t, attacks(s.kinds()))
}

func (s *site) kinds() []tokenCase {
	kind := func(changes ...tokenChange) string { return s.mint(append(changes, setHead("typ", "JWT"))...) }
	logout := map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}
	return []tokenCase{
		{"J8", "JWT, and nothing says more", kind(), ""},
		{"J8", "typ Bearer in the claims", kind(setClaim("typ", "Bearer"), setClaim("nonce", "n"), setClaim("sid", "x")), ""},
		{"J8", "token_use access", kind(setClaim("token_use", "access")), ""},
		{"J8", "at+jwt in header and claims", s.mint(setClaim("typ", "at+jwt"), setClaim("nonce", "n")), ""},
		{"J8", "ID token", kind(setClaim("typ", "ID"), setClaim("azp", "app"), setClaim("nonce", "n"), setClaim("at_hash", "x")), "wrong_type"},
		{"J8", "ID token by token_use", kind(setClaim("token_use", "id")), "wrong_type"},
		{"J8", "ID token by at_hash", kind(setClaim("at_hash", "x")), "wrong_type"},
		{"J8", "ID token by c_hash", kind(setClaim("c_hash", "x")), "wrong_type"},
		{"J8", "ID token by s_hash", kind(setClaim("s_hash", "x")), "wrong_type"},
		{"J8", "ID token by nonce", kind(setClaim("nonce", "n")), "wrong_type"},
		{"J8", "ID token under an access token's header", s.mint(setClaim("at_hash", "x")), "wrong_type"},
		{"J8", "ID token that says Bearer", kind(setClaim("typ", "Bearer"), setClaim("at_hash", "x")), "wrong_type"},
		{"J8", "refresh token", kind(setClaim("typ", "Refresh")), "wrong_type"},
		{"J8", "offline token", kind(setClaim("typ", "Offline")), "wrong_type"},
		{"J8", "refresh token by token_type", kind(setClaim("token_type", "refresh")), "wrong_type"},
		{"J8", "refresh token by type", kind(setClaim("type", "refresh")), "wrong_type"},
		{"J8", "refresh token in other case", kind(setClaim("typ", "rEFRESH_tOKEN")), "wrong_type"},
		{"J8", "logout token by its events", kind(setClaim("events", logout), setClaim("sid", "x")), "wrong_type"},
		{"J8", "logout token by typ", kind(setClaim("typ", "Logout"), setClaim("sid", "x")), "wrong_type"},
		{"J8", "security event", kind(setClaim("events", map[string]any{}), setClaim("toe", 1)), "wrong_type"},
		{"J8", "introspection answer", kind(setClaim("token_introspection", map[string]any{"active": true})), "wrong_type"},
		{"J8", "proof of possession", kind(setClaim("htm", "POST"), setClaim("htu", "x")), "wrong_type"},
		{"J8", "credential", kind(setClaim("vc", map[string]any{})), "wrong_type"},
		{"J8", "action token", kind(setClaim("typ", "execute-actions")), "wrong_type"},
		{"J8", "registration token", kind(setClaim("typ", "RegistrationAccessToken")), "wrong_type"},
		{"J8", "kind is a list", kind(setClaim("token_use", []string{"access"})), "wrong_type"},
		{"J8", "kind is a number", kind(setClaim("typ", 1)), "wrong_type"},
		{"J8", "kind is empty", kind(setClaim("typ", "")), "wrong_type"},
	}
}

// Where access tokens name no audience, another claim says for whom they are.
func TestRequiredClaims(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *gateapi.Config) {
		c.Providers[0].Audiences, c.Providers[0].TokenTypes = nil, []string{"", "JWT"}
		c.Providers[0].RequiredClaims = []gateapi.ClaimMatch{
			{Name: "client_id", Values: []string{"app-1"}}, {Name: "token_use", Values: []string{"access"}},
			{Name: "/realm_access/roles", Values: []string{"editor"}},
		}
	})
	roles := func(names ...any) map[string]any { return map[string]any{"roles": names} }
	token := func(changes ...tokenChange) string {
		good := []tokenChange{noHead("typ"), noClaim("aud"), setClaim("client_id", "app-1"), setClaim("token_use", "access"), setClaim("realm_access", roles("editor"))}
		return s.mint(append(good, changes...)...)
	}
	s.try(t, attacks([]tokenCase{
		{"J12", "all that is required", token(), ""},
		{"J12", "one of several roles", token(setClaim("realm_access", roles("x", "editor"))), ""},
		{"J12", "another application's token", token(setClaim("client_id", "app-2")), "wrong_audience"},
		{"J12", "application in other case", token(setClaim("client_id", "APP-1")), "wrong_audience"},
		{"J12", "application that begins so", token(setClaim("client_id", "app-10")), "wrong_audience"},
		{"J12", "no application", token(noClaim("client_id")), "missing_claim"},
		{"J12", "application null", token(setClaim("client_id", nil)), "wrong_audience"},
		{"J12", "application in an object", token(setClaim("client_id", map[string]any{"app-1": "app-1"})), "wrong_audience"},
		{"J12", "application in another claim", token(noClaim("client_id"), setClaim("azp", "app-1"), setClaim("Client_Id", "app-1")), "missing_claim"},
		{"J12", "the ID token of the application", token(setClaim("token_use", "id"), setClaim("aud", "app-1")), "wrong_type"},
		{"J12", "for somebody by name", token(setClaim("aud", "app-1")), "wrong_audience"},
		{"J12", "for us by name, where we have none", token(setClaim("aud", audience)), "wrong_audience"},
		{"J12", "no role", token(setClaim("realm_access", roles())), "wrong_audience"},
		{"J12", "no roles", token(setClaim("realm_access", map[string]any{})), "missing_claim"},
		{"J12", "no object of roles", token(setClaim("realm_access", "roles")), "missing_claim"},
		{"J12", "roles in a list of objects", token(setClaim("realm_access", []any{roles("editor")})), "missing_claim"},
		{"J12", "a claim of the path's name", token(noClaim("realm_access"), setClaim("/realm_access/roles", "editor")), "missing_claim"},
		{"J12", "a claim of the path with dots", token(noClaim("realm_access"), setClaim("realm_access.roles", "editor")), "missing_claim"},
		{"J12", "role in a list in the list", token(setClaim("realm_access", roles([]string{"editor"}))), "wrong_audience"},
	}))
}

// Rules see into claims, and compare what is there by its value.
func TestNestedClaims(t *testing.T) {
	t.Parallel()
	rule := func(tool, claim string, values ...string) gateapi.Rule {
		return gateapi.Rule{Tools: []string{tool}, Claims: []gateapi.ClaimMatch{{Name: claim, Values: values}}}
	}
	s := newSite(t, func(c *gateapi.Config) {
		c.Authorization = gateapi.Authorization{Rules: []gateapi.Rule{
			rule("edit", "/realm_access/roles", "editor"), rule("app", "/resource_access/my.app/roles", "user"), rule("dots", "team.name", "blue"),
			rule("url", "https://x.example/roles", "a"), rule("flag", "email_verified", "true"), rule("level", "level", "7"), rule("slash", "/~1a", "b"),
		}}
	})
	s.try(t, s.nested())
}

func (s *site) nested() []attack {
	var table []attack
	for _, c := range []struct {
		name, tool, claims string
		allowed            bool
	}{
		{"role in an object", "edit", `"realm_access":{"roles":["viewer","editor"]}`, true},
		{"role as a text", "edit", `"realm_access":{"roles":"editor"}`, true},
		{"another role", "edit", `"realm_access":{"roles":["editors","Editor"]}`, false},
		{"role one level up", "edit", `"roles":["editor"]`, false},
		{"role under the name with dots", "edit", `"realm_access.roles":["editor"]`, false},
		{"role under the name of the path", "edit", `"/realm_access/roles":["editor"]`, false},
		{"role in a list of objects", "edit", `"realm_access":[{"roles":["editor"]}]`, false},
		{"role as the name of a member", "edit", `"realm_access":{"roles":{"editor":true}}`, false},
		{"object in other case", "edit", `"Realm_Access":{"roles":["editor"]}`, false},
		{"name with a dot on the way", "app", `"resource_access":{"my.app":{"roles":["user"]}}`, true},
		{"the dot as a step", "app", `"resource_access":{"my":{"app":{"roles":["user"]}}}`, false},
		{"claim with a dot", "dots", `"team.name":"blue"`, true},
		{"the dot as a step into a claim", "dots", `"team":{"name":"blue"}`, false},
		{"claim that is a URL", "url", `"https://x.example/roles":["a"]`, true},
		{"claim that begins with a slash", "slash", `"/a":"b"`, true},
		{"true", "flag", `"email_verified":true`, true},
		{"true as a text", "flag", `"email_verified":"true"`, true},
		{"false", "flag", `"email_verified":false`, false},
		{"one for true", "flag", `"email_verified":1`, false},
		{"null for true", "flag", `"email_verified":null`, false},
		{"a number", "level", `"level":7`, true},
		{"a number in another spelling", "level", `"level":7.0e0`, true},
		{"a number in a list", "level", `"level":[1,7]`, true},
		{"another number", "level", `"level":7.1`, false},
		{"a number too large to be read", "level", `"level":7e999999999`, false},
	} {
		body := `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"` + c.tool + `"}}`
		want := refuse("forbidden")
		if c.allowed {
			want = serve()
		}
		table = append(table, attack{line: "A12", name: "claims: " + c.name, raw: post(s.mint(claimText(lastMember(c.claims))), body), answers: one(want)})
	}
	return table
}
