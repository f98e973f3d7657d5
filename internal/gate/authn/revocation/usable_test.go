package revocation

import (
	"slices"
	"strings"
	"testing"
)

func TestListWithFaults_AllThatRevokesIsUsable(t *testing.T) {
	list := strings.Join([]string{
		"# of May", "jti:1", "mallory", "sub:eve # left", "sub:ali\u200bce", `kid:"half`, "issuedBefore:yesterday",
		"issuedBefore:2026-11-20T12:00:00Z b\u200bob",
	}, "\r\n")
	usable := Usable([]byte(list))
	want := []string{
		"jti:1", "sub:eve # left", `sub:"ali\u200bce"`, `sub:"alice"`, `kid:"\"half"`,
		`issuedBefore:2026-11-20T12:00:00Z "b\u200bob"`, `issuedBefore:2026-11-20T12:00:00Z "bob"`,
	}
	if !slices.Equal(usable, want) {
		t.Errorf("got %q", usable)
	}
	whole, err := Parse([]byte(list))
	if err == nil {
		t.Fatal("nothing is at fault")
	}
	mended, err := Parse([]byte(strings.Join(usable, "\n")))
	if err != nil {
		t.Errorf("the usable ones are at fault: %v", err)
	}
	for name := range whole.subjects {
		if !mended.subjects[name] {
			t.Errorf("%q is let in again", name)
		}
	}
	for name := range whole.beforeFor {
		if !mended.beforeFor[name].Equal(whole.beforeFor[name]) {
			t.Errorf("%q is let in again", name)
		}
	}
}

func FuzzUsableRevocations(f *testing.F) {
	f.Add("sub:a\u200bb\njti:\"x\nkid:[1,\nissuedBefore:2026-11-20T12:00:00Z \u200bb")
	f.Fuzz(func(t *testing.T, list string) {
		whole, _ := Parse([]byte(list))
		mended, err := Parse([]byte(strings.Join(Usable([]byte(list)), "\n")))
		if err != nil && !strings.Contains(err.Error(), "more than") {
			t.Errorf("at fault: %v", err)
		}
		for _, pair := range [][2]map[string]bool{{whole.ids, mended.ids}, {whole.subjects, mended.subjects}, {whole.keyIDs, mended.keyIDs}} {
			for name := range pair[0] {
				if !pair[1][name] {
					t.Errorf("%q is let in again", name)
				}
			}
		}
	})
}
