package mutation

import "testing"

// Every row is whole, and what it replaces is in the gate's source: who changes the one changes the other.
func TestRowsFitTheSource(t *testing.T) {
	names := map[string]bool{}
	for _, m := range allMutants() {
		if names[m.name] || m.name == "" || m.does == "" || m.named == "" || len(m.edits) == 0 {
			t.Errorf("mutant %q: a row has a name of its own, words, a case and edits", m.name)
		}
		names[m.name] = true
	}
	if _, err := writeOverlay(t.TempDir()); err != nil {
		t.Error(err)
	}
}
