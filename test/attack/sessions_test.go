package attack

import (
	"net/http"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

func bound(c *gateapi.Config) { c.SessionBinding = gateapi.SessionBindingCaller }

// A session is of use to nobody but the caller who opened it.
func TestSessions(t *testing.T) {
	t.Parallel()
	s := newSite(t, bound)
	another := newSite(t, func(c *gateapi.Config) {
		bound(c)
		c.Server.UID = "2"
	})
	mine := s.open(t, s.mint())
	s.try(t, s.stolen(mine, another.open(t, another.mint())))
	s.try(t, s.altered(mine))
	s.try(t, s.own(mine))
}

// open begins a session and gives its id, as the client sees it.
func (s *site) open(t *testing.T, token string) string {
	t.Helper()
	got := exchange(s.address, attack{raw: post(token, ping, "X-Initialize: yes"), answers: one(serve())})
	must(t, got.err)
	id := got.responses[0].Header.Get("Mcp-Session-Id")
	if id == "" || id == sessionOfTheServer || !strings.HasSuffix(id, "."+sessionOfTheServer) {
		t.Fatalf("S2: the session id is %q", id)
	}
	return id
}

func inSession(token, session string, fields ...string) string {
	return post(token, ping, append(fields, "Mcp-Session-Id: "+session)...)
}

func (s *site) stolen(mine, foreign string) []attack {
	unknown := one(refuse("unknown_session"))
	ofOther := s.mint(by(s.issuers.other), setClaim("iss", otherIssuer), setClaim("aud", otherAudience))
	return []attack{
		{line: "S3", name: "another subject", raw: inSession(s.mint(setClaim("sub", "bob")), mine), answers: unknown},
		{line: "S3", name: "another client of the subject", raw: inSession(s.mint(setClaim("client_id", "other-app")), mine), answers: unknown},
		{line: "S3", name: "no client", raw: inSession(s.mint(noClaim("client_id")), mine), answers: unknown},
		{line: "S3", name: "the same subject of another issuer", raw: inSession(ofOther, mine), answers: unknown},
		{line: "S3", name: "subject in other case", raw: inSession(s.mint(setClaim("sub", "Alice")), mine), answers: unknown},
		{line: "S3", name: "subject and client run together", raw: inSession(s.mint(setClaim("sub", "aliceapp"), noClaim("client_id")), mine), answers: unknown},
		{line: "S3", name: "caller of a shared secret", raw: inSession(s.mintShared(), mine), answers: unknown},
		{line: "S3", name: "session of another server", raw: inSession(s.mint(), foreign), answers: unknown},
		{line: "S3", name: "to end it", raw: rawRequest("DELETE /mcp HTTP/1.1", "", "Authorization: Bearer "+s.mint(setClaim("sub", "bob")), "Mcp-Session-Id: "+mine), answers: one(unnamed("unknown_session"))},
		{line: "S3", name: "to listen", raw: rawRequest("GET /mcp HTTP/1.1", "", "Authorization: Bearer "+s.mint(setClaim("sub", "bob")), "Mcp-Session-Id: "+mine), answers: one(unnamed("unknown_session"))},
		{line: "S2", name: "a session is no token", raw: inSession("", mine), answers: one(refuse("missing_token"))},
		{line: "S2", name: "a session does not mend a token", raw: inSession(s.mint(setClaim("exp", 1)), mine), answers: one(refuse("expired"))},
		{line: "S2", name: "a session for a token", raw: inSession(mine, mine), answers: one(refuse("malformed_token"))},
	}
}

func (s *site) altered(mine string) []attack {
	var out []attack
	seal := strings.TrimSuffix(mine, sessionOfTheServer) // "g<slot>.<m>."
	for name, session := range map[string]string{
		"the server's own id": sessionOfTheServer, "made up": "1868a90c-d2f0-4e0e-8b8f-000000000000", "the seal alone": seal,
		"the seal without its dot": strings.TrimSuffix(seal, "."), "id cut short": mine[:len(mine)-1], "id that goes on": mine + "x", "another id": seal + "session-of-bob",
		"another slot": "g" + string(alphabet[strings.IndexByte(alphabet, mine[1])^1]) + mine[2:], "a bit of the seal": mine[:3] + flip(mine[3:], 0),
		"last bit of the seal": mine[:23] + flip(mine[23:], 0), "no seal": "g" + mine[1:2] + ".." + sessionOfTheServer, "sealed twice": seal + mine,
		"upper case": strings.ToUpper(mine), "in quotes": `"` + mine + `"`, "two in one": mine + ", " + mine, "a space inside": seal + " " + sessionOfTheServer,
		"long": seal + strings.Repeat("x", 2000), "one letter": "g", "letters beyond ASCII": mine + "é", "empty": "",
	} {
		out = append(out, attack{line: "S3", name: "altered: " + name, raw: inSession(s.mint(), session), answers: one(refuse("unknown_session"))})
	}
	return append(out, attack{
		line: "S3", name: "twice", raw: inSession(s.mint(), mine, "mcp-session-id: "+mine),
		answers: one(refuse("ambiguous_header").saying("more than one Mcp-Session-Id header")),
	})
}

func (s *site) own(mine string) []attack {
	plain := says("Mcp-Session-Id", sessionOfTheServer)
	return []attack{
		{line: "T3", name: "the caller's own", raw: inSession(s.mint(), mine), answers: one(serve()), seen: plain},
		{line: "T3", name: "with a new token", raw: inSession(s.mint(setClaim("jti", "2"), by(s.issuers.ec)), mine), answers: one(serve()), seen: plain},
		{line: "T3", name: "header in lower case", raw: strings.Replace(inSession(s.mint(), mine), "Mcp-Session-Id", "mcp-session-id", 1), answers: one(serve()), seen: plain},
		{line: "T3", name: "no session", raw: post(s.mint(), ping), answers: one(serve()), seen: says("Mcp-Session-Id", "")},
		{line: "S2", name: "twin with an underscore", raw: post(s.mint(), ping, "Mcp_Session_Id: "+sessionOfTheServer), answers: one(serve()), seen: nowhere(sessionOfTheServer)},
		{line: "S2", name: "a session where MCP has none", raw: inSession(s.mint(), sessionOfTheServer, "MCP-Protocol-Version: 2026-07-28"), answers: one(serve()), seen: func(r *http.Request) string {
			return differs("session at the server", r.Header.Get("Mcp-Session-Id"), "")
		}},
	}
}
