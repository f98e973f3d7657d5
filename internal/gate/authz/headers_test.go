package authz_test

import (
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz/message"
)

// T8, hardening 13: the headers agree with the body in every revision in which they are present.
func TestHeadersAgree(t *testing.T) {
	wrapped := func(text string) string { return "=?base64?" + base64.StdEncoding.EncodeToString([]byte(text)) + "?=" }
	const mismatch, ambiguous = "header_mismatch", "ambiguous_header"
	for _, c := range []struct {
		body         string
		method, name []string
		want         string
	}{
		{call("a"), nil, nil, ""},
		{call("a"), []string{"tools/call"}, []string{"a"}, ""},
		{call("a"), []string{"tools/call"}, nil, ""},
		{call("a"), nil, []string{"a"}, ""},
		{call("a"), []string{"tools/list"}, []string{"a"}, mismatch},
		{call("a"), []string{"Tools/Call"}, []string{"a"}, mismatch},
		{call("a"), []string{"tools/call"}, []string{"b"}, mismatch},
		{call("a"), []string{"tools/call"}, []string{""}, mismatch},
		{call("a"), []string{""}, nil, mismatch},
		{call("a"), []string{"tools/call"}, []string{"a", "a"}, ambiguous},
		{call("a"), []string{"tools/call", "tools/list"}, nil, ambiguous},
		{call("wörter"), nil, []string{wrapped("wörter")}, ""},
		{call("wörter"), nil, []string{wrapped("worter")}, mismatch},
		{call("a"), nil, []string{wrapped("a")}, ""},
		{call("a"), []string{wrapped("tools/call")}, nil, ""},
		{call("a"), nil, []string{"=?base64?YQ?="}, mismatch},
		{call("a"), nil, []string{"=?base64?YR==?="}, mismatch}, // Bits behind the last byte.
		{call("a"), nil, []string{"=?base64?%%?="}, mismatch},
		{call("\ufffd"), nil, []string{wrapped("\xff")}, mismatch},
		{call("=?base64?YQ==?="), nil, []string{"=?base64?YQ==?="}, mismatch},
		{call("=?base64?YQ==?="), nil, []string{wrapped("=?base64?YQ==?=")}, ""},
		{call("=?base64?YQ=="), nil, []string{"=?base64?YQ=="}, ""},
		{on("resources/read", "file:///a"), []string{"resources/read"}, []string{"file:///a"}, ""},
		{`{"method":"tasks/get","params":{"taskId":"7"}}`, []string{"tasks/get"}, []string{"7"}, ""},
		{`{"method":"tasks/get","params":{"taskId":"7"}}`, []string{"tasks/get"}, []string{"8"}, mismatch},
		{`{"method":"acme/do","params":{"name":"n"}}`, []string{"acme/do"}, []string{"n"}, ""},
		{about("tools/list"), []string{"tools/list"}, []string{"a"}, mismatch},
		{`{"id":1,"result":{}}`, []string{"tools/call"}, nil, mismatch},
		// One header cannot speak for a batch.
		{`[` + call("a") + `]`, []string{"tools/call"}, nil, mismatch},
		{`[` + call("a") + `]`, nil, []string{"a"}, mismatch},
		{`[]`, []string{""}, nil, mismatch},
		{`[` + call("a") + `]`, nil, nil, ""},
	} {
		document, err := message.Parse([]byte(c.body))
		if err != nil {
			t.Fatalf("%s: %v", c.body, err)
		}
		header := http.Header{}
		if c.method != nil {
			header["Mcp-Method"] = c.method
		}
		if c.name != nil {
			header["Mcp-Name"] = c.name
		}
		if got := told(authz.Agree(header, document)); got != c.want {
			t.Errorf("%s with %v: got %q, want %q", c.body, header, got, c.want)
		}
	}
}
