package expect

import (
	"regexp"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
)

// traces are what programs tell of their inside when they fail: frames of a stack, and names of source files.
var traces = regexp.MustCompile(`Traceback \(most recent call last\)` +
	`|goroutine \d+ \[` +
	`|(^|\n|\\n)(\s|\\t)+at \S[^"\n]*[:(]\d+` +
	`|File \\?"[^"]+", line \d+` +
	`|(/[\w.-]+){2,}\.(py|js|mjs|ts|go|rb|java|php|rs|cs):\d+`)

// echo is the length from which a piece of a token counts as its repetition.
const echo = 16

// leaks reports whether a refusal shows more than it should: the inside of the program that refused, or a good part of
// what was sent to it.
func leaks(a wire.Answer, sent []string) bool {
	texts := []string{string(a.Body)}
	for _, values := range a.Header {
		texts = append(texts, values...)
	}
	for _, text := range texts {
		if traces.MatchString(text) {
			return true
		}
		for _, bearer := range sent {
			if repeats(text, bearer) {
				return true
			}
		}
	}
	return false
}

// repeats reports whether echo characters of the bearer, or nearly twice as many wherever they begin, stand in the text.
func repeats(text, bearer string) bool {
	for i := 0; i+echo <= len(bearer); i += echo / 2 {
		if strings.Contains(text, bearer[i:i+echo]) {
			return true
		}
	}
	return false
}
