package authz_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz/message"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

var (
	someMethods = []string{"tools/call", "tools/list", "tools/*", "*", "prompts/get", "initialize", "acme/do"}
	someTools   = []string{"x", "y", "x*", "read_*", "*", "delete"}
	someScopes  = []string{"a", "b", "c"}
)

// draw picks each of the list with an even chance.
func draw(random *rand.Rand, from []string) []string {
	var out []string
	for _, one := range from {
		if random.IntN(2) == 0 {
			out = append(out, one)
		}
	}
	return out
}

func drawPolicy(random *rand.Rand) gateapi.Authorization {
	a := gateapi.Authorization{DefaultAction: gateapi.ActionDeny}
	if random.IntN(2) == 0 {
		a.DefaultAction = gateapi.ActionAllow
	}
	for range random.IntN(4) {
		rule := gateapi.Rule{Scopes: draw(random, someScopes[:random.IntN(3)])}
		if random.IntN(2) == 0 {
			rule.Methods = draw(random, someMethods)
		}
		if random.IntN(2) == 0 {
			rule.Tools = draw(random, someTools)
		}
		if len(rule.Methods)+len(rule.Tools) > 0 {
			a.Rules = append(a.Rules, rule)
		}
	}
	return a
}

// mayCall says again, in other words, who may call a tool.
func mayCall(a gateapi.Authorization, who caller, tool string) bool {
	covers := func(patterns []string, name string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			return pattern == name || strings.HasSuffix(pattern, "*") && strings.HasPrefix(name, strings.TrimSuffix(pattern, "*"))
		})
	}
	named, spoken, met := false, false, false
	for _, rule := range a.Rules {
		named = named || len(rule.Tools) > 0
		methodFits, toolFits := covers(rule.Methods, "tools/call"), covers(rule.Tools, tool)
		if len(rule.Tools) > 0 && !toolFits || len(rule.Tools) == 0 && !methodFits {
			continue
		}
		spoken = true
		met = met || !slices.ContainsFunc(rule.Scopes, func(scope string) bool { return !who.HasScope(scope) })
	}
	return met || !spoken && !named && a.DefaultAction == gateapi.ActionAllow
}

// calls are the tools that a body calls to any reader who picks one member where another could be meant: the first or
// the last of a name, exact or in any case.
func calls(t *testing.T, body []byte) []string {
	t.Helper()
	var elements []json.RawMessage
	if json.Unmarshal(body, &elements) != nil {
		elements = []json.RawMessage{body}
	}
	var tools []string
	for _, element := range elements {
		for _, method := range members(element, "method") {
			if stringOf(method) != "tools/call" {
				continue
			}
			for _, params := range members(element, "params") {
				for _, name := range members(params, "name") {
					tools = append(tools, stringOf(name))
				}
			}
		}
	}
	return tools
}

func members(object []byte, name string) []json.RawMessage {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	var found []json.RawMessage
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return found
		}
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return found
		}
		if key, isText := key.(string); isText && strings.EqualFold(key, name) {
			found = append(found, value)
		}
	}
	return found
}

func stringOf(value json.RawMessage) string {
	var out string
	_ = json.Unmarshal(value, &out) // What is no string calls nothing.
	return out
}

// What a policy denies, no body that passes has a server do.
func FuzzPolicy(f *testing.F) {
	for _, body := range []string{
		call("x"), call("y"), call("read_x"), call("delete"), about("tools/list"), "[" + call("x") + "," + call("delete") + "]",
		`{"method":"ping","method":"tools/call","params":{"name":"delete"}}`, `{"METHOD":"tools/call","method":"ping","params":{"name":"x","Name":"delete"}}`,
		`{"method":"tools\/call","params":{"n\u0061me":"d\u0065lete"}}`, `{"method":"tools/call","params":{"arguments":{"name":"y"},"name":"x"}}`,
	} {
		for seed := range uint64(4) {
			f.Add(seed, []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, seed uint64, body []byte) {
		random := rand.New(rand.NewPCG(seed, 0))
		rules, who := drawPolicy(random), caller{scopes: draw(random, someScopes)}
		document, err := message.Parse(body)
		if err != nil {
			return
		}
		judge := authz.New(rules)
		denial := judge.Judge(who, document.Messages)
		for _, tool := range calls(t, body) {
			if !mayCall(rules, who, tool) && denial == nil {
				t.Fatalf("%+v let %+v call %q by %q", rules, who, tool, body)
			}
		}
		if denial != nil && len(document.Messages) == 1 && document.Messages[0].Method == "tools/call" && mayCall(rules, who, document.Messages[0].Name) {
			t.Fatalf("%+v keeps %+v from %q: %+v", rules, who, body, denial)
		}
		if denial == nil {
			return
		}
		// With the scopes of the challenge, nobody is refused for scopes again.
		_, scope, _ := strings.Cut(told(denial), " ")
		if again := judge.Judge(with(scope+" "+strings.Join(who.scopes, " ")), document.Messages); scope != "" && again != nil {
			t.Fatalf("%+v wants %q for %q, and then %q", rules, scope, body, told(again))
		}
	})
}
