package diagnosis

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/mask"
)

const (
	maxStatements = 2
	// maxLength bounds, in characters, what is quoted of a container's words, and of an image pull's.
	maxLength     = 320
	maxPullLength = 512
)

// LastWords picks at most two statements of what a container said before it ended, those that name the cause, redacts
// them, and puts them into quotes: they are the server's words, not ours, and may be wrong. Nothing said gives nothing.
//
// What is said may be cut at its beginning: the kubelet keeps the end of a log (80 lines or 2 KiB) or of the termination
// message (4 KiB).
func LastWords(said string) string {
	words := mostTelling(statementsOf(mask.Text(said)))
	if len(words) == 0 {
		return ""
	}
	return fmt.Sprintf("%q", mask.Cut(strings.Join(words, " | "), maxLength))
}

// mostTelling gives the best statement, and the second best if it is not far behind, in the order of the text. If none
// says that something is wrong, the last ones are as good as any.
func mostTelling(statements []statement) []string {
	const margin = 30
	scores, ranked := make([]int, len(statements)), make([]int, len(statements))
	for i := range statements {
		scores[i], ranked[i] = statements[i].score(), i
	}
	slices.SortStableFunc(ranked, func(a, b int) int { return scores[b] - scores[a] })
	var chosen []int
	for _, i := range ranked {
		if len(chosen) == maxStatements || scores[i] < telling || len(chosen) > 0 && scores[i] < scores[chosen[0]]-margin {
			break
		}
		if !slices.ContainsFunc(chosen, func(j int) bool { return sameWords(statements[i].text, statements[j].text) }) {
			chosen = append(chosen, i)
		}
	}
	if len(chosen) == 0 {
		return lastOf(statements)
	}
	slices.Sort(chosen)
	var words []string
	for _, i := range chosen {
		words = append(words, statements[i].text)
	}
	return words
}

// sameWords reports whether one of two statements says nothing that the other does not.
func sameWords(a, b string) bool { return strings.Contains(a, b) || strings.Contains(b, a) }

// lastOf gives the last statements: of the hints that name a setting, if the rest is cut off, or of all but frames.
func lastOf(statements []statement) []string {
	for _, fits := range []func(statement) bool{
		func(s statement) bool { return s.kind == hint && lack.MatchString(s.text) && named.MatchString(s.text) },
		func(s statement) bool { return s.kind != noise },
		func(statement) bool { return true },
	} {
		var words []string
		for _, s := range statements {
			if fits(s) {
				words = append(words, s.text)
			}
		}
		if len(words) > 0 {
			return words[max(0, len(words)-maxStatements):]
		}
	}
	return nil
}
