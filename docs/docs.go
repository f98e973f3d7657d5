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
	link      = regexp.MustCompile(`\[([^]]*)\]\(([^)]*)\)`)
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

// site is where people read these pages who have but a program that quotes them.
const site = "https://github.com/mcp-gatehouse/gatehouse/blob/main/docs/"

// plain takes the marks for code out of a piece of Markdown, and writes out where its links lead.
func plain(text string) string {
	text = link.ReplaceAllStringFunc(text, func(found string) string {
		parts := link.FindStringSubmatch(found)
		address := parts[2]
		switch {
		case strings.HasPrefix(address, "#"):
			address = site + "conditions.md" + address
		case !strings.Contains(address, "://"):
			address = site + address
		}
		return parts[1] + " (" + address + ")"
	})
	return strings.ReplaceAll(text, "`", "")
}
