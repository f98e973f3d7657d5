package diagnosis

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/redact"
)

const (
	maxLines  = 2
	maxLength = 256
)

var telling = regexp.MustCompile(`(?i)error|fatal|panic|exception|invalid|missing|required|requires|denied|refused|cannot|can't|unable|failed|in use`)

// LastWords picks at most two lines of what a container said before it ended, those that tell most, redacts them, and
// puts them into quotes: they are the server's words, not ours, and may be wrong. Nothing said gives nothing.
func LastWords(said string) string {
	var lines []string
	for line := range strings.Lines(redact.Text(said)) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	var words string
	for _, line := range mostTelling(lines) {
		if words != "" {
			words += " | "
		}
		words += line
	}
	if words == "" {
		return ""
	}
	return fmt.Sprintf("%q", redact.Cut(words, maxLength))
}

// mostTelling prefers the first lines that name a problem, as what follows them is often advice or a stack; without
// any, the last ones.
func mostTelling(lines []string) []string {
	chosen := slices.Clone(lines)
	chosen = slices.DeleteFunc(chosen, func(line string) bool { return !telling.MatchString(line) })
	if len(chosen) > 0 {
		return chosen[:min(maxLines, len(chosen))]
	}
	return lines[max(0, len(lines)-maxLines):]
}
