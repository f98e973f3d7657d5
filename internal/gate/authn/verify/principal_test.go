package verify_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

func TestScopes(t *testing.T) {
	b := newFixture(t)
	for name, c := range map[string]struct {
		scope, scp any
		missing    []string
	}{
		"none":                      {nil, nil, []string{"read", "write"}},
		"a string":                  {"read write", nil, nil},
		"several spaces":            {"  read   write ", nil, nil},
		"one of two":                {"write", nil, []string{"read"}},
		"scp a string":              {nil, "read write", nil},
		"scp an array":              {nil, []string{"read", "write"}, nil},
		"both":                      {"read", []string{"write"}, nil},
		"scope an array":            {[]string{"read", "write"}, nil, nil},
		"scope an empty array":      {[]string{}, nil, []string{"read", "write"}},
		"arrays in both":            {[]string{"read"}, []string{"write"}, nil},
		"scope an array of one":     {[]string{"write"}, nil, []string{"read"}},
		"other white space":         {"read\twrite", nil, []string{"read", "write"}},
		"a space that is none":      {"read\u00a0write", nil, []string{"read", "write"}},
		"an element with two in it": {nil, []string{"read write"}, []string{"read", "write"}},
		"other case":                {"READ WRITE", nil, []string{"read", "write"}},
		"longer names":              {"reader writes", nil, []string{"read", "write"}},
	} {
		principal, denial := b.verify(b.sign(b.ed, b.header(), with(with(b.claims(), "scope", c.scope), "scp", c.scp)))
		if denial != nil {
			t.Errorf("%s: refused: %s", name, denial.Reason)
			continue
		}
		if got := principal.MissingScopes([]string{"read", "write"}); !slices.Equal(got, c.missing) || principal.HasScope("read") == slices.Contains(c.missing, "read") {
			t.Errorf("%s: missing %q, want %q", name, got, c.missing)
		}
	}
}

// What could be read in several ways is no scope of anybody's, and says so.
func TestMalformedScopes(t *testing.T) {
	b := newFixture(t)
	for name, c := range map[string]struct {
		claim string
		value any
		want  string
	}{
		"a mixed array":       {"scope", []any{"read", 7}, "scope: a list of 2, not a string or a list of strings"},
		"a mixed scp":         {"scp", []any{"write", nil}, "scp: a list of 2, not"},
		"an array in another": {"scope", []any{[]string{"read"}}, "scope: a list of 1, not"},
		"a number":            {"scope", 7, "scope: a number, not"},
		"a boolean":           {"scp", true, "scp: a boolean, not"},
		"an object":           {"scp", fields{"read": true}, "scp: an object, not"},
	} {
		_, denial := b.verify(b.sign(b.ed, b.header(), with(b.claims(), c.claim, c.value)))
		if denial == nil || denial.Reason != gateapi.ReasonMalformedToken || !strings.HasPrefix(denial.Detail, c.want) {
			t.Errorf("%s: got %+v", name, denial)
		}
	}
}

func TestClients(t *testing.T) {
	b := newFixture(t)
	for _, c := range []struct {
		clientID, azp any
		want          string
	}{{"a", "b", "a"}, {nil, "b", "b"}, {"", "b", "b"}, {7, "b", "b"}, {nil, nil, ""}, {nil, []string{"b"}, ""}} {
		principal, denial := b.verify(b.sign(b.ed, b.header(), with(with(b.claims(), "client_id", c.clientID), "azp", c.azp)))
		if denial != nil || principal.Client() != c.want {
			t.Errorf("%v and %v: got %q, %+v", c.clientID, c.azp, principal.Client(), denial)
		}
	}
}

func TestClaimsThatTheConfigurationNames(t *testing.T) {
	b := newFixture(t)
	b.config.Upstream.ClaimHeaders = []gateapi.ClaimHeader{{Header: "X-Team", Claim: "team"}}
	b.config.Authorization.Rules = []gateapi.Rule{{Tools: []string{"*"}, Claims: []gateapi.ClaimMatch{{Name: "groups", Values: []string{"a"}}, {Name: "level", Values: []string{"1"}}}}}
	claims := with(with(with(b.claims(), "team", "blue"), "groups", []any{"a", fields{"in": []any{"b"}}}), "level", 7)
	verifier := b.verifier(testClock)
	raw := b.sign(b.ed, b.header(), claims)
	for _, when := range []string{"fresh", "known"} {
		principal, denial := verifier.Verify(raw)
		if denial != nil {
			t.Fatalf("%s: %s", when, denial.Reason)
		}
		for name, want := range map[string]any{
			"team": "blue", "level": json.Number("7"), "groups": []any{"a", fields{"in": []any{"b"}}}, "jti": nil, "absent": nil,
		} {
			if got, present := principal.Claim(name); !reflect.DeepEqual(got, want) || present != (want != nil) {
				t.Errorf("%s: %s is %v, %v", when, name, got, present)
			}
		}
		// Whoever is handed a claim cannot change it for those who come later.
		groups, _ := principal.Claim("groups")
		groups.([]any)[0] = "admin"
		groups.([]any)[1].(fields)["in"].([]any)[0] = "admin"
	}
}
