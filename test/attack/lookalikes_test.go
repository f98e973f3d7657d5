package attack

import (
	"fmt"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// A method or a URI that servers may take for another is judged as that one, or not at all.
func TestLookalikes(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *gateapi.Config) {
		c.Authorization.Rules = []gateapi.Rule{{Tools: []string{"read"}}, {Resources: []string{"file:///public/*"}}}
	})
	var out []attack
	near := refuse("bad_message").saying("the method is spelled nearly like one that is judged: spell it exactly so")
	for _, method := range []string{
		"\ufefftools/call", "tools/call\ufeff", "\u200btools/call", "tools\u2060/call", "tools/c\u00adall", "tools/call\ufe0f", "\u202etools/call", "tools/call\u0301", "tools\u3164/call",
		"tools /call", "tools//call", `tools\\call`, "tools\uff0fcall", "\uff54ools/call", "\uff34\uff2f\uff2f\uff2c\uff33/call", "\U0001d42dools/call", "tools/\u24d2all", "\u1d57ools/call",
		"re\u017fources/read", "resources\u2215read", "\ufeffresources/subscribe", "RESOURCES/READ", "TOOLS/CALL\u200d",
	} {
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":"%s","params":{"name":"wipe","uri":"file:///etc/passwd"}}`, method)
		out = append(out, attack{line: "T8", name: "method " + method, raw: post(s.mint(), body), answers: one(near)})
	}
	for _, uri := range []string{
		"%%32%65%%32%65/x", "%c0%ae%c0%ae/x", "%c0%ae./x", "%e0%80%ae%e0%80%ae/x", "%u002e%u002e/x", "%2", "x%", "..%c0%af", "%ef%bc%8e%ef%bc%8e/x", "\uff0e\uff0e/x", "\u2025/x", "..\uff0fx",
		".%00./x", ".%09./x", "..%20/x", ".. /x", "\u200b../x", ".\ufeff./x", "%ef%bb%bf../x", "x%e2%88%95..%e2%88%95y", "%252e%252e/x", "..%3bx", "x%00y", "x%0d%0ay",
	} {
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":"file:///public/%s"}}`, uri)
		out = append(out, attack{line: "T8", name: "resource " + uri, raw: post(s.mint(), body), answers: one(refuse("forbidden"))})
	}
	for _, body := range []string{
		`{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":"file:///public/caf%c3%a9.txt"}}`, `{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":"file:///public/a..b"}}`,
		`{"jsonrpc":"2.0","id":7,"method":"tools/list"}`, `{"jsonrpc":"2.0","id":7,"method":"acme/do"}`, `{"jsonrpc":"2.0","id":7,"method":"\u5de5\u5177"}`,
	} {
		out = append(out, attack{line: "T8", name: "good " + body, raw: post(s.mint(), body), answers: one(serve())})
	}
	s.try(t, out)
}
