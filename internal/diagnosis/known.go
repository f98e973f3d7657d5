package diagnosis

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// piece is the length from which a part of a secret counts as the secret. Shorter parts occur in plain text.
const piece = 8

// Known are secrets that no message may repeat, whatever they look like. The zero value knows none.
type Known struct{ pieces map[string]bool }

// Knowing takes the bytes of secrets. They are recognised as they are, in base64 of both alphabets, and in hexadecimal.
func Knowing(secrets ...[]byte) Known {
	known := Known{map[string]bool{}}
	for _, secret := range secrets {
		for _, text := range []string{
			string(secret), base64.RawStdEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret),
			hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)),
		} {
			for i := 0; i+piece <= len(text); i++ {
				known.pieces[text[i:i+piece]] = true
			}
		}
	}
	return known
}

// Hide takes every part of a secret out of what somebody said. It is to be called before the text is cut or put into quotes.
func (k Known) Hide(text string) string {
	text = strings.Map(visible, text)
	var out strings.Builder
	shown, end := 0, 0 // up to where the text is written, and up to where it is hidden
	for i := 0; i+piece <= len(text); i++ {
		if !k.pieces[text[i:i+piece]] {
			continue
		}
		if i > end || end == 0 {
			out.WriteString(text[shown:i] + mask)
		}
		end = i + piece
		shown = end
	}
	return out.String() + text[shown:]
}
