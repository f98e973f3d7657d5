package diagnosis

import (
	"math"
	"regexp"
	"strings"
	"unicode"
)

const mask = "[redacted]"

// What a container says can hold anything. These shapes are taken out, names are left: the name of a missing variable
// is the diagnosis, its value never is.
var (
	pemBlock = regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]+-----.*?(-----END [A-Z0-9 ]+-----|$)`)
	// A header or scheme with its credential.
	credential = regexp.MustCompile(`(?i)\b(bearer|basic|digest|dpop)\s+[^\s"',;]+`)
	// JSON Web Tokens, whole or cut.
	webToken = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){0,2}`)
	// user:password@ and the query of a URL.
	userInfo = regexp.MustCompile(`([a-z][a-z0-9+.-]*://)[^/\s@]+@`)
	urlQuery = regexp.MustCompile(`([a-z][a-z0-9+.-]*://[^\s?"']+)\?[^\s"']+`)
	// name=value and name: value whose name says what the value is. A value in quotes ends with the quote.
	named = regexp.MustCompile(`(?i)([a-z0-9_.-]*(?:secret|token|passw|pwd|key|auth|cookie|credential|dsn)[a-z0-9_.-]*["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;]+)`)
	// AWS access key ids.
	awsKey = regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{12,}`)
	// Long runs that could be a key; judged by entropy.
	longRun = regexp.MustCompile(`[A-Za-z0-9+/_=-]{20,}`)
)

// Redact takes credentials, and characters that could forge or hide text, out of what a container said.
func Redact(text string) string {
	text = strings.Map(visible, text)
	text = pemBlock.ReplaceAllString(text, mask)
	text = webToken.ReplaceAllString(text, mask)
	text = userInfo.ReplaceAllString(text, "${1}"+mask+"@")
	text = urlQuery.ReplaceAllString(text, "${1}?"+mask)
	text = credential.ReplaceAllString(text, "${1} "+mask)
	text = named.ReplaceAllString(text, "${1}"+mask)
	text = awsKey.ReplaceAllString(text, mask)
	return longRun.ReplaceAllStringFunc(text, func(run string) string {
		if isRandom(run) {
			return mask
		}
		return run
	})
}

// visible drops control and format characters: terminal escapes, bidirectional overrides, zero-width marks.
func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
		return -1
	}
	return r
}

// isRandom tells a key from a name: names of variables and paths are made of words in one case, and have few distinct
// characters for their length.
func isRandom(run string) bool {
	if oneCase := run == strings.ToUpper(run) || run == strings.ToLower(run); oneCase && !strings.ContainsAny(run, "0123456789+=") {
		return false
	}
	counts := map[rune]int{}
	for _, r := range run {
		counts[r]++
	}
	entropy := 0.0
	for _, n := range counts {
		p := float64(n) / float64(len(run))
		entropy -= p * math.Log2(p)
	}
	return entropy > 3.5
}
