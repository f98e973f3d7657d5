package claimpath_test

import (
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/claimpath"
)

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var out map[string]any
	if err := decoder.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPathLeadsToAClaim(t *testing.T) {
	claims := decode(t, `{"a":1,"a.b":2,"https://x.example/roles":3,"o":{"p":4,"q.r":5,"s/t":6,"u~v":7,"":8,"o":{"p":9}},
		"/slash":10,"l":[{"p":11}],"n":null}`)
	for name, want := range map[string]string{
		"a": "1", "a.b": "2", "https://x.example/roles": "3", "/a": "1", "/o/p": "4", "/o/q.r": "5", "/o/s~1t": "6", "/o/u~0v": "7",
		"/o/o/p": "9", "/~1slash": "10", "/a.b": "2", "/https:~1~1x.example~1roles": "3",
		"b": "", "o.p": "", "/o.p": "", "/a/b": "", "/l/0/p": "", "/l/p": "", "/n/x": "", "A": "", "/o/P": "",
	} {
		path, err := claimpath.Parse(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		value, present := path.In(claims)
		if number, _ := value.(json.Number); string(number) != want || present != (want != "") {
			t.Errorf("%s: got %v, %t, want %q", name, value, present, want)
		}
	}
	for name, want := range map[string]string{
		"": "needed", "/": "empty step", "/a//b": "empty step", "/a/": "empty step", "/a~": `"~0"`, "/a~2": `"~0"`,
		"realm_access.roles": `"/realm_access/roles"`, "resource_access.app.roles": `"/resource_access/app/roles"`,
		"kubernetes.io.namespace": `"/kubernetes.io/namespace"`, "act.sub": `"/act/sub"`, "cnf.jkt": "path",
		strings.Repeat("/a", 17): "more than 16",
	} {
		if path, err := claimpath.Parse(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %q, %v, want an error with %s", name, path, err, want)
		}
	}
	if _, present := claimpath.MustParse("/a~").In(claims); present {
		t.Error("a path that is none leads somewhere")
	}
}

func TestSetMakesWhatInFinds(t *testing.T) {
	claims := decode(t, `{"a":"text","o":{"p":"4","q":"5"}}`)
	for _, step := range []struct {
		name  string
		value any
	}{{"/o/p", nil}, {"/a/b/c", "new"}, {"/x/y", nil}, {"z", "1"}, {"/o/r", []any{"s"}}} {
		claimpath.MustParse(step.name).Set(claims, step.value)
	}
	if want := decode(t, `{"a":{"b":{"c":"new"}},"o":{"q":"5","r":["s"]},"z":"1"}`); !reflect.DeepEqual(claims, want) {
		t.Errorf("got %v", claims)
	}
}

func TestHolds(t *testing.T) {
	for text, want := range map[string]bool{
		`"a"`: true, `"b"`: false, `"A"`: false, `["x","a"]`: true, `["x"]`: false, `[]`: false, `null`: false, `[null]`: false,
		`true`: true, `"true"`: true, `false`: false, `[true]`: true, `7`: true, `7.0`: true, `70e-1`: true, `"7"`: true, `[7]`: true,
		`"7.0"`: false, `8`: false, `0.7e1`: true, `7e999999999`: false, `-7`: false, `{"a":"a"}`: false, `[["a"]]`: false, `{}`: false,
		`9007199254740993`: true, `9007199254740992`: false, `""`: false,
	} {
		value := decode(t, `{"v":`+text+`}`)["v"]
		if got := claimpath.Holds(value, []string{"a", "true", "7", "9007199254740993"}); got != want {
			t.Errorf("%s: got %t", text, got)
		}
	}
}

func TestNumberHasOneSpelling(t *testing.T) {
	for text, want := range map[string]string{
		"7": "7", "7.0": "7", "7e0": "7", "70E-1": "7", "700": "700", "7e2": "700", "-0": "0", "0.0": "0", "0e9": "0", "-7.50": "-7.5",
		"0.05": "0.05", "5e-2": "0.05", "1e31": "1e31", "10e30": "1e31", "12345678901234567890": "12345678901234567890",
		"1e999999999": "1e999999999", "x": "x", "": "", "1,0": "1,0", " 7": " 7",
	} {
		if got := claimpath.Number(json.Number(text)); string(got) != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// FuzzNumber: the canonical spelling is of the same value, and canonical.
func FuzzNumber(f *testing.F) {
	for _, seed := range []string{"7", "-7.50", "1e31", "0.000", "5e-2", "123.456e7", "1e-40"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 40 || strings.Count(text, "e")+strings.Count(text, "E") > 0 && len(text) > 12 {
			return
		}
		got := claimpath.Number(json.Number(text))
		if again := claimpath.Number(got); again != got {
			t.Errorf("%s became %s, and then %s", text, got, again)
		}
		before, isNumber := new(big.Rat).SetString(text)
		if !isNumber || len(text) > 8 && strings.ContainsAny(text, "eE") {
			return
		}
		if after, _ := new(big.Rat).SetString(string(got)); json.Valid([]byte(text)) && (after == nil || after.Cmp(before) != 0) {
			t.Errorf("%s became %s", text, got)
		}
	})
}
