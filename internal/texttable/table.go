package texttable

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// gap is what stands between two columns.
const gap = 3

// Table keeps the widths of its columns, so that rows which are written later stand under those before. The zero value
// has columns as wide as the first rows make them.
type Table struct {
	// Indent is the number of spaces before each row.
	Indent int
	widths []int
}

// Write writes rows. A column is as wide as its widest cell so far; the last cell of a row is not padded.
func (t *Table) Write(out io.Writer, rows ...[]string) error {
	for _, row := range rows {
		t.fit(row)
	}
	for _, row := range rows {
		if _, err := fmt.Fprintln(out, t.line(row)); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) fit(row []string) {
	for i, cell := range row {
		if i == len(t.widths) {
			t.widths = append(t.widths, 0)
		}
		t.widths[i] = max(t.widths[i], utf8.RuneCountInString(cell))
	}
}

func (t *Table) line(row []string) string {
	var line strings.Builder
	line.WriteString(strings.Repeat(" ", t.Indent))
	for i, cell := range row {
		line.WriteString(cell)
		if i < len(row)-1 {
			line.WriteString(strings.Repeat(" ", t.widths[i]-utf8.RuneCountInString(cell)+gap))
		}
	}
	return strings.TrimRight(line.String(), " ")
}

// Wrap breaks text between words into lines of at most width characters, each after indent spaces. A word that is longer
// has a line to itself. White space in the text counts as one space.
func Wrap(text string, width, indent int) string {
	var lines []string
	var line string
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width-indent:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	lines = append(lines, line)
	prefix := strings.Repeat(" ", indent)
	return prefix + strings.Join(lines, "\n"+prefix)
}
