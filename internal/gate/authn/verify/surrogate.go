package verify

import (
	"bytes"
	"strconv"
	"unicode"
	"unicode/utf16"
)

// hasLoneSurrogate finds a \u escape that is half of a UTF-16 pair without its other half. Go reads it as U+FFFD, and so
// would give two subjects one name; others keep it, or fail (RFC 8259 section 8.2). What is no JSON has no answer here.
func hasLoneSurrogate(data []byte) bool {
	for {
		at := bytes.IndexByte(data, '\\')
		if at < 0 || at+1 == len(data) {
			return false
		}
		data = data[at:]
		first, isUnicode := unicodeEscape(data)
		if !isUnicode {
			data = data[2:] // also the second backslash of an escaped one
			continue
		}
		data = data[len(`\u0000`):]
		if !utf16.IsSurrogate(first) {
			continue
		}
		second, isUnicode := unicodeEscape(data)
		if !isUnicode || utf16.DecodeRune(first, second) == unicode.ReplacementChar {
			return true
		}
		data = data[len(`\u0000`):]
	}
}

// unicodeEscape reads the \uXXXX that the text begins with.
func unicodeEscape(text []byte) (rune, bool) {
	if len(text) < len(`\u0000`) || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	value, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(value), err == nil
}
