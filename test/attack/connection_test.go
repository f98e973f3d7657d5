package attack

import (
	"net/http"
	"strings"
	"testing"
)

const namesMessage = "the Connection header names a header of the message"

// What a client says of its connection takes nothing from the message that was judged, and brings nothing past it.
func TestConnection(t *testing.T) {
	t.Parallel()
	s := newSite(t, bound)
	mine := s.open(t, s.mint())
	s.try(t, s.options(mine))
	s.try(t, s.trailing(mine))
	s.try(t, s.spelledTwice())
	s.try(t, s.targets())
}

func (s *site) options(mine string) []attack {
	refused := one(refuse("ambiguous_header").saying(namesMessage))
	var out []attack
	for _, name := range []string{
		"Mcp-Session-Id", "Mcp-Method", "Mcp-Name", "Mcp-Protocol-Version", "Mcp-Param-City", "X-Request-Id", "Content-Type", "Content-Length",
		"Content-Encoding", "Accept", "Host", "Last-Event-ID", "MCP-PARAM-X", "Mcp-Any", "mcp_session_id", "MCP.SESSION.ID",
	} {
		out = append(out, attack{line: "T15", name: "Connection: " + name, raw: post(s.mint(), ping, "Connection: "+name), answers: refused})
	}
	for name, fields := range map[string][]string{
		"behind another": {"Connection: close, Mcp-Session-Id"}, "in front": {"Connection: Mcp-Session-Id,close"}, "in other case": {"connection: mCP-sESSION-iD"},
		"in a second header": {"Connection: keep-alive", "Connection: Mcp-Session-Id"}, "between commas": {"Connection: ,, \t Mcp-Session-Id\t ,"}, "twice": {"Connection: Mcp-Session-Id, Mcp-Session-Id"},
	} {
		out = append(out, attack{line: "S2", name: "a session that Connection names, " + name, raw: inSession(s.mint(), mine, fields...), answers: refused})
	}
	// Outside of a session nobody may answer what the server asked of somebody else.
	answering := `{"jsonrpc":"2.0","id":7,"result":{"action":"accept"}}`
	kept := func(name, want string) func(*http.Request) string { return says(name, want) }
	return append(out,
		attack{line: "S2", name: "an answer whose session Connection names", raw: post(s.mint(), answering, "Mcp-Session-Id: "+mine, "Connection: Mcp-Session-Id"), answers: refused},
		attack{line: "S2", name: "a session that a quoted option names", raw: inSession(s.mint(), mine, `Connection: "Mcp-Session-Id"`), answers: one(serve()), seen: kept("Mcp-Session-Id", sessionOfTheServer)},
		attack{line: "S2", name: "a session that an option with odd space names", raw: inSession(s.mint(), mine, "Connection: \u00a0Mcp-Session-Id"), answers: one(serve()), seen: kept("Mcp-Session-Id", sessionOfTheServer)},
		attack{line: "S2", name: "a session that an option with a parameter names", raw: inSession(s.mint(), mine, "Connection: Mcp-Session-Id;q=1"), answers: refused},
		attack{line: "T15", name: "what is named and belongs to nobody", raw: post(s.mint(), ping, "Connection: X-Any, close", "X-Any: mallory"), answers: one(serve()), seen: nowhere("mallory")},
		attack{line: "T15", name: "what is named and the gate's own", raw: post(s.mint(), ping, "Connection: X-Forwarded-For, X-Forwarded-Host"), answers: one(serve()), seen: kept("X-Forwarded-Host", host)},
		attack{line: "A18", name: "what Connection names, without a token", raw: post("", ping, "Connection: Mcp-Session-Id"), answers: refused})
}

// trailing: what comes behind the body is nobody's header.
func (s *site) trailing(mine string) []attack {
	chunked := func(trailer string, fields ...string) string {
		head := append([]string{
			"POST /mcp HTTP/1.1", "Host: " + host, "Content-Type: application/json", "Authorization: Bearer " + s.mint(), "Transfer-Encoding: chunked",
		}, fields...)
		return joinLines(append(head, "")...) + "28\r\n" + ping + "\r\n0\r\n" + trailer + "\r\n\r\n"
	}
	var out []attack
	for _, c := range []struct{ name, value string }{
		{"Mcp-Session-Id", sessionOfTheServer}, {"Mcp-Session-Id", mine}, {"Mcp_Session_Id", sessionOfTheServer}, {"Mcp-Method", "mallory"}, {"X-Request-Id", "mallory"},
		{"Authorization", "mallory"}, {"X-Forwarded-For", "mallory"}, {"X-Any", "mallory"},
	} {
		value := c.value
		seen := func(r *http.Request) string {
			for name, values := range r.Trailer {
				if strings.Contains(strings.Join(values, " "), value) {
					return "the server sees a trailer " + name
				}
			}
			return nowhere(value)(r)
		}
		out = append(out,
			attack{line: "S2", name: "trailer " + c.name + " " + value, raw: chunked(c.name+": "+value, "Trailer: "+c.name), answers: one(serve()), seen: seen},
			attack{line: "S2", name: "trailer " + c.name + " " + value + ", not announced", raw: chunked(c.name + ": " + value), answers: one(serve()), seen: seen})
	}
	return out
}

func (s *site) spelledTwice() []attack {
	var out []attack
	for _, name := range []string{"Last-Event-ID", "Mcp-Param-City"} {
		message := "more than one header of one Mcp name"
		if name == "Last-Event-ID" {
			message = "more than one Last-Event-Id header"
		}
		raw := post(s.mint(), ping, name+": 1", strings.ToLower(name)+": 1")
		out = append(out, attack{line: "T7", name: "two headers " + name, raw: raw, answers: one(refuse("ambiguous_header").saying(message))})
	}
	for _, name := range []string{"Content_Type", "content.type", "Accept_", "Mcp_Method", "mcp.name", "Mcp~Protocol~Version", "Last_Event_Id", "X_Request_Id", "x_forwarded_host", "Hos.t"} {
		raw := post(s.mint(), ping, name+": mallory")
		seen := nowhere("mallory")
		if name == "Accept_" || name == "Hos.t" {
			seen = says(http.CanonicalHeaderKey(name), "mallory") // It is no spelling of another.
		}
		out = append(out, attack{line: "T7", name: "second spelling " + name, raw: raw, answers: one(serve()), seen: seen})
	}
	return out
}

func (s *site) targets() []attack {
	var out []attack
	ask := func(target string) string {
		return rawRequest("GET "+target+" HTTP/1.1", "", "Authorization: Bearer "+s.mint())
	}
	visible := one(unnamed("bad_target").saying("the target must be visible ASCII without a fragment: escape everything else"))
	for _, target := range []string{"/mcp?\u00e9", "/mcp#x", "/mcp?x#y", "/m\u00e7p", "/mcp?\u2028", "http://" + host + "/mcp#x"} {
		out = append(out, attack{line: "T19", name: "target " + target, raw: ask(target), answers: visible})
	}
	for _, target := range []string{"/mcp{x}", "/mcp|x", `/mcp"`, "/mcp^", "/mcp`"} {
		out = append(out, attack{line: "T19", name: "target " + target, raw: ask(target), answers: one(unnamed("bad_target"))})
	}
	for _, name := range []string{host + ":x", host + ":123456", "[::1%25evil]", "[fe80::1%25x]:80", host + ":80,evil"} {
		raw := joinLines("GET /mcp HTTP/1.1", "Host: "+name, "Authorization: Bearer "+s.mint(), "")
		out = append(out, attack{line: "T14", name: "Host " + name, raw: raw, answers: one(unnamed("wrong_host"))})
	}
	return out
}
