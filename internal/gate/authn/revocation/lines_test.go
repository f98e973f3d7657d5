package revocation

import (
	"testing"
	"time"
)

// U+0085 and its like end a line for some editors, and are plain characters in a JSON string.
func TestLineSeparatorInAJSONString_TheWholeNameIsRevoked(t *testing.T) {
	for name, text := range map[string]string{
		"alone":                          "sub:\"a\u0085\\u0062\"",
		"with a comment":                 "sub:\"a\u0085\\u0062\" # left",
		"behind an entry":                "sub:carol\u2028sub:\"a\u0085\\u0062\"",
		"behind what is no entry":        "nothing\u2028sub:\"a\u0085\\u0062\"",
		"behind a string without an end": "sub:\"carol\u2029sub:\"a\u0085\\u0062\"",
		"from a time on":                 "issuedBefore:2026-01-31T00:00:00Z \"a\u0085\\u0062\"",
	} {
		t.Run(name, func(t *testing.T) {
			list, _ := Parse([]byte(text))
			if list.Cover([]string{"a\u0085b"}, "", "", time.Unix(0, 0)) == "" {
				t.Error("it is not revoked")
			}
			if list.Cover([]string{"dave"}, "", "", time.Unix(0, 0)) != "" {
				t.Error("somebody else is revoked")
			}
		})
	}
}

// As a list is that is written with U+2028 throughout.
func TestLineSeparatorBetweenEntries_EachIsRevoked(t *testing.T) {
	list, err := Parse([]byte("sub:alice\u2028jti:1\u0085# left in May\u2029sub:\"bob\"\n"))
	if err != nil || list.Len() != 3 {
		t.Errorf("%d entries, %v", list.Len(), err)
	}
	if _, err := Parse([]byte("sub:alice\u2028nonsense")); err == nil || err.Error() != "line 2: "+errNoEntry.Error() {
		t.Errorf("got %v", err)
	}
}
