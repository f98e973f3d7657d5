package diagnosis

import (
	"regexp"
	"strings"
)

// statement is what a program says in one or more lines.
type statement struct {
	text string
	kind kind
	// level is the log level that it has, in lower case; "" for none.
	level string
	// depth counts the causes named so far in one chain of them: the deepest is the root.
	depth int
}

// kind is the part that a statement plays in the text.
type kind int

const (
	_ kind = iota // any other
	// exception is the line of a stack trace that says what was thrown; cause one that says what was behind that.
	exception
	cause
	// crash is a runtime's last line: panic, fatal error.
	crash
	// hint is advice, usage and where to find help.
	hint
	// noise are frames of stacks, excerpts of source code, banners and rules.
	noise
)

// statementsOf takes text apart. Empty text gives nothing.
func statementsOf(text string) []statement {
	r := reader{lines: linesOf(text)}
	var out []statement
	depth := 0
	for r.more() {
		s := r.next()
		if s.text == "" {
			continue
		}
		if s.kind == cause {
			depth++
			s.depth = depth
		}
		out = append(out, s)
	}
	return out
}

// reader goes over lines, and knows in which section it is.
type reader struct {
	lines []line
	at    int
	// inHints: below a heading such as "Troubleshooting:", up to the next empty line. inUsage: below "usage: ...", while
	// lines are indented. inFrames: among the frames of a stack.
	inHints, inUsage, inFrames bool
}

func (r *reader) more() bool { return r.at < len(r.lines) }

func (r *reader) next() statement {
	here := r.lines[r.at]
	r.at++
	r.enter(here)
	switch {
	case here.text == "" || here.isRule():
		return statement{}
	case r.inHints, r.inUsage, isHint(here.text):
		return statement{text: here.text, kind: hint}
	case r.isFrame(here):
		r.inFrames = true
		return statement{text: here.text, kind: noise}
	}
	r.inFrames = r.inFrames && here.indent > 0
	if joined, ok := r.structured(here); ok {
		return joined
	}
	return leveled(withoutStamp(here.text))
}

var (
	hintHeading  = regexp.MustCompile(`(?i)^(troubleshooting|hints?|tips?|help|suggestions?|possible (causes|solutions)|how to fix( this)?|solutions?|system info(rmation)?|environment|next steps|examples?):?$`)
	usageHeading = regexp.MustCompile(`(?i)^usage\b.*`)
	hintLine     = regexp.MustCompile(`(?i)^(for (more|further) (help|information|details)|see (https?:|the |also )|visit |try |did you mean|copy |note:|hint:|tip:|get (one|it) at|to see a list|documentation:|docs:|` +
		`a complete log of this run|run with |check the |make sure |https?://\S+$)|^(\w+ ){1,2}(a complete log of this run|to see a list|did you mean)`)
)

// enter keeps track of the sections.
func (r *reader) enter(here line) {
	switch {
	case here.text == "":
		r.inHints, r.inUsage = false, false
	case hintHeading.MatchString(here.text):
		r.inHints = true
	case usageHeading.MatchString(here.text):
		r.inUsage = true
	case here.indent == 0:
		r.inUsage = false
	}
}

func isHint(text string) bool { return hintLine.MatchString(text) }

// structured joins what belongs together: an entry of a log in JSON, a heading and its list, the errors of a validation.
func (r *reader) structured(here line) (statement, bool) {
	for _, read := range []func(line) (statement, bool){r.jsonEntry, r.zodErrors, r.pydanticErrors, r.list} {
		if s, ok := read(here); ok {
			return s, true
		}
	}
	return statement{}, false
}

// list joins a line that ends in a colon and the items below it.
func (r *reader) list(here line) (statement, bool) {
	if !strings.HasSuffix(here.text, ":") || r.at >= len(r.lines) || !r.lines[r.at].isItem() {
		return statement{}, false
	}
	var items []string
	for ; r.more() && r.lines[r.at].isItem(); r.at++ {
		items = append(items, strings.TrimLeft(r.lines[r.at].text, "-*•> "))
	}
	return leveled(withoutStamp(here.text + " " + strings.Join(items, ", "))), true
}
