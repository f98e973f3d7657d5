// Package docs gives programs the pages that they quote, so that what they advise is what the documentation says.
package docs

import (
	_ "embed"
	"regexp"
	"strings"
	"sync"
)

//go:embed conditions.md
var conditionsPage string

// Advice is a row of conditions.md, in plain text.
type Advice struct {
	// Meaning says what was found.
	Meaning string
	// Action says what to do.
	Action string
}

// ForReason gives the advice for a condition's reason; false when the page has none under this condition, as for the
// reasons that Ready, Reconciling and Stalled take from others.
func ForReason(condition, reason string) (Advice, bool) {
	advice, found := conditions()[condition+" "+reason]
	return advice, found
}

var (
	reasonRow = regexp.MustCompile("^\\| `([A-Za-z]+)` \\| (.+) \\| (.+) \\|$")
	link      = regexp.MustCompile(`\[([^]]*)\]\([^)]*\)`)
)

// conditions reads the rows of the page, by condition (the heading) and reason.
var conditions = sync.OnceValue(func() map[string]Advice {
	rows := map[string]Advice{}
	var condition string
	for line := range strings.Lines(conditionsPage) {
		line = strings.TrimSpace(line)
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			condition = heading
		}
		if row := reasonRow.FindStringSubmatch(line); row != nil {
			rows[condition+" "+row[1]] = Advice{Meaning: plain(row[2]), Action: plain(row[3])}
		}
	}
	return rows
})

// plain takes the marks for code and links out of a piece of Markdown.
func plain(text string) string {
	return strings.ReplaceAll(link.ReplaceAllString(text, "$1"), "`", "")
}
