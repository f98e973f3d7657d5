package conditions

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var row = regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\| \\S.* \\| \\S.* \\|$")

// docs/conditions.md has, under a heading for each condition, one row for each of its reasons, and no others.
func TestPageHasEveryReason(t *testing.T) {
	page, err := os.ReadFile("../../docs/conditions.md")
	if err != nil {
		t.Fatal(err)
	}
	d := declared(t)
	sections := map[string]string{}
	for _, section := range strings.Split(string(page), "\n## ")[1:] {
		heading, text, _ := strings.Cut(section, "\n")
		sections[heading] = text
		if !slices.Contains(d.Types, heading) {
			t.Errorf("%q is no condition type", heading)
		}
	}
	for _, kind := range d.Types {
		text, found := sections[kind]
		if !found {
			t.Errorf("there is no section %s", kind)
			continue
		}
		var rows []string
		for _, match := range row.FindAllStringSubmatch(text, -1) {
			rows = append(rows, match[1])
		}
		for _, reason := range d.Own(kind) {
			if !slices.Contains(rows, reason) {
				t.Errorf("section %s has no whole row for %s", kind, reason)
			}
		}
		for i, reason := range rows {
			if !slices.Contains(d.Own(kind), reason) || slices.Contains(rows[:i], reason) {
				t.Errorf("section %s has a row for %s, which is no reason of this condition, or is there twice", kind, reason)
			}
		}
	}
}
