package authz_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz/message"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// caller has scopes, and claims as a token brings them.
type caller struct {
	scopes []string
	claims map[string]any
}

func (c caller) HasScope(scope string) bool { return slices.Contains(c.scopes, scope) }

func (c caller) Claim(name string) (any, bool) {
	value, present := c.claims[name]
	return value, present
}

func with(scopes string) caller { return caller{scopes: strings.Fields(scopes)} }

func read(t *testing.T, body string) []message.Message {
	t.Helper()
	document, err := message.Parse([]byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return document.Messages
}

func policy(t *testing.T, text string) *authz.Policy {
	t.Helper()
	var a gateapi.Authorization
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatal(err)
	}
	return authz.New(a)
}

// told is what a client learns: nothing if it may, else the reason, and the scopes of the challenge.
func told(denial *deny.Denial) string {
	if denial == nil {
		return ""
	}
	out := string(denial.Reason)
	if _, scope, found := strings.Cut(denial.Challenge(deny.Site{}), `scope="`); found {
		scope, _, _ = strings.Cut(scope, `"`)
		out += " " + scope
	}
	return out
}

func call(tool string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + tool + `"}}`
}

func about(method string) string { return `{"jsonrpc":"2.0","id":1,"method":"` + method + `"}` }

func on(method, uri string) string {
	return `{"id":1,"method":"` + method + `","params":{"uri":"` + uri + `"}}`
}

const forbidden = "forbidden"

func TestScopes(t *testing.T) {
	const rules = `{"requiredScopes":["mcp"],"rules":[
		{"tools":["read_*"],"scopes":["read"]},
		{"tools":["write"],"scopes":["write","audit"]},
		{"tools":["write"],"scopes":["admin"]},
		{"methods":["tools/list"]}]}`
	for _, c := range []struct{ rules, scopes, body, want string }{
		// A12: 403 with all scopes of the operation in one challenge; S7: and none besides.
		{`{"requiredScopes":["a","b"]}`, "a b", about("tools/list"), ""},
		{`{"requiredScopes":["a","b"]}`, "b", about("tools/list"), "insufficient_scope a b"},
		{`{"requiredScopes":["a","b"]}`, "", about("initialize"), "insufficient_scope a b"},
		{rules, "mcp read", call("read_x"), ""},
		{rules, "mcp", call("read_x"), "insufficient_scope mcp read"},
		{rules, "read", call("read_x"), "insufficient_scope mcp read"},
		{rules, "", call("read_x"), "insufficient_scope mcp read"},
		{rules, "", about("tools/list"), "insufficient_scope mcp"},
		// A13: either of two rules opens; the challenge names the one that is nearer.
		{rules, "mcp write audit", call("write"), ""},
		{rules, "mcp admin", call("write"), ""},
		{rules, "mcp", call("write"), "insufficient_scope mcp admin"},
		{rules, "mcp write", call("write"), "insufficient_scope mcp write audit"},
		// No scope helps: final (H14).
		{rules, "mcp read write audit admin", call("delete"), forbidden},
		{rules, "", call("delete"), forbidden},
		// T6, hardening 13: of a batch every element is judged; the challenge is for all of it.
		{rules, "mcp", `[` + call("read_x") + `,` + call("write") + `]`, "insufficient_scope mcp read admin"},
		{rules, "mcp read", `[` + call("read_x") + `,` + call("write") + `]`, "insufficient_scope mcp read admin"},
		{rules, "mcp read admin", `[` + call("read_x") + `,` + call("write") + `]`, ""},
		{rules, "mcp read admin", `[` + call("read_x") + `,` + call("delete") + `]`, forbidden},
		{rules, "mcp read admin", `[` + call("delete") + `,` + call("read_x") + `]`, forbidden},
		{rules, "mcp", `[]`, ""},
		{rules, "", `[]`, "insufficient_scope mcp"},
		{rules, "mcp", `{"id":1,"result":{}}`, ""},
		{rules, "", `{"id":1,"result":{}}`, "insufficient_scope mcp"},
	} {
		if got := told(policy(t, c.rules).Judge(with(c.scopes), read(t, c.body))); got != c.want {
			t.Errorf("%s with %q by %s: got %q, want %q", c.body, c.scopes, c.rules, got, c.want)
		}
	}
	// GET, DELETE, ExtraPaths.
	if got := told(policy(t, rules).Judge(with("mcp"), nil)); got != "" {
		t.Errorf("no message: got %q", got)
	}
	if got := told(policy(t, rules).Judge(with(""), nil)); got != "insufficient_scope mcp" {
		t.Errorf("no message: got %q", got)
	}
}

// The examples of gateapi.Rule, and what follows from its text.
func TestWhatRulesSpeakOf(t *testing.T) {
	complete := func(kind, member, name string) string {
		return `{"method":"completion/complete","params":{"ref":{"type":"ref/` + kind + `","` + member + `":"` + name + `"}}}`
	}
	listen := func(uris string) string {
		return `{"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":[` + uris + `]}}}`
	}
	for rule, c := range map[string]struct{ allowed, denied []string }{
		`{"methods":["tools/call"]}`:                          {[]string{call("x"), call("y")}, []string{about("tools/list")}},
		`{"tools":["x"]}`:                                     {[]string{call("x")}, []string{call("y"), call("X"), call("xx"), call(" x"), call(""), about("tools/list"), about("tools/call")}},
		`{"methods":["tools/call"],"tools":["x"]}`:            {[]string{call("x")}, []string{call("y"), about("tools/list")}},
		`{"methods":["tools/list"],"tools":["x"]}`:            {[]string{call("x"), about("tools/list")}, []string{call("y")}},
		`{"methods":["*"],"tools":["x"]}`:                     {[]string{call("x"), about("tools/list"), about("acme/do"), on("resources/read", "a:b")}, []string{call("y")}},
		`{"methods":["tools/*"],"tools":["read_*"]}`:          {[]string{call("read_x"), call("read_"), about("tools/list")}, []string{call("read"), call("Read_x"), about("prompts/list")}},
		`{"tools":["*"]}`:                                     {[]string{call("x"), call("")}, []string{about("tools/list")}},
		`{"methods":["tools/*","prompts/get"],"tools":["x"]}`: {[]string{call("x"), about("tools/list"), `{"method":"prompts/get","params":{"name":"p"}}`}, []string{call("y"), about("prompts/list")}},
		`{"prompts":["p"]}`: {
			[]string{`{"method":"prompts/get","params":{"name":"p"}}`, complete("prompt", "name", "p")},
			[]string{`{"method":"prompts/get","params":{"name":"q"}}`, complete("prompt", "name", "q"), complete("resource", "uri", "p"), call("p")},
		},
		`{"methods":["prompts/get"],"prompts":["p"]}`: {[]string{`{"method":"prompts/get","params":{"name":"p"}}`}, []string{complete("prompt", "name", "p")}},
		`{"methods":["resources/read"],"resources":["file:///a"]}`: {[]string{on("resources/read", "file:///a")},
			[]string{on("resources/subscribe", "file:///a"), on("resources/read", "file:///b"), listen(`"file:///a"`)}},
		`{"resources":["file:///a/*"]}`: {
			[]string{
				on("resources/read", "file:///a/b"), on("resources/subscribe", "file:///a/b"), on("resources/unsubscribe", "file:///a/"),
				on("resources/read", "file:///a/..b/c..d"), on("resources/read", "file:///a/%20"), complete("resource", "uri", "file:///a/{x}"),
				on("resources/read", "file:///a/caf%c3%a9.txt"), on("resources/read", "file:///a/\u6587\u4ef6"), on("resources/read", "file:///a/a%2fb"), on("resources/read", "file:///a/a\u2026"),
				listen(`"file:///a/b"`), listen(`"file:///a/b","file:///a/c"`),
			},
			[]string{
				on("resources/read", "file:///b"), on("resources/read", "FILE:///a/b"), about("resources/list"),
				complete("resource", "uri", "file:///{x}"), listen(`"file:///a/b","file:///b"`), listen(""), about("subscriptions/listen"),
				// Resolved by the server, these lie elsewhere.
				on("resources/read", "file:///a/../b"), on("resources/read", "file:///a/%2e%2E/b"), on("resources/read", "file:///a/.%2e"),
				on("resources/read", `file:///a/..\\b`), on("resources/read", "file:///a/x%2f..%5cb"), on("resources/read", "file:///a/%252e%252e/b"),
				on("resources/read", "file:///a/..;x/b"), on("resources/read", "file:///a/..?x"),
				// Broken and doubled escapes, overlong UTF-8, and what normalization, trimming or a browser makes of these.
				on("resources/read", "file:///a/%%32%65%%32%65/b"), on("resources/read", "file:///a/%c0%ae%c0%ae/b"), on("resources/read", "file:///a/%u002e%u002e/b"),
				on("resources/read", "file:///a/%e0%80%ae%e0%80%ae/b"), on("resources/read", "file:///a/%2/b"), on("resources/read", "file:///a/b%"),
				on("resources/read", "file:///a/.%00./b"), on("resources/read", "file:///a/.%09./b"), on("resources/read", "file:///a/..%20/b"),
				on("resources/read", "file:///a/\u200b../b"), on("resources/read", "file:///a/.\ufeff./b"), on("resources/read", "file:///a/%ef%bb%bf../b"),
				on("resources/read", "file:///a/\uff0e\uff0e/b"), on("resources/read", "file:///a/%ef%bc%8e%ef%bc%8e/b"), on("resources/read", "file:///a/\u2025/b"),
				on("resources/read", "file:///a/..\uff0fb"), on("resources/read", "file:///a/x%e2%88%95..%e2%88%95b"), on("resources/read", "file:///a/.. /b"),
			},
		},
		`{"resources":["*"]}`:                  {[]string{on("resources/read", "file:///a/../b"), listen(`"a","b"`)}, []string{listen("")}},
		`{"resources":["file:///a/../b"]}`:     {[]string{on("resources/read", "file:///a/../b")}, []string{on("resources/read", "file:///b")}},
		`{"methods":["subscriptions/listen"]}`: {[]string{listen(`"a"`), listen("")}, []string{on("resources/subscribe", "a")}},
		`{"methods":["tasks/*"]}`:              {[]string{`{"method":"tasks/get","params":{"taskId":"1"}}`, about("tasks/list")}, []string{call("x")}},
		`{"methods":["acme/do"]}`:              {[]string{about("acme/do")}, []string{about("acme/Do "), about("acme/do2")}},
	} {
		judge := policy(t, `{"defaultAction":"Deny","rules":[`+rule+`]}`)
		for _, body := range c.allowed {
			if got := told(judge.Judge(with(""), read(t, body))); got != "" {
				t.Errorf("%s by %s: got %q", body, rule, got)
			}
		}
		for _, body := range c.denied {
			if got := told(judge.Judge(with(""), read(t, body))); got != forbidden {
				t.Errorf("%s by %s: got %q, want %q", body, rule, got, forbidden)
			}
		}
	}
}

func TestWhatNoRuleSpeaksOf(t *testing.T) {
	const (
		none      = `"rules":[]`
		tools     = `"rules":[{"tools":["x"]}]`
		prompts   = `"rules":[{"prompts":["x"]}]`
		resources = `"rules":[{"resources":["x"]}]`
		admin     = `"rules":[{"methods":["admin/*","acme/do"],"scopes":["admin"]}]`
		all       = `"rules":[{"methods":["*"],"scopes":["admin"]}]`
		hello     = `"rules":[{"methods":["initialize","notifications/initialized"],"scopes":["hello"]}]`
		both      = `"rules":[{"methods":["*"],"tools":["x"]}]`
	)
	for _, c := range []struct{ rules, body, allow, deny string }{
		{none, about("tools/list"), "", forbidden},
		{none, call("x"), "", forbidden},
		// A response asks nothing; whether it may come is a matter of sessions.
		{none, `{"id":1,"result":{}}`, "", ""},
		{all, `{"id":1,"error":{}}`, "", ""},
		// Lifecycle methods never need a rule.
		{none, about("initialize"), "", ""},
		{none, about("server/discover"), "", ""},
		{none, about("ping"), "", ""},
		{none, `{"method":"notifications/initialized"}`, "", ""},
		{all, about("ping"), "", ""},
		{all, about("tools/list"), "insufficient_scope admin", "insufficient_scope admin"},
		{hello, about("initialize"), "insufficient_scope hello", "insufficient_scope hello"},
		{hello, `{"method":"notifications/initialized"}`, "insufficient_scope hello", "insufficient_scope hello"},
		{hello, about("ping"), "", ""},
		// hardening 13: a rule that names tools closes tools/call, whatever the default.
		{tools, call("y"), forbidden, forbidden},
		{tools, call("x "), forbidden, forbidden},
		{tools, about("tools/call"), forbidden, forbidden},
		{tools, `{"method":"tools/call","params":["y"]}`, forbidden, forbidden},
		{tools, about("tools/list"), "", forbidden},
		{tools, `{"method":"prompts/get","params":{"name":"y"}}`, "", forbidden},
		{prompts, `{"method":"prompts/get","params":{"name":"y"}}`, forbidden, forbidden},
		{prompts, `{"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"y"}}}`, forbidden, forbidden},
		{prompts, call("y"), "", forbidden},
		{resources, on("resources/read", "y"), forbidden, forbidden},
		{resources, on("resources/subscribe", "y"), forbidden, forbidden},
		{resources, on("resources/unsubscribe", "y"), forbidden, forbidden},
		{resources, `{"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":["x","y"]}}}`, forbidden, forbidden},
		{resources, `{"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true}}}`, "", forbidden},
		{resources, about("resources/list"), "", forbidden},
		// Names of methods that a server might fold or trim.
		{tools, about("TOOLS/CALL"), "bad_message", "bad_message"},
		{tools, about("Tools/Call"), "bad_message", "bad_message"},
		{tools, about(" tools/call"), "bad_message", "bad_message"},
		{tools, about("/tools/call/"), "bad_message", "bad_message"},
		{tools, about("tool\u017f/call"), "bad_message", "bad_message"},
		{tools, about("tools/call\u00a0"), "bad_message", "bad_message"},
		// What is not seen, or becomes ASCII when it is normalized.
		{tools, about("\ufefftools/call"), "bad_message", "bad_message"},
		{tools, about("tools\u200b/call"), "bad_message", "bad_message"},
		{tools, about("tools/c\u00adall"), "bad_message", "bad_message"},
		{tools, about("tools/call\u2060"), "bad_message", "bad_message"},
		{tools, about("tools/call\ufe0f"), "bad_message", "bad_message"},
		{tools, about("\u202etools/call"), "bad_message", "bad_message"},
		{tools, about("tools/call\u0301"), "bad_message", "bad_message"},
		{tools, about("tools\u3164/call"), "bad_message", "bad_message"},
		{tools, about("tools /call"), "bad_message", "bad_message"},
		{tools, about("tools//call"), "bad_message", "bad_message"},
		{tools, about(`tools\\call`), "bad_message", "bad_message"},
		{tools, about("tools\uff0fcall"), "bad_message", "bad_message"},
		{tools, about("\uff54ools/call"), "bad_message", "bad_message"},
		{tools, about("\uff34\uff2f\uff2f\uff2c\uff33/call"), "bad_message", "bad_message"},
		{tools, about("\U0001d42dools/call"), "bad_message", "bad_message"},
		{tools, about("tools/\u24d2all"), "bad_message", "bad_message"},
		{tools, about("\ufefftools/list"), "", forbidden},
		{tools, about("\uff54ools/list"), "", forbidden},
		{tools, about("\u5de5\u5177/\u8c03\u7528"), "", forbidden},
		{tools, about("tools/called"), "", forbidden},
		{tools, about("atools/call"), "", forbidden},
		{admin, about("\ufeffadmin/x"), "bad_message", forbidden},
		{admin, about("\uff41dmin/x"), "bad_message", forbidden},
		{admin, about("admin\u200d/" + strings.Repeat("\u2103", 80)), "bad_message", forbidden},
		{admin, about("acme\u2215do"), "bad_message", forbidden},
		{admin, about("adm\u0131n/x"), "bad_message", forbidden},
		{admin, about("ADM\u0130N/x"), "bad_message", forbidden},
		{admin, about("\uff41cme/do"), "bad_message", forbidden},
		{both, about("Tools/call"), "bad_message", "bad_message"},
		{both, about("Prompts/get"), "", ""},
		{admin, about("admin/x"), "insufficient_scope admin", "insufficient_scope admin"},
		{admin, about("Admin/x"), "bad_message", forbidden},
		{admin, about("ACME/do"), "bad_message", forbidden},
		{admin, about("acme/done"), "", forbidden},
		{admin, about("Tools/call"), "", forbidden},
	} {
		for action, want := range map[string]string{"Allow": c.allow, "Deny": c.deny, "": c.allow} {
			judge := policy(t, `{"defaultAction":"`+action+`",`+c.rules+`}`)
			if got := told(judge.Judge(with(""), read(t, c.body))); got != want {
				t.Errorf("%s by %s, default %q: got %q, want %q", c.body, c.rules, action, got, want)
			}
		}
	}
}

func TestClaims(t *testing.T) {
	const rules = `{"rules":[
		{"tools":["deploy"],"claims":[{"name":"team","values":["sre","ops"]},{"name":"env","values":["prod"]}],"scopes":["deploy"]},
		{"tools":["deploy"],"claims":[{"name":"root","values":["yes"]}]}]}`
	for _, c := range []struct {
		scopes string
		claims map[string]any
		want   string
	}{
		{"deploy", map[string]any{"team": "sre", "env": "prod"}, ""},
		{"deploy", map[string]any{"team": []any{"dev", "ops"}, "env": []any{"prod"}}, ""},
		{"", map[string]any{"root": "yes"}, ""},
		{"", map[string]any{"team": "sre", "env": "prod"}, "insufficient_scope deploy"},
		// Claims that do not match: no scope would help.
		{"deploy", map[string]any{"team": "sre"}, forbidden},
		{"deploy", map[string]any{"team": "sre", "env": "test"}, forbidden},
		{"deploy", map[string]any{"team": "sre ops", "env": "prod"}, forbidden},
		{"deploy", map[string]any{"team": []any{}, "env": "prod"}, forbidden},
		{"", map[string]any{"team": "SRE", "env": "prod"}, forbidden},
		{"deploy", nil, forbidden},
		// Nothing is converted.
		{"deploy", map[string]any{"team": "sre", "env": true}, forbidden},
		{"deploy", map[string]any{"team": json.Number("1"), "env": "prod"}, forbidden},
		{"deploy", map[string]any{"team": map[string]any{"sre": true}, "env": "prod"}, forbidden},
		{"deploy", map[string]any{"team": []any{[]any{"sre"}, nil, json.Number("1")}, "env": "prod"}, forbidden},
	} {
		who := caller{scopes: strings.Fields(c.scopes), claims: c.claims}
		if got := told(policy(t, rules).Judge(who, read(t, call("deploy")))); got != c.want {
			t.Errorf("%v: got %q, want %q", who, got, c.want)
		}
	}
}
