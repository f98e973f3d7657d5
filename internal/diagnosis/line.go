package diagnosis

import (
	"regexp"
	"strings"
	"unicode"
)

// line is one line without what only decorates it.
type line struct {
	text   string
	indent int
}

// decoration stands before the words of a line: bars of exception groups, sides of boxes, and symbols.
var decoration = regexp.MustCompile(`^(\s*[|│┃║+]\s?)+`)

func linesOf(text string) []line {
	var lines []line
	for raw := range strings.Lines(text) {
		raw = strings.TrimRightFunc(raw, unicode.IsSpace)
		raw = strings.TrimRight(decoration.ReplaceAllString(raw, ""), "│┃║ ")
		words := strings.TrimLeftFunc(raw, unicode.IsSpace)
		lines = append(lines, line{
			text:   strings.TrimLeftFunc(strings.Join(strings.Fields(words), " "), isSymbol),
			indent: len(raw) - len(words),
		})
	}
	return lines
}

// isSymbol reports whether r is a picture before the words, or a space behind one.
func isSymbol(r rune) bool {
	return unicode.Is(unicode.So, r) || unicode.Is(unicode.Mn, r) || r == ' '
}

// isRule reports whether a line has neither letters nor digits, or draws with blocks.
func (l line) isRule() bool {
	return strings.IndexFunc(l.text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) < 0
}

var item = regexp.MustCompile(`^([-*•]|\d+[.)]) `)

func (l line) isItem() bool { return item.MatchString(l.text) }

// stamp is a date and time at the beginning of a log line, and what loggers put beside it.
var stamp = regexp.MustCompile(`^\[?(time=)?"?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d([.,]\d+)?(Z|\s?[+-]\d\d:?\d\d)?"?\]?\s*(\[\d+\]\s*)?([-|:]\s*)?`)

func withoutStamp(text string) string { return stamp.ReplaceAllString(text, "") }

// frames are lines of stacks and of what runtimes print around them: Python, Node.js, Java, Go.
var frames = regexp.MustCompile(`^File "[^"]*", line \d+` +
	`|^Traceback \(most recent call last\)|Exception Group Traceback|^(ERROR: +)Traceback|^The above exception was|^During handling of the above` +
	`|^at \S|^\.\.\. \d+ (more|lines matching)` +
	`|^goroutine \d+ \[|^created by |^\[signal |^exit status \d+$|\.go:\d+( \+0x[0-9a-f]+)?$|^[\w./*()-]+\.[\w.*()]+\([^)]*\)$` +
	`|^(node:|file://|/)\S*:\d+$|^throw \w+;|^Node\.js v\d|^Emitted '\w+' event` +
	`|^[{}\[\]()]+,?$|^requireStack: |^Require stack:|^syscall: |^errno: `)

// isFrame reports whether a line is of a stack, or the source code that one quotes.
func (r *reader) isFrame(here line) bool {
	if frames.MatchString(here.text) {
		return true
	}
	// Python and Node.js quote the line that failed, and mark the place in a line of its own.
	marked := r.at < len(r.lines) && isMark(r.lines[r.at])
	afterFrame := r.at >= 2 && strings.HasPrefix(r.lines[r.at-2].text, `File "`)
	return marked || afterFrame && here.indent > 0
}

// isMark reports whether a line marks a place in the line above it.
func isMark(l line) bool { return l.text != "" && strings.Trim(l.text, "^~ ") == "" }
