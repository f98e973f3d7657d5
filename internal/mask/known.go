package mask

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

const (
	// pieceLength is the length, in bytes, from which a part of a secret counts as the secret. Shorter parts occur in plain text.
	pieceLength = 8
	// spread is that length where something stands between the parts: spaces, line ends, quotes, escapes.
	spread = 12
	// least is the length of the shortest secret that is recognised, as a whole. Hiding shorter ones would tear words.
	least = 4
)

// Known are secrets that no text may repeat, whatever they look like. The zero value knows none. It may be copied, also
// while it is used.
type Known struct{ lazy *lazy }

// lazy builds the index when text is to be judged, because most secrets are never looked for.
type lazy struct {
	secrets [][]byte
	once    sync.Once
	index   index
}

// Knowing takes the bytes of secrets. They are recognised as they are, in Base64 of both alphabets also as a part of
// something longer, in Base32, in hexadecimal, as decimal bytes, percent-encoded, escaped, in other capitals, and spread
// over lines. A secret of fewer than 4 bytes is none.
func Knowing(secrets ...[]byte) Known { return Known{&lazy{secrets: secrets}} }

// Hide takes every part of a secret out of text, and calls Clean. It must see the text before it is cut, quoted or split.
func (k Known) Hide(text string) string {
	text = Clean(text)
	if k.lazy == nil || text == "" {
		return text
	}
	k.lazy.once.Do(func() {
		for _, secret := range k.lazy.secrets {
			k.lazy.index.learn(secret, formsOf(secret)...)
		}
	})
	found := k.lazy.index.find(text)
	var out strings.Builder
	for i := range len(text) {
		switch {
		case !found[i]:
			out.WriteByte(text[i])
		case i == 0 || !found[i-1]:
			out.WriteString(Placeholder)
		}
	}
	return out.String()
}

// Sent are tokens that were sent to a server, and that its answers must not bring into a report. Of their encodings it
// knows those that come about by quoting: Text takes care of the others. The zero value is ready for use, by one goroutine.
type Sent struct{ index index }

// Add adds a token.
func (s *Sent) Add(token string) { s.index.learn([]byte(token), token) }

// Repeats reports whether text has a part of a token, of 8 bytes or more.
func (s *Sent) Repeats(text string) bool { return slices.Contains(s.index.find(Clean(text)), true) }

// index has the parts of secrets: pieces are of their forms, folded of the forms in letters and digits only.
type index struct {
	pieces, folded map[string]bool
	short          []string
}

func (x *index) learn(secret []byte, forms ...string) {
	if x.pieces == nil {
		x.pieces, x.folded = map[string]bool{}, map[string]bool{}
	}
	if len(secret) >= least && len(secret) < pieceLength {
		x.short = append(x.short, string(secret))
	}
	for _, form := range forms {
		add(x.pieces, form, pieceLength)
		add(x.folded, fold(whole(form)).text, spread)
	}
}

func add(pieces map[string]bool, text string, length int) {
	for i := 0; i+length <= len(text); i++ {
		pieces[text[i:i+length]] = true
	}
}

// find says of every byte of text whether it is a part of a secret.
func (x *index) find(text string) []bool {
	found := make([]bool, len(text))
	mark(found, whole(text), pieceLength, x.pieces)
	const deep = 4 // texts are quoted in texts
	layer := whole(text)
	for range deep {
		mark(found, fold(layer), spread, x.folded)
		layer = unescape(layer)
	}
	for _, secret := range x.short {
		markWhole(found, text, secret)
	}
	return found
}

// formsOf gives a secret in all encodings.
func formsOf(secret []byte) []string {
	forms := []string{
		string(secret), Clean(string(secret)), hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)),
		base32.StdEncoding.EncodeToString(secret), strings.Trim(fmt.Sprintf("%d", secret), "[]"),
		strings.Trim(strconv.Quote(string(secret)), `"`), url.QueryEscape(string(secret)), fmt.Sprintf("% x", secret),
		strings.ReplaceAll(fmt.Sprintf(" % x", secret), " ", `\x`), strings.ReplaceAll(fmt.Sprintf(" % X", secret), " ", "%"),
	}
	if text, err := json.Marshal(string(secret)); err == nil {
		forms = append(forms, strings.Trim(string(text), `"`))
	}
	// Base64 encodes three bytes at a time: what a secret becomes depends on how many stand before it. The characters that
	// its neighbours have a share in are left out.
	for before := range 3 {
		padded := append(make([]byte, before), secret...)
		skip := (before*8 + 5) / 6
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := encoding.EncodeToString(padded)
			end := len(padded) * 8 / 6
			forms = append(forms, text[min(skip, end):end])
			if before == 0 {
				forms = append(forms, text)
			}
		}
	}
	return forms
}

// view is text in another writing; byte i of it comes from the bytes from[i] to to[i] of the original.
type view struct {
	text     string
	from, to []int
}

func whole(text string) view {
	v := view{text: text, from: make([]int, len(text)), to: make([]int, len(text))}
	for i := range len(text) {
		v.from[i], v.to[i] = i, i+1
	}
	return v
}

// fold keeps letters and digits in lower case, bytes beyond ASCII, and control characters, which only escapes can bring
// into a text: separators of any kind vanish, and with them the difference between the alphabets of Base64.
func fold(v view) view {
	var text []byte
	out := view{}
	for i := range len(v.text) {
		c := v.text[i]
		if c >= ' ' && c < 0x80 && !isAlphanumeric(c) || c == '\n' || c == '\r' || c == '\t' {
			continue
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		text = append(text, c)
		out.from, out.to = append(out.from, v.from[i]), append(out.to, v.to[i])
	}
	out.text = string(text)
	return out
}

func mark(found []bool, v view, length int, pieces map[string]bool) {
	for i := 0; i+length <= len(v.text); i++ {
		if !pieces[v.text[i:i+length]] {
			continue
		}
		for j := v.from[i]; j < v.to[i+length-1]; j++ {
			found[j] = true
		}
	}
}

// markWhole finds a short secret where it is no part of a word.
func markWhole(found []bool, text, secret string) {
	for at := 0; ; {
		i := strings.Index(text[at:], secret)
		if i < 0 {
			return
		}
		i += at
		end := i + len(secret)
		inWord := i > 0 && isAlphanumeric(text[i-1]) || end < len(text) && isAlphanumeric(text[end])
		if !inWord {
			for j := i; j < end; j++ {
				found[j] = true
			}
		}
		at = i + 1
	}
}
