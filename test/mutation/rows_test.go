package mutation

import (
	"strings"
	"testing"
)

// Every text that a mutant replaces is in the gate's source: who changes the one changes the other.
func TestEditsFitTheSource(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutants() {
		if names[m.name] || m.name == "" || m.loses == "" || m.named == "" || len(m.edits) == 0 {
			t.Errorf("mutant %q: a row has a name of its own, words, a case and edits", m.name)
		}
		names[m.name] = true
	}
	if _, err := mutate(readSource, mutants()); err != nil {
		t.Error(err)
	}
}

func TestTextsThatDoNotFit(t *testing.T) {
	read := func(string) (string, error) { return "once twice twice", nil }
	for old, want := range map[string]string{"never": "0 times", "twice": "2 times"} {
		_, err := mutate(read, []mutant{{name: "m", edits: []edit{{"gate/gate.go", old, "x"}}}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", old, err, want)
		}
	}
	shared := edit{"gate/gate.go", "once", "more than once"}
	sources, err := mutate(read, []mutant{{name: "m", edits: []edit{shared}}, {name: "n", edits: []edit{shared}}})
	if got := sources["internal/authproxy/gate/gate.go"]; err != nil || got != "more than once twice twice" {
		t.Errorf("an edit that two share: %q, %v", got, err)
	}
}
