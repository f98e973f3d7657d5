package revocation

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode"

	"github.com/mcp-gatehouse/gatehouse/internal/claimpath"
)

// What a list of revocations names is written by people and compared with what issuers write. An entry that is spelled in
// another way than the token revokes nothing, and nobody sees it. So each is read in every way in which it can be meant,
// and revokes all of them: to revoke a name that nobody has costs nothing.

var (
	errUnseen = errors.New("it has a character that cannot be seen, so it may name nobody: write the name without it, or as a JSON string with that character as \\u")
	errJSON   = errors.New("it begins like a JSON string or array and is none: mend it, or write a name that begins so as a JSON string")
)

// readings are the names that a text may mean, each without space at its edges; at least one of them is the text itself.
//
//	alice                 alice
//	alice # left in May   alice, and the whole text
//	"alice # 2" # left    alice # 2, and the whole text
//	["1","R\u0026D"]      ["1","R&D"], and the text
//	'alice'               alice, and the text
func readings(text string) ([]string, error) {
	all, err := allReadings(text)
	// A name of nothing would be that of every token without one.
	return slices.DeleteFunc(all, func(name string) bool { return name == "" }), err
}

func allReadings(text string) ([]string, error) {
	out := []string{text}
	quoted := text[0] == '"' || text[0] == '['
	if name, written, isJSON := fromJSON(text); isJSON {
		return append(out, written, trim(name)), nil
	}
	plain := text
	if at := commentAt(text); at > 0 {
		plain = trim(text[:at])
		out = append(out, plain)
	}
	if len(plain) > 2 && plain[0] == '\'' && plain[len(plain)-1] == '\'' {
		out = append(out, trim(plain[1:len(plain)-1]))
	}
	if strings.ContainsFunc(plain, isUnseen) {
		return append(out, trim(strings.Map(seen, plain))), errUnseen
	}
	if quoted {
		return out, errJSON
	}
	return out, nil
}

// fromJSON reads a JSON string, or the JSON array of the claims that make up a name, with nothing but a comment behind;
// written is that as it is written.
func fromJSON(text string) (name, written string, isJSON bool) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return "", "", false
	}
	written, behind := text[:decoder.InputOffset()], text[decoder.InputOffset():]
	if !isBlankOrComment(behind) {
		return "", "", false
	}
	switch value := value.(type) {
	case string:
		return value, written, value != ""
	case []any:
		for i, element := range value {
			switch element := element.(type) {
			case string:
			case json.Number:
				value[i] = claimpath.Number(element)
			default:
				return "", "", false
			}
		}
		return claimpath.Compound(value), written, len(value) > 0
	default:
		return "", "", false
	}
}

// commentAt is where a comment begins: at the space in front of a "#"; negative if there is none.
func commentAt(text string) int {
	for at, c := range text {
		if isSpace(c) && strings.HasPrefix(trim(text[at:]), "#") {
			return at
		}
	}
	return -1
}

// isBlankOrComment is for what is behind a name.
func isBlankOrComment(behind string) bool { return trim(behind) == "" || commentAt(behind) == 0 }

func trim(text string) string { return strings.TrimFunc(text, isSpace) }

// isSpace takes for space what looks like it at the edge of a name, a byte order mark and marks without width included.
func isSpace(c rune) bool {
	return unicode.IsSpace(c) || c == '\ufeff' || c == '\u200b' || c == '\u2060'
}

// isUnseen reports whether a character leaves no mark of its own, or looks like the plain space that it is not.
func isUnseen(c rune) bool { return c != ' ' && !unicode.IsPrint(c) }

func seen(c rune) rune {
	switch {
	case unicode.IsSpace(c):
		return ' '
	case isUnseen(c):
		return -1
	default:
		return c
	}
}
