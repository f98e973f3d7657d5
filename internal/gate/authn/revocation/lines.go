package revocation

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// hardEnds are what editors and systems end lines with, the longest first: a list in which one of them does not count is one
// entry, which revokes nothing. A JSON string has none of them (RFC 8259 section 7).
var hardEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n")

// softEnds end lines, too, and may be within a JSON string.
const softEnds = "\u0085\u2028\u2029"

// listLine is a line of a list, without space at its edges.
type listLine struct {
	// number counts from 1.
	number int
	text   string
	// isPart: it is within the JSON of the line before. As a line it is the second reading of that, and need not be an entry.
	isPart bool
}

func (l listLine) isEmpty() bool { return l.text == "" || strings.HasPrefix(l.text, "#") }

// linesOf has each line by every reading: one whose JSON has ends of lines in it is there as a whole, and its parts behind it.
func linesOf(text string) []listLine {
	var out []listLine
	number := 0
	for hard := range strings.SplitSeq(hardEnds.Replace(strings.TrimPrefix(text, "\ufeff")), "\n") {
		whole := 0 // where entries end whose JSON goes on over the end of a line
		for begin, more := 0, true; more; {
			end, width := softEnd(hard[begin:])
			end += begin
			number++
			if until := begin + jsonEntryEnd(hard[begin:]); until > end {
				whole = max(whole, until)
				out = append(out, listLine{number: number, text: trim(hard[begin:until])})
			}
			out = append(out, listLine{number: number, text: trim(hard[begin:end]), isPart: begin < whole})
			begin, more = end+width, width > 0
		}
	}
	return out
}

// softEnd is where the first of softEnds is, and how long; the end of the text, and 0, if there is none.
func softEnd(text string) (at, width int) {
	if at = strings.IndexAny(text, softEnds); at < 0 {
		return len(text), 0
	}
	_, width = utf8.DecodeRuneInString(text[at:])
	return at, width
}

// jsonEntryEnd is where an entry ends that names somebody by JSON; 0 if the text does not begin with one.
func jsonEntryEnd(text string) int {
	kind, value, _ := strings.Cut(text, ":")
	at := strings.IndexAny(value, `"[`)
	if at < 0 || strings.ContainsAny(kind+value[:at], softEnds) {
		return 0
	}
	if before := trim(value[:at]); before != "" && trim(kind) != "issuedBefore" {
		return 0
	}
	decoder := json.NewDecoder(strings.NewReader(value[at:]))
	var name any
	if decoder.Decode(&name) != nil {
		return 0
	}
	behind := value[at+int(decoder.InputOffset()):]
	end, _ := softEnd(behind)
	if !isBlankOrComment(behind[:end]) {
		return 0
	}
	return len(text) - len(behind) + end
}
