package mask

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
	if len(text) < 2 || text[0] != '%' && text[0] != '\\' {
		return []byte(text[:1]), 1
	}
	for _, escape := range []struct {
		begin  string
		digits int
	}{{"%", 2}, {`\x`, 2}, {`\u`, 4}} {
		rest, found := strings.CutPrefix(text, escape.begin)
		if !found || len(rest) < escape.digits {
			continue
		}
		n, err := strconv.ParseUint(rest[:escape.digits], 16, 4*escape.digits)
		switch {
		case err != nil:
		case escape.digits == 2:
			return []byte{byte(n)}, len(escape.begin) + escape.digits //nolint:gosec // 8 bits
		default:
			return utf8.AppendRune(nil, rune(n)), len(escape.begin) + escape.digits //nolint:gosec // 16 bits
		}
	}
	if text[0] == '%' {
		return []byte(text[:1]), 1
	}
	if i := strings.IndexByte(letters, text[1]); i >= 0 {
		return []byte{meanings[i]}, 2
	}
	return []byte(text[1:2]), 2
}
