package attack

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// sectionLengths are how many lines each section of docs/standards.md has.
var sectionLengths = map[string]int{"A": 18, "T": 20, "S": 8, "J": 26, "H": 15, "L": 7, "P": 3}

var (
	row          = regexp.MustCompile(`(?m)^\| ([A-Z]\d+) \| \S.* \| (\S.*) \|$`)
	proofPattern = regexp.MustCompile("`([^`]+_test\\.go)` ((?:Test|Fuzz)\\w+(?:, (?:Test|Fuzz)\\w+)*)")
)

// page gives the last column of each row of docs/standards.md.
var page = sync.OnceValue(func() map[string]string {
	text, err := os.ReadFile("../../docs/standards.md")
	if err != nil {
		panic(err)
	}
	rows := map[string]string{}
	for _, match := range row.FindAllStringSubmatch(string(text), -1) {
		if rows[match[1]] != "" {
			panic("docs/standards.md has two rows " + match[1])
		}
		rows[match[1]] = match[2]
	}
	return rows
})

func hasRow(line string) bool { return page()[line] != "" }

// attacked are the lines for which docs/standards.md points to cases of this package.
func attacked() []string {
	var lines []string
	for line, proofs := range page() {
		// Where a number is in brackets, the cases are another line's.
		if elsewhere := regexp.MustCompile(`\([A-Z]\d+\)`); strings.Contains(proofs, "`test/attack/") && !elsewhere.MatchString(proofs) {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}

// docs/standards.md has every line, and every test that it names is there.
func TestPage(t *testing.T) {
	t.Parallel()
	for section, length := range sectionLengths {
		for n := 1; n <= length; n++ {
			if line := fmt.Sprint(section, n); !hasRow(line) {
				t.Errorf("there is no row %s", line)
			}
		}
	}
	for line, proofs := range page() {
		matches := proofPattern.FindAllStringSubmatch(proofs, -1)
		if len(matches) == 0 && !strings.HasPrefix(proofs, "not done: ") {
			t.Errorf("%s is neither proved nor given a reason: %s", line, proofs)
		}
		if named := strings.Count(proofs, "_test.go`"); named != len(matches) {
			t.Errorf("%s names %d files, and tests in %d of them: %s", line, named, len(matches), proofs)
		}
		for _, match := range matches {
			source, err := os.ReadFile("../../" + match[1])
			if err != nil {
				t.Errorf("%s: %v", line, err)
				continue
			}
			for _, name := range strings.Split(match[2], ", ") {
				if !strings.Contains(string(source), "\nfunc "+name+"(") {
					t.Errorf("%s: there is no %s in %s", line, name, match[1])
				}
			}
		}
	}
}
