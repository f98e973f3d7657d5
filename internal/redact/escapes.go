package redact

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// unescape undoes percent-encoding and the escapes of JSON, Go and Python, once.
func unescape(v view) view {
	var text []byte
	out := view{}
	for i := 0; i < len(v.text); {
		decoded, width := escapeAt(v.text[i:])
		for _, c := range decoded {
			text = append(text, c)
			out.from, out.to = append(out.from, v.from[i]), append(out.to, v.to[i+width-1])
		}
		i += width
	}
	out.text = string(text)
	return out
}

// letters stand behind a backslash for what is at the same place of meanings.
const letters, meanings = "abfnrtv", "\a\b\f\n\r\t\v"

// escapeAt gives what stands at the beginning of text, and how many bytes it is written in.
func escapeAt(text string) (decoded []byte, width int) {
	switch {
	case len(text) >= 3 && text[0] == '%':
		if n, ok := number(text[1:3]); ok {
			return []byte{byte(n)}, 3
		}
	case len(text) >= 2 && text[0] == '\\':
		switch kind := text[1]; {
		case kind == 'x' && len(text) >= 4:
			if n, ok := number(text[2:4]); ok {
				return []byte{byte(n)}, 4
			}
		case kind == 'u' && len(text) >= 6:
			if n, ok := number(text[2:6]); ok {
				return utf8.AppendRune(nil, n), 6
			}
		case strings.IndexByte(letters, kind) >= 0:
			return []byte{meanings[strings.IndexByte(letters, kind)]}, 2
		default:
			return []byte{kind}, 2
		}
	}
	return []byte{text[0]}, 1
}

func number(digits string) (rune, bool) {
	n, err := strconv.ParseUint(digits, 16, 32)
	return rune(n), err == nil //nolint:gosec // at most four hexadecimal digits
}
