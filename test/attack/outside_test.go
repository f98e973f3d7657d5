package attack

import (
	"net/http"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// What the server says of itself: no address of the pod comes back, and no session but through the seal.
func TestWhatComesBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.try(t, s.references())
	s.try(t, s.led())
	s.try(t, s.behindTheAnswer())
	s.try(t, s.saidTwice())
	slashed := newSite(t, func(c *gateapi.Config) { c.Upstream.TrailingSlash = true })
	slashed.try(t, slashed.slashed())
	sealed := newSite(t, bound)
	sealed.try(t, sealed.sealed())
}

// saying asks the server to say headers.
func (s *site) saying(fields ...string) string { return post(s.mint(), ping, fields...) }

func (s *site) references() []attack {
	var out []attack
	for _, c := range []struct{ header, said, want string }{
		{"Location", "/mcp/", "/mcp/"}, {"Location", "mcp/?a=b", "mcp/?a=b"}, {"Location", "https://login.example/a", "https://login.example/a"},
		{"Location", "http://" + host + "/a", "http://" + host + "/a"},
		{"Location", "http://SERVER/mcp/", "/mcp/"}, {"Location", "http://SERVER", "/"}, {"Location", "http://SERVER?a=b", "/?a=b"}, {"Location", "//SERVER/a", "/a"},
		{"Location", "HTTPS://SERVER/a", "/a"}, {"Location", `http:\\SERVER\a`, `\a`}, {"Location", "http:/SERVER/a", "/a"}, {"Location", "http://u:p@SERVER/a", "/a"},
		{"Location", "http://SERVER//evil.example/", "/.//evil.example/"}, {"Location", "http://localhost/a", "/a"}, {"Location", "http://[::1]/a", "/a"}, {"Location", "http://0.0.0.0/a", "/a"},
		{"Location", "http://127.1/a", "/a"}, {"Location", "http://0x7f.1/a", "/a"}, {"Location", "http://[::ffff:127.0.0.1]/a", "/a"}, {"Location", "http://LOCALHOST./a", "/a"},
		{"Location", "http://127.0.0.1:9090/state", ""}, {"Location", "http://localhost:1/", ""}, {"Location", "http://[::1]:29090/", ""}, {"Location", "https://0.0.0.0:443/", ""},
		{"Location", "https://login.example/?to=http://SERVER/cb", "https://login.example/?to=http://" + host + "/cb"},
		{"Location", "https://login.example/?to=http%3A%2F%2Flocalhost%2Fcb", "https://login.example/?to=http%3A%2F%2F" + host + "%2Fcb"},
		{"Location", "https://login.example/?to=http%3A%2F%2Flocalhost%3A9090", ""},
		{"Content-Location", "http://SERVER/a", "/a"}, {"Content-Location", "http://localhost:9/a", ""}, {"Content-Location", "/a", "/a"},
		{"Link", `<http://SERVER/a>; rel="next", </b>; rel=x`, `</a>; rel="next", </b>; rel=x`}, {"Link", "<http://localhost:9/>", ""},
		{"Refresh", "5; url=http://SERVER/a", "5; url=/a"}, {"Refresh", "0;URL='http://127.0.0.1/a'", "0;URL='/a'"}, {"Refresh", "0; url=http://127.0.0.1:9", ""},
		{"Reporting-Endpoints", `a="http://SERVER/x"`, `a="http://` + host + `/x"`},
		{"Sourcemap", "http://SERVER/a.map", "/a.map"}, {"Uri", "<http://SERVER/a>", "</a>"}, {"Content-Base", "http://SERVER/", "/"},
		{"Access-Control-Allow-Origin", "http://localhost:3000", "http://localhost:3000"}, {"X-Any", "http://127.0.0.1/", "http://127.0.0.1/"},
	} {
		raw := s.saying("X-Say: " + c.header + ": " + c.said)
		out = append(out, attack{line: "T14", name: c.header + ": " + c.said, raw: raw, answers: one(serve().with(c.header, c.want))})
	}
	return out
}

// led: redirects pass, and lead nobody into the pod.
func (s *site) led() []attack {
	var out []attack
	for _, status := range []string{"301", "302", "303", "307", "308"} {
		want := serve().with("Location", "/mcp/")
		want.status = map[string]int{"301": 301, "302": 302, "303": 303, "307": 307, "308": 308}[status]
		out = append(out,
			attack{line: "T14", name: status + " to its own address", raw: s.saying("X-Status: "+status, "X-Say: Location: http://SERVER/mcp/"), answers: one(want)},
			attack{line: "T14", name: status + " to a path", raw: s.saying("X-Status: "+status, "X-Say: Location: /mcp/"), answers: one(want)})
	}
	gone := serve().with("Location", "")
	gone.status = 307
	first := serve().with("Location", "/a")
	first.status = 307
	return append(out,
		attack{line: "T14", name: "to the gate's admin port", raw: s.saying("X-Status: 307", "X-Say: Location: http://127.0.0.1:9090/state"), answers: one(gone)},
		attack{line: "T14", name: "to two places", raw: s.saying("X-Status: 307", "X-Say: Location: /a", "X-Say: Location: http://localhost:9/"), answers: one(first)})
}

// slashed: the server is asked for its own path, and cannot send its clients round in circles.
func (s *site) slashed() []attack {
	ask := func(target string, fields ...string) string {
		return strings.Replace(post(s.mint(), ping, fields...), "/mcp", target, 1)
	}
	loop := one(refuse("upstream_redirect"))
	loop[0].served = true
	elsewhere := serve().with("Location", "/other")
	elsewhere.status = 307
	return []attack{
		{line: "T19", name: "the path with a slash", raw: ask("/mcp/"), answers: one(serve()), seen: wantTarget("/mcp")},
		{line: "T19", name: "the path with a slash and a query", raw: ask("/mcp/?a=b%2F"), answers: one(serve()), seen: wantTarget("/mcp?a=b%2F")},
		{line: "T19", name: "the path without", raw: ask("/mcp"), answers: one(serve()), seen: wantTarget("/mcp")},
		{line: "T19", name: "two slashes", raw: ask("/mcp//"), answers: one(refuse("bad_target"))},
		{line: "T14", name: "a redirect to the slash", raw: ask("/mcp", "X-Status: 307", "X-Say: Location: http://SERVER/mcp/"), answers: loop},
		{line: "T14", name: "a redirect from the slash to itself", raw: ask("/mcp/", "X-Status: 308", "X-Say: Location: /mcp/"), answers: loop},
		{line: "T14", name: "a redirect to another path", raw: ask("/mcp/", "X-Status: 307", "X-Say: Location: http://SERVER/other"), answers: one(elsewhere)},
	}
}

// behindTheAnswer: nothing comes in a trailer that somebody looks for in front, announced or not.
func (s *site) behindTheAnswer() []attack {
	var out []attack
	for _, name := range []string{
		"Mcp-Session-Id", "Mcp_Session_Id", "Mcp-Protocol-Version", "Location", "Content-Location", "Link", "Set-Cookie", "Www-Authenticate", "X-Request-Id",
		"Gatehouse-Reason", "Access-Control-Allow-Origin", "Cache-Control",
	} {
		fields := []string{"X-Trail: " + name + ": " + sessionOfTheServer, "X-Say: Trailer: " + name}
		out = append(out, attack{line: "S2", name: "trailer of the server " + name, raw: s.saying(fields...), answers: one(serve().with("Trailer", ""))})
	}
	late := serve()
	late.trailer = "X-Late"
	return append(out,
		attack{line: "S2", name: "a trailer that is nothing else", raw: s.saying("X-Trail: X-Late: 1", "X-Say: Trailer: X-Late"), answers: one(late)})
}

func (s *site) saidTwice() []attack {
	twice := func(name string, values ...string) string {
		var fields []string
		for _, value := range values {
			fields = append(fields, "X-Say: "+name+": "+value)
		}
		return s.saying(fields...)
	}
	refusedSession := one(refuse("upstream_session"))
	refusedSession[0].served = true
	return []attack{
		{line: "S2", name: "an id said twice", raw: twice("Mcp-Session-Id", "a", "a"), answers: one(serve().with("Mcp-Session-Id", "a"))},
		{line: "S2", name: "an id said in two spellings of the header", raw: s.saying("X-Say: Mcp-Session-Id: a", "X-Say: mcp-session-id: a"), answers: one(serve().with("Mcp-Session-Id", "a"))},
		{line: "S2", name: "two ids", raw: twice("Mcp-Session-Id", "a", "b"), answers: refusedSession},
		{line: "S2", name: "two ids, the first again", raw: twice("Mcp-Session-Id", "a", "b", "a"), answers: refusedSession},
		{line: "S2", name: "an id in a second spelling", raw: twice("Mcp_Session_Id", "raw"), answers: one(serve().with("Mcp_session_id", ""))},
		{line: "S2", name: "an id in a third", raw: twice("mcp.session.id", "raw"), answers: one(serve().with("Mcp.session.id", ""))},
		{line: "T2", name: "two types", raw: twice("Content-Type", "text/event-stream"), answers: one(serve().with("Content-Type", "application/json"))},
		{line: "T3", name: "an answer whose session Connection names", raw: s.saying("X-Say: Mcp-Session-Id: a", "X-Say: Connection: Mcp-Session-Id"), answers: one(serve().with("Mcp-Session-Id", "a"))},
	}
}

func (s *site) sealed() []attack {
	refused := one(refuse("upstream_session"))
	refused[0].served = true
	return []attack{
		{line: "S2", name: "two ids to seal", raw: s.saying("X-Initialize: yes", "X-Say: Mcp-Session-Id: b"), answers: refused},
		{line: "S2", name: "a raw id in a second spelling", raw: s.saying("X-Say: Mcp_Session_Id: raw"), answers: one(serve().with("Mcp_session_id", ""))},
		{line: "S2", name: "a raw id behind the body", raw: s.saying("X-Trail: Mcp-Session-Id: raw", "X-Say: Trailer: Mcp-Session-Id"), answers: one(serve().with("Trailer", ""))},
	}
}

// wantTarget wants the server to be asked for this target.
func wantTarget(want string) func(*http.Request) string {
	return func(r *http.Request) string { return differs("target at the server", r.RequestURI, want) }
}
