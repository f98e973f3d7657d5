package docs_test

import (
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/docs"
	"github.com/mcp-gatehouse/gatehouse/test/conditions"
)

func TestEveryReasonHasAdvice(t *testing.T) {
	declared, err := conditions.Read("../api/v1alpha1/conditions.go")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, condition := range declared.Types {
		for _, reason := range declared.Own(condition) {
			count++
			advice, found := docs.ForReason(condition, reason)
			if !found || advice.Meaning == "" || advice.Action == "" {
				t.Errorf("%s %s: %+v", condition, reason, advice)
			}
			if text := advice.Meaning + advice.Action; strings.ContainsAny(text, "`|") || strings.Contains(text, "](") {
				t.Errorf("%s %s: marks are left in %q", condition, reason, text)
			}
			// Advice is read by itself, without the rows around it.
			for _, beside := range []string{"Likewise", "As above", "See above", "see there"} {
				if strings.Contains(advice.Action, beside) {
					t.Errorf("%s %s: %q says nothing without the row above it", condition, reason, advice.Action)
				}
			}
		}
	}
	if count < 30 {
		t.Errorf("%d reasons were looked at", count)
	}
}

func TestNoAdvice(t *testing.T) {
	for _, c := range [][2]string{{"Ready", "NameTaken"}, {"Accepted", "Proven"}, {"", ""}} {
		if advice, found := docs.ForReason(c[0], c[1]); found {
			t.Errorf("%v: %+v", c, advice)
		}
	}
}

// Whoever is sent to a page is told where it is.
func TestLinks_AreAddresses(t *testing.T) {
	for _, c := range []struct{ condition, reason, want string }{
		{"KeysReady", "KeysRotating", "When a rotation waits (https://github.com/mcp-gatehouse/gatehouse/blob/main/docs/keys.md#when-a-rotation-waits)"},
		{"KeysReady", "ProviderKeysMissing", "(https://github.com/mcp-gatehouse/gatehouse/blob/main/docs/conditions.md#when-an-identity-provider-is-away)"},
	} {
		if advice, _ := docs.ForReason(c.condition, c.reason); !strings.Contains(advice.Action, c.want) {
			t.Errorf("%s: %q does not have %q", c.reason, advice.Action, c.want)
		}
	}
}
