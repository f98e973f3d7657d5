package remote

import (
	"errors"
	"strings"
	"testing"
)

func TestOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"key 1: bad\nkey 2: bad":    "key 1: bad key 2: bad",
		"\x1b[31mred\x00\r\u202e":   " [31mred   ",
		"not \xff UTF-8":            "not ? UTF-8",
		strings.Repeat("é", 301):    strings.Repeat("é", 300) + "...",
		strings.Repeat("x", 300):    strings.Repeat("x", 300),
		"words, \"quoted\" and äöü": "words, \"quoted\" and äöü",
	} {
		if got := oneLine(errors.New(text)); got != want {
			t.Errorf("%q: got %q", text, got)
		}
	}
}
