package attack

import "testing"

// What never ends is ended by the gate.
func TestSlow(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	good := s.mint()
	for _, a := range []attack{
		{line: "H10", name: "header that is never finished", raw: "POST /mcp HTTP/1.1\r\nHost: " + host + "\r\nX: ", slow: true},
		{
			line: "H4", name: "body that is never finished, without a token", slow: true,
			raw: joinLines("POST /mcp HTTP/1.1", "Host: "+host, "Content-Length: 100", "") + ping, answers: one(refuse("missing_token")),
		},
		{
			line: "H4", name: "body that is never finished, with a good token", slow: true,
			raw:     joinLines("POST /mcp HTTP/1.1", "Host: "+host, "Content-Type: application/json", "Authorization: Bearer "+good, "Content-Length: 100", "") + ping,
			answers: one(refuse("body_timeout")),
		},
	} {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			s.try(t, []attack{a})
		})
	}
}
