package forward

import (
	"net/http"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

func TestWhatOfAClientsHeadersIsLeft(t *testing.T) {
	claims := []gateapi.ClaimHeader{{Header: "X-User", Claim: "sub"}, {Header: "Groups", Claim: "groups"}}
	for name, kept := range map[string]bool{
		"Accept": true, "Content-Type": true, "Mcp-Session-Id": true, "Mcp-Method": true, "Mcp-Param-a_b": true, "X-Request-Id": true, "Traceparent": true,
		"X-User-Agent": true, "User": true, "X_other": true,
		"X-User": false, "X_User": false, "x_user": false, "X.user": false, "GROUPS": false, "groups": false,
		"Authorization": false, "Content_type": false, "Mcp_session_id": false, "Mcp-Session_id": false, "Mcp_method": false, "Accept~": true, "Content_length": false,
		"Forwarded": false, "X-Forwarded-Proto": false, "X_forwarded_for": false, "X-Real-Ip": false, "X-Original-Url": false, "X-Http-Method-Override": false,
		"Proxy": false, "Proxy-Connection": false, "Proxyfoo": false, "Cookie": false, "Origin": false, "Expect": false, "Te": false, "Trailer": false,
		"Gatehouse-Subject": false, "Gatehouse_subject": false, "Transfer_encoding": false, "Host_": true,
	} {
		if got := isTrusted(name, claims); got != kept {
			t.Errorf("%s: trusted %t, want %t", name, got, kept)
		}
	}
}

func TestClaimsAsHeaders(t *testing.T) {
	for name, c := range map[string]struct {
		claim any
		want  string // empty: no header
	}{
		"text":              {"a b", "a b"},
		"number":            {float64(7), "7"},
		"flag":              {true, "true"},
		"list":              {[]any{"a", "b"}, `["a","b"]`},
		"object":            {map[string]any{"a": 1.5}, `{"a":1.5}`},
		"null":              {nil, ""},
		"empty":             {"", ""},
		"line break":        {"a\r\nX-Admin: 1", ""},
		"tab":               {"a\tb", ""},
		"NUL":               {"a\x00", ""},
		"umlaut":            {"Jos\u00e9", ""},
		"umlaut in a list":  {[]any{"\u00e9"}, ""},
		"not UTF-8":         {"\xff", ""},
		"space behind":      {"admin ", ""},
		"space before":      {" admin", ""},
		"escaped in a list": {[]any{"a\nb"}, `["a\nb"]`},
		"nothing JSON":      {func() {}, ""},
	} {
		header := http.Header{}
		setClaimHeaders(header, []gateapi.ClaimHeader{{Header: "x-user", Claim: "sub"}, {Header: "X-None", Claim: "none"}},
			func(name string) (any, bool) { return c.claim, name == "sub" })
		if got := header.Get("X-User"); got != c.want || len(header) > 1 || (len(header) == 0) != (c.want == "") {
			t.Errorf("%s: got %v", name, header)
		}
	}
}
