package mask_test

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/mask"
)

// encodings are the ways in which a secret gets into a text.
var encodings = map[string]func([]byte) string{
	"as it is":                 func(s []byte) string { return string(s) },
	"base64":                   base64.StdEncoding.EncodeToString,
	"base64 for URLs":          base64.RawURLEncoding.EncodeToString,
	"base64, one byte before":  func(s []byte) string { return base64.StdEncoding.EncodeToString(append([]byte("u"), s...)) },
	"base64, behind a user":    func(s []byte) string { return base64.StdEncoding.EncodeToString(append([]byte("user:"), s...)) },
	"base64, one byte after":   func(s []byte) string { return base64.RawURLEncoding.EncodeToString(append(bytes.Clone(s), '\n')) },
	"base64 in lines":          func(s []byte) string { return lines(base64.StdEncoding.EncodeToString(s), 9, "\n") },
	"base32":                   base32.StdEncoding.EncodeToString,
	"hexadecimal":              hex.EncodeToString,
	"hexadecimal, large":       func(s []byte) string { return strings.ToUpper(hex.EncodeToString(s)) },
	"hexadecimal with colons":  func(s []byte) string { return lines(hex.EncodeToString(s), 2, ":") },
	"decimal bytes":            func(s []byte) string { return fmt.Sprintf("%d", s) },
	"percent-encoded":          func(s []byte) string { return url.QueryEscape(string(s)) },
	"all percent-encoded":      func(s []byte) string { return "%" + lines(hex.EncodeToString(s), 2, "%") },
	"percent-encoded twice":    func(s []byte) string { return url.QueryEscape(url.QueryEscape(string(s))) },
	"quoted as in Go":          func(s []byte) string { return strconv.Quote(string(s)) },
	"quoted twice":             func(s []byte) string { return strconv.Quote(strconv.Quote(string(s))) },
	"escaped as in Python":     func(s []byte) string { return `b'\x` + lines(hex.EncodeToString(s), 2, `\x`) + `'` },
	"in JSON":                  func(s []byte) string { text, _ := json.Marshal(string(s)); return string(text) },
	"in capitals":              func(s []byte) string { return strings.ToUpper(string(s)) },
	"over lines":               func(s []byte) string { return lines(string(s), 5, "\n") },
	"as YAML does, over lines": func(s []byte) string { return lines(string(s), 10, "\\\n    ") },
	"in hidden pieces":         func(s []byte) string { return lines(string(s), 1, "\u200b") },
	"with control characters":  func(s []byte) string { return lines(string(s), 3, "\x00\x1b") },
}

func lines(text string, length int, between string) string {
	var parts []string
	for ; len(text) > length; text = text[length:] {
		parts = append(parts, text[:length])
	}
	return strings.Join(append(parts, text), between)
}

// survivors gives the longest pieces of the text that came through.
func survives(secret, got string) bool {
	const much = 12
	flat := func(text string) string {
		return strings.Map(func(r rune) rune {
			if r > 0x7f || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				return r
			}
			return -1
		}, text)
	}
	secret, got = flat(secret), flat(got)
	for i := 0; i+much <= len(secret); i++ {
		if strings.Contains(got, secret[i:i+much]) {
			return true
		}
	}
	return false
}

func TestKnownSecretsAreHiddenInEveryEncoding(t *testing.T) {
	for _, secret := range [][]byte{
		[]byte("correct horse battery staple, and then some"),
		[]byte("swordfish-swordfish-swordfish-32"),
		{0xfb, 0xff, 0xfe, 0x3e, 0x3f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 250, 251, 252, 253, 254, 255, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76},
	} {
		known := mask.Knowing(secret)
		for name, encode := range encodings {
			text := encode(secret)
			got := known.Hide("bad key " + text + " in file")
			if survives(text, got) || !strings.HasPrefix(got, "bad key ") || !strings.HasSuffix(got, " in file") || !strings.Contains(got, mask.Placeholder) {
				t.Errorf("%q %s: %q became %q", secret, name, text, got)
			}
		}
	}
}

func TestPartsOfKnownSecrets(t *testing.T) {
	const words = "correct horse battery staple, and then some"
	known := mask.Knowing([]byte(words), []byte("hunter2"))
	for text, want := range map[string]string{
		"bad key " + words[:20] + " in file": "bad key [redacted] in file",
		"bad key " + words[13:] + " in file": "bad key [redacted] in file",
		words + " and " + words:              "[redacted] and [redacted]",
		words:                                "[redacted]",
		"correct":                            "correct",
		"":                                   "",
		"user bob:hunter2@db":                "user bob:[redacted]@db",
		"headhunter2000":                     "headhunter2000",
	} {
		if got := known.Hide(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if got := (mask.Known{}).Hide(words); got != words {
		t.Errorf("nothing is known, and %q", got)
	}
}

func TestTokensThatWereSentAreRecognised(t *testing.T) {
	const token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
	var sent mask.Sent
	if sent.Repeats("bad token " + token) {
		t.Error("none was sent")
	}
	sent.Add(token)
	for text, want := range map[string]bool{
		token: true, "x " + token[30:] + " y": true, strings.ToUpper(token): true, url.QueryEscape(token): true,
		lines(token, 3, " "): true, "signature is wrong": false, "eyJhbGc": false, "": false,
	} {
		if got := sent.Repeats(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// No words are hidden for a random key.
func TestKnownSecretsHideNoWords(t *testing.T) {
	random := make([]byte, 64)
	for i := range random {
		random[i] = byte(i*151 + 7)
	}
	known := mask.Knowing(random, []byte("Zx9Kq2LmT7vB4nW8sY3dF6hJ0pQ1rS5u"))
	for _, text := range readableTexts {
		if got := known.Hide(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func FuzzKnownSecrets(f *testing.F) {
	f.Add([]byte("correct horse battery staple, and then some"), "before ", " after")
	f.Add([]byte("swordfish-swordfish-swordfish-32"), "a%4", "%")
	f.Add([]byte("\x00\xff\"'\\%20 \n\t0123456789abcdefghij"), `\`, `"`)
	f.Fuzz(func(t *testing.T, secret []byte, before, after string) {
		const shortest, longest = 16, 256 // A shared secret of HS256 has 32 bytes at least.
		if len(secret) < shortest || len(secret) > longest {
			return
		}
		known := mask.Knowing(secret)
		for name, encode := range encodings {
			text := encode(secret)
			got := known.Hide(before + text + after)
			if survives(mask.Clean(text), strings.ReplaceAll(got, mask.Placeholder, "\n")) && !strings.Contains(before+after, mask.Clean(text)) {
				t.Errorf("%s: %q of %q survives in %q", name, text, secret, got)
			}
		}
		if got := mask.Text(known.Hide(before + string(secret) + after)); survives(mask.Clean(string(secret)), got) {
			t.Errorf("%q survives in %q", secret, got)
		}
	})
}
