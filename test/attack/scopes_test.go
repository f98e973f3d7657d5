package attack

import (
	"net/http"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Whoever needs more is told all of it, and where to get it.
func TestScopes(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *gateapi.Config) {
		c.Authorization = gateapi.Authorization{
			RequiredScopes: []string{"mcp"},
			Rules: []gateapi.Rule{
				{Tools: []string{"read"}, Scopes: []string{"files:read"}},
				{Tools: []string{"read"}, Scopes: []string{"files:admin"}},
				{Tools: []string{"write"}, Scopes: []string{"files:read", "files:write"}},
				{Tools: []string{"wipe"}, Claims: []gateapi.ClaimMatch{{Name: "role", Values: []string{"admin"}}}},
			},
		}
		c.ResourceMetadata = &gateapi.ResourceMetadata{
			Resource: audience, AuthorizationServers: []string{issuer}, ScopesSupported: []string{"mcp", "offline_access"},
		}
	})
	s.scope, s.metadata = "mcp", "https://mcp.example/.well-known/oauth-protected-resource/mcp"
	s.try(t, s.challenged())
	s.try(t, s.lackingScopes())
	s.try(t, s.document())
}

// challenged: also 401 says which scope a first token needs, and where the metadata is, whatever the request says.
func (s *site) challenged() []attack {
	return []attack{
		{line: "A4", name: "no token", raw: post("", ping), answers: one(refuse("missing_token"))},
		{line: "A4", name: "bad token", raw: post("x", ping), answers: one(refuse("malformed_token"))},
		{line: "A4", name: "metadata is not where the request says", raw: joinLines("GET /mcp HTTP/1.1", "Host: localhost:666", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: http", ""), answers: one(unnamed("missing_token"))},
		{line: "A15", name: "nothing of the token is repeated", raw: post(s.mint(setClaim("iss", `evil", error="none`)), ping), answers: one(refuse("wrong_issuer"))},
	}
}

func (s *site) lackingScopes() []attack {
	var out []attack
	scoped := func(scope any, more ...tokenChange) string { return s.mint(append(more, setClaim("scope", scope))...) }
	call := func(tool string) string {
		return `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"` + tool + `"}}`
	}
	lacking, malformed := refuse("insufficient_scope"), refuse("malformed_token")
	for _, c := range []struct {
		line, name, token, body string
		want                    answer
	}{
		{"A12", "no scope at all", s.mint(), ping, lacking},
		{"A12", "another scope", scoped("other"), ping, lacking},
		{"A12", "scope in other case", scoped("MCP"), ping, lacking},
		{"A12", "scope that begins so", scoped("mcp:read"), ping, lacking},
		{"A12", "scopes with a comma", scoped("mcp,other"), ping, lacking},
		{"A12", "scopes with a tab", scoped("mcp\tother"), ping, lacking},
		{"A12", "scopes with a line end", scoped("mcp\n"), ping, lacking},
		{"J23", "scope is a list", scoped([]string{"openid", "mcp"}), ping, serve()},
		{"J23", "scope is a list without it", scoped([]string{"openid"}), ping, lacking},
		{"J23", "scope is an empty list", scoped([]string{}), ping, lacking},
		{"J23", "scope is a list of a list", scoped([]any{[]string{"mcp"}}), ping, malformed},
		{"J23", "scope is a list with a number", scoped([]any{"mcp", 1}), ping, malformed},
		{"J23", "scope is a list with null", scoped([]any{"mcp", nil}), ping, malformed},
		{"J23", "scopes in one element", scoped([]string{"openid mcp"}), ping, lacking},
		{"J23", "scope is a number", scoped(1), ping, malformed},
		{"J23", "scope is true", scoped(true), ping, malformed},
		{"J23", "scope is an object", scoped(map[string]any{"mcp": true}), ping, malformed},
		{"J23", "scope is null", scoped(nil), ping, lacking},
		{"J23", "scp is a list with a number", s.mint(setClaim("scp", []any{"mcp", 1})), ping, malformed},
		{"J23", "star", scoped("*"), ping, lacking},
		{"A12", "all that is missing, at once", s.mint(), call("write"), lacking.asking("mcp files:read files:write")},
		{"A12", "one of two is there", scoped("mcp files:read"), call("write"), lacking.asking("mcp files:read files:write")},
		{"S7", "no more than this operation needs", scoped("mcp"), call("read"), lacking.asking("mcp files:read")},
		{"A12", "what no scope opens", scoped("mcp files:admin"), call("wipe"), refuse("forbidden")},
		{"A12", "a tool that nobody named", scoped("mcp files:admin"), call("format"), refuse("forbidden")},
		{"A12", "a role of another type", scoped("mcp", setClaim("role", map[string]any{"admin": true})), call("wipe"), refuse("forbidden")},
		{"A13", "the narrow scope", scoped("mcp files:read"), call("read"), serve()},
		{"A13", "the broad scope of the other rule", scoped("mcp files:admin"), call("read"), serve()},
		{"A12", "the role", scoped("mcp", setClaim("role", "admin")), call("wipe"), serve()},
		{"J23", "scp", s.mint(setClaim("scp", []string{"mcp"})), ping, serve()},
		{"J23", "scopes in another order", scoped("other mcp"), ping, serve()},
	} {
		out = append(out, attack{line: c.line, name: c.name, raw: post(c.token, c.body), answers: one(c.want)})
	}
	batch := `[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"}},{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"write"}}]`
	return append(out,
		attack{line: "A12", name: "one of a batch is not allowed", raw: post(scoped("mcp files:read"), batch), answers: one(lacking.asking("mcp files:read files:write").withID("null"))},
		attack{line: "A12", name: "GET without the scope", raw: rawRequest("GET /mcp HTTP/1.1", "", "Authorization: Bearer "+s.mint()), answers: one(lacking.withID("null"))},
		attack{line: "A12", name: "DELETE without the scope", raw: rawRequest("DELETE /mcp HTTP/1.1", "", "Authorization: Bearer "+s.mint()), answers: one(lacking.withID("null"))})
}

const metadata = `{"resource":"https://mcp.example/mcp","authorization_servers":["https://issuer.example"],"bearer_methods_supported":["header"],"scopes_supported":["mcp"]}` + "\n"

// document: anybody may read it, and nothing else is beside it.
func (s *site) document() []attack {
	const path = "/.well-known/oauth-protected-resource"
	here := answer{status: http.StatusOK, text: metadata}
	method := unnamed("unknown_method").with("Allow", "GET, HEAD, OPTIONS")
	return []attack{
		{line: "A5", name: "at the root", raw: rawRequest("GET "+path+" HTTP/1.1", ""), answers: one(here.with("Content-Type", "application/json"))},
		{line: "A5", name: "of the endpoint", raw: rawRequest("GET "+path+"/mcp HTTP/1.1", ""), answers: one(here.with("Access-Control-Allow-Origin", "*"))},
		{line: "A5", name: "with a bad token", raw: rawRequest("GET "+path+" HTTP/1.1", "", "Authorization: Bearer x"), answers: one(here)},
		{line: "A5", name: "from a foreign page", raw: rawRequest("GET "+path+" HTTP/1.1", "", "Origin: https://evil.example"), answers: one(here)},
		{line: "A6", name: "whatever Host is asked", raw: joinLines("GET "+path+" HTTP/1.1", "Host: localhost", "X-Forwarded-Host: evil.example", ""), answers: one(here)},
		{line: "A5", name: "HEAD", raw: rawRequest("HEAD "+path+" HTTP/1.1", ""), answers: one(here.to(http.MethodHead))},
		{line: "A5", name: "OPTIONS", raw: rawRequest("OPTIONS "+path+" HTTP/1.1", ""), answers: one(golang(204, ""))},
		{line: "A5", name: "POST", raw: rawRequest("POST "+path+" HTTP/1.1", "", "Content-Length: 0"), answers: one(method)},
		{line: "A5", name: "DELETE", raw: rawRequest("DELETE "+path+" HTTP/1.1", ""), answers: one(method)},
		{line: "A5", name: "of a foreign host", raw: joinLines("GET "+path+" HTTP/1.1", "Host: evil.example", ""), answers: one(unnamed("wrong_host"))},
		{line: "A5", name: "slash behind", raw: rawRequest("GET "+path+"/ HTTP/1.1", ""), answers: one(unnamed("missing_token"))},
		{line: "A5", name: "of another path", raw: rawRequest("GET "+path+"/admin HTTP/1.1", ""), answers: one(unnamed("missing_token"))},
		{line: "A5", name: "dots in the path", raw: rawRequest("GET "+path+"/../mcp HTTP/1.1", ""), answers: one(unnamed("bad_target"))},
		{line: "A7", name: "no authorization server of our own", raw: rawRequest("GET /.well-known/oauth-authorization-server HTTP/1.1", ""), answers: one(unnamed("missing_token"))},
	}
}
