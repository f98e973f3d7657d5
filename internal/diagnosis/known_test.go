package diagnosis_test

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
)

// A secret of words has no shape by which it could be told from text, so it is hidden because it is known.
func TestKnownSecretsAreHidden(t *testing.T) {
	const words = "correct horse battery staple, and then some"
	random := []byte{0xfb, 0xff, 0xfe, 0x3e, 0x3f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 250, 251, 252, 253, 254, 255}
	known := diagnosis.Knowing([]byte(words), random)
	for name, text := range map[string]string{
		"as it is":           words,
		"cut off":            words[:20],
		"from the middle":    words[13:],
		"in hidden pieces":   strings.Join(strings.Split(words, " "), "\u200b "),
		"base64":             base64.StdEncoding.EncodeToString(random),
		"base64 for URLs":    base64.RawURLEncoding.EncodeToString(random),
		"base64 of words":    base64.StdEncoding.EncodeToString([]byte(words)),
		"hexadecimal":        hex.EncodeToString(random),
		"hexadecimal, large": strings.ToUpper(hex.EncodeToString(random)),
	} {
		got := known.Hide("bad key " + text + " in file")
		if want := "bad key [redacted] in file"; strings.ReplaceAll(strings.ReplaceAll(got, "==", ""), "=", "") != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	for text, want := range map[string]string{
		words + " and " + words: "[redacted] and [redacted]",
		words:                   "[redacted]",
		"correct":               "correct",
		"":                      "",
	} {
		if got := known.Hide(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
	if got := (diagnosis.Known{}).Hide(words); got != words {
		t.Errorf("nothing is known, and %q", got)
	}
}
