// Package mistakes holds docs/mistakes.md against what the API server and the conditions say. Each section of the page is
// written by the tests of the package whose messages it shows: UPDATE_MISTAKES=1 has them write it anew.
package mistakes

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// Mistake is one that a user can make, and what they read then.
type Mistake struct {
	// Made says what somebody did, as they would say it.
	Made string
	// Condition is that which has the message, with its status and reason; empty for what the API server refuses.
	Condition string
	// Message is what the user reads.
	Message string
	// Names are what the message must name: the field, the object or the value that is to be changed.
	Names []string
}

// circles are words that send a reader somewhere else for the cause.
var circles = regexp.MustCompile(`(?i)says why|see (the condition )?(Available|AuthHealthy)\b`)

// Check holds a section of the page against the messages, and each message against its reader: it names what is to be changed,
// and does not send them in a circle.
func Check(t *testing.T, page, section string, all []Mistake) {
	t.Helper()
	var table strings.Builder
	table.WriteString("| What was done | Where it is told | The message |\n|---|---|---|\n")
	for _, m := range all {
		m.check(t)
		where := m.Condition
		if where == "" {
			where = "refused at once"
		}
		fmt.Fprintf(&table, "| %s | %s | %s |\n", m.Made, where, cell(m.Message))
	}
	begin, end := "<!-- "+section+" -->\n", "<!-- end of "+section+" -->\n"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), begin)
	shown, after, closed := strings.Cut(rest, end)
	switch {
	case !found || !closed:
		t.Fatalf("%s has no section %s", page, section)
	case shown == table.String():
	case os.Getenv("UPDATE_MISTAKES") != "":
		if err := os.WriteFile(page, []byte(before+begin+table.String()+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("section %s of %s is not what users read now (UPDATE_MISTAKES=1 writes it):\n%s", section, page, table.String())
	}
}

// check holds the message against its reader.
func (m Mistake) check(t *testing.T) {
	t.Helper()
	for _, name := range m.Names {
		if !strings.Contains(m.Message, name) {
			t.Errorf("%s: the message does not name %s: %s", m.Made, name, m.Message)
		}
	}
	if len(m.Names) == 0 || m.Message == "" {
		t.Errorf("%s: nobody says what its message must name: %q", m.Made, m.Message)
	}
	if circle := circles.FindString(m.Message); circle != "" {
		t.Errorf("%s: the message sends its reader elsewhere (%s): %s", m.Made, circle, m.Message)
	}
}

func cell(message string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;").Replace(message)
}
