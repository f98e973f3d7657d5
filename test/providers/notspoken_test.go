package providers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// TestNotSpoken asks a gate for what docs/not-spoken.md says that it does not support. UPDATE_PROVIDERS=1 writes its list.
func TestNotSpoken(t *testing.T) {
	const file = "../../docs/not-spoken.md"
	text, err := os.ReadFile(file)
	must(t, err)
	pages := readPages(t)
	var token shape
	for _, p := range pages {
		if p.name() == "keycloak" {
			token = p.shapes(t, "access-token", "keycloak")[0]
		}
	}
	from := newIssuer(t, token)
	s := newSite(t, configOf(t, "keycloak"), from.set)
	delete(token.Claims, "typ")
	good := from.mint(t, token)
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	bearer := func(token string) func(*http.Request) { return header("Authorization", "Bearer "+token) }
	at := func(path string) func(*http.Request) {
		return func(r *http.Request) { r.URL.Path = path }
	}
	confirmation := func(name string) string { return from.mint(t, token, claim("cnf", map[string]any{name: "x"})) }
	var rows strings.Builder
	for _, c := range []struct {
		name, want string
		send       func(*http.Request)
	}{
		{"a good access token", "200", bearer(good)},
		{"an opaque token", "401 malformed_token", bearer("ory_at_Yq3mN6bW0yL5cD2eF7gH9i")},
		{"an encrypted token", "401 malformed_token", bearer(encrypted(t, from, good))},
		{"a token bound to a key, with the scheme `DPoP`", "401 missing_token", header("Authorization", "DPoP "+confirmation("jkt"))},
		{"a token bound to a key (`cnf.jkt`), as a bearer token", "401 wrong_type", bearer(confirmation("jkt"))},
		{"a token bound to a certificate (`cnf.x5t#S256`)", "401 wrong_type", bearer(confirmation("x5t#S256"))},
		{"an assertion for another authorization server (`typ: oauth-id-jag+jwt`)", "401 wrong_type",
			bearer(from.mint(t, token, func(d *draft) { d.Header["typ"] = "oauth-id-jag+jwt" }))},
		{"a password (`Basic`)", "401 missing_token", header("Authorization", "Basic YWxpY2U6c2VjcmV0")},
		{"an API key (`X-API-Key`)", "401 missing_token", header("X-Api-Key", "0123456789")},
		{"a token in the query", "401 missing_token", func(r *http.Request) { r.URL.RawQuery = "access_token=" + good }},
		{"a token in a cookie", "401 missing_token", header("Cookie", "access_token="+good)},
		{"a client that wants to register", "401 missing_token", at("/register")},
		{"a client that wants a token", "401 missing_token", at("/token")},
	} {
		answer, message := s.send(t, c.send)
		if answer != c.want {
			t.Errorf("%s: %s, want %s: %s", c.name, answer, c.want, message)
		}
		if c.want != "200" {
			status, reason, _ := strings.Cut(answer, " ")
			fmt.Fprintf(&rows, "| %s | %s `%s` | %s |\n", c.name, status, reason, message)
		}
	}
	p := &page{file: file, text: string(text)}
	p.compare(t, "| What is sent | Answer | Message to the client |\n|---|---|---|\n", rows.String())
}

// send asks the gate in some way, and gives status and reason, and what it says.
func (s *site) send(t *testing.T, change func(*http.Request)) (answer, message string) {
	t.Helper()
	request := s.request(t)
	change(request)
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer response.Body.Close()
	var body struct{ Error struct{ Message string } }
	must(t, json.NewDecoder(response.Body).Decode(&body))
	return strings.TrimSpace(fmt.Sprint(response.StatusCode, " ", response.Header.Get("Gatehouse-Reason"))), body.Error.Message
}

// encrypted wraps a token for the holder of a key (RFC 7519 section 11.2).
func encrypted(t *testing.T, to *issuer, token string) string {
	t.Helper()
	encrypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.RSA_OAEP, Key: to.signing.Public()}, nil)
	must(t, err)
	object, err := encrypter.Encrypt([]byte(token))
	must(t, err)
	compact, err := object.CompactSerialize()
	must(t, err)
	return compact
}
