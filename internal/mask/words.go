package mask

import (
	"regexp"
	"strings"
	"unicode"
)

// wordsOf splits a name at everything but letters and digits, and where a capital begins a word, and gives lower case.
func wordsOf(name string) []string {
	var words []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = nil
		}
	}
	var before rune
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
			before = 0
			continue
		case unicode.IsUpper(r) && unicode.IsLower(before):
			end()
		}
		word = append(word, r)
		before = r
	}
	end()
	return words
}

// speech are words by which a program goes on about a secret, rather than show it.
var speech = regexp.MustCompile(`(?i)^["'(\[]*(?:a|an|the|is|are|was|were|be|has|have|must|should|shall|can|could|cannot|can't|may|does|do|did|will|would|` +
	`no|not|none|missing|required|requires|invalid|malformed|expired|expires|unknown|unset|undefined|unauthorized|forbidden|denied|rejected|` +
	`revoked|wrong|bad|empty|too|expected|expects|unexpected|unable|failed|failure|error|errors|field|fields|input|value|values|type|string|` +
	`for|from|in|on|of|at|by|to|with|without|and|or|as|if|it|its|this|that|set|please|provide|use|using|check|see|read|open|parse|decode|` +
	`signature|token|tokens|key|keys|secret|header|headers|claim|claims|audience|issuer|credentials|authentication|authorization|auth|` +
	`verification|validation|syntax|got|found|received|cause|caused|timeout|timed|context|connection|dial|lookup|rpc|http|https|couldn't|` +
	`secretref|name|named|file|path|variable|environment|env|default|defaults|configuration|config|unmarshal|short|long|must|crypto|x509|illegal|length)\b`)

// isProse reports whether text goes on in words, such as "must be set".
func isProse(text string) bool { return speech.MatchString(strings.TrimSpace(text)) }

// isSentence reports whether text begins with two words in lower case.
func isSentence(text string) bool {
	words := strings.Fields(text)
	if len(words) < 2 {
		return false
	}
	for _, word := range words[:2] {
		if word = strings.TrimRight(word, ".,:;"); !isPlainWord(word) || word != strings.ToLower(word) || isScheme(word) {
			return false
		}
	}
	return true
}

// isPlainWord reports whether text is one word of letters in one case, at most with a capital.
func isPlainWord(text string) bool {
	if text == "" || len(text) > 16 {
		return false
	}
	for i, r := range text {
		if !unicode.IsLetter(r) || i > 0 && unicode.IsUpper(r) && unicode.IsLower(rune(text[i-1])) {
			return false
		}
	}
	return true
}
