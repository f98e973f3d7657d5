package mask

import (
	"regexp"
	"strings"
)

// assignment is the left side of name=value or name: value, in YAML, JSON, environments, flags and sentences.
var assignment = regexp.MustCompile(`([A-Za-z0-9_.-]*[A-Za-z0-9])((?:\\?["'])?\s*(?:=>|:=|=|:)\s*)`)

// secrecy is how surely a name says that its value is a secret.
type secrecy int

const (
	plain secrecy = iota
	// maybe: key and signature are names of many things.
	maybe
	// likely: tokens and keys of something.
	likely
	// certain: nothing else is called a password.
	certain
)

// secrecyOf judges a name by its last word: SECRET_NAME is a name, and NAME_SECRET a secret.
func secrecyOf(name string) secrecy {
	words := wordsOf(name)
	if len(words) == 0 {
		return plain
	}
	final, before := words[len(words)-1], ""
	if len(words) > 1 {
		before = words[len(words)-2]
	}
	switch {
	case before == "key" && final == "base": // Rails
		return certain
	case before == "session" && final == "id":
		return likely
	}
	switch final {
	case "password", "passwd", "passphrase", "pwd", "pass", "secret", "credential", "credentials", "authtoken", "apikey",
		"secretkey", "accesskey", "privatekey", "sessionid":
		return certain
	case "token", "jwt", "cookie", "authorization", "dsn", "auth", "bearer", "session", "pat":
		return likely
	case "key":
		if len(words) > 1 {
			return likely
		}
		return maybe
	case "sig", "signature":
		return maybe
	}
	return plain
}

// assignments hides the values of names that say they are secrets. The text can be hostile: it is gone over once.
func assignments(text string) string {
	var out strings.Builder
	shown := 0
	for _, at := range assignment.FindAllStringSubmatchIndex(text, -1) {
		if at[0] < shown {
			continue // It is a part of a value that is hidden.
		}
		level := secrecyOf(text[at[2]:at[3]])
		if level == plain {
			continue
		}
		v := valueAt(text, at[1])
		v.name, v.sign = text[at[2]:at[3]], text[at[4]:at[5]]
		end := v.hidden(level)
		if end == 0 {
			continue
		}
		out.WriteString(text[shown:at[1]] + v.quote + Placeholder + v.quote)
		shown = at[1] + end
	}
	return out.String() + text[shown:]
}

// rightSide is the right side of an assignment: what stands in quotes, or up to a space or a separator, and what follows it in
// the same sentence.
type rightSide struct {
	name, sign        string
	quote, bare, rest string
	// closed: a semicolon ends it, as in the connection strings of ADO.
	closed bool
	length int
}

// longestValue is the length from which a value is hidden as soon as its name is that of a secret, whatever it looks like.
const longestValue = 256

func valueAt(text string, at int) rightSide {
	text = text[at:]
	v := rightSide{}
	for _, quote := range []string{`\"`, `"`, `'`} {
		inside, found := strings.CutPrefix(text, quote)
		end := strings.Index(inside, quote)
		if !found {
			continue
		}
		line, _, _ := strings.Cut(inside, "\n")
		if end < 0 || end > len(line) { // It is cut off.
			v.quote, v.bare, v.length = quote, line, len(quote)+len(line)
			return v
		}
		v.quote, v.bare, v.length = quote, inside[:end], len(quote)+end+len(quote)
		return v.followed(text[v.length:])
	}
	v.length = len(text)
	if end := strings.IndexAny(text, " \t\n\r,;\"'"); end >= 0 {
		v.length = end
	}
	v.bare = strings.Trim(text[:v.length], `\`)
	return v.followed(text[v.length:])
}

func (v rightSide) followed(after string) rightSide {
	after = after[:min(len(after), longestValue)]
	if end := strings.IndexAny(after, "\n,;"); end >= 0 {
		v.closed = after[end] == ';'
		after = after[:end]
	}
	v.rest = after
	return v
}

// hidden is how much of the value, and of what follows it, is hidden; 0 if it is one of the words by which programs speak
// about secrets. The words after a password are hidden with it, for it may have some.
func (v rightSide) hidden(level secrecy) int {
	spoken := strings.Contains(v.sign, ":") && !strings.Contains(v.sign, ":=") && !strings.ContainsAny(v.sign, `"'`)
	if v.length == 0 || len(v.bare) <= longestValue && v.isWords(level, spoken) {
		return 0
	}
	toTheEnd := spoken || v.closed && !strings.Contains(v.rest, "=")
	if level == certain && v.quote == "" && toTheEnd && len(v.bare) <= longestValue {
		return v.length + len(v.rest)
	}
	return v.length
}

// isWords reports whether the value is none, or goes on about a secret.
func (v rightSide) isWords(level secrecy, spoken bool) bool {
	if v.isNone() || (spoken || level < likely) && isProse(v.bare+v.rest) {
		return true
	}
	switch level {
	case maybe:
		const short = 8
		return isName(v.bare) || len(v.bare) < short
	case likely:
		return spoken && v.quote == "" && isName(v.bare)
	default:
		return false
	}
}

// isNone reports whether there is no value: it is empty, hidden already, the name of a variable, or a count.
func (v rightSide) isNone() bool {
	return isNothing(v.bare) || strings.HasPrefix(v.bare, Placeholder) || isVariable(v.bare) || lastWord(v.name) == "pass" && isCount(v.bare)
}

func lastWord(name string) string {
	words := wordsOf(name)
	return words[len(words)-1]
}

// isCount: tests that pass are counted.
func isCount(value string) bool { return len(value) <= 5 && strings.Trim(value, "0123456789") == "" }

// isNothing reports whether a value says that there is none, or only whether there is.
func isNothing(value string) bool {
	switch strings.ToLower(strings.Trim(value, "<>()[]{}.")) {
	case "", "null", "none", "nil", "undefined", "true", "false", "unset", "empty", "missing", "redacted", "required", "invalid", "expired", "not":
		return true
	}
	return strings.Trim(value, "*x.") == "" && value != ""
}

var variable = regexp.MustCompile(`^\$?[({]*[A-Z][A-Z0-9]*(_[A-Z0-9]+)+[)}]*\.?$`)

// isVariable reports whether a value is the name of an environment variable.
func isVariable(value string) bool {
	return variable.MatchString(value) && len(wordsOf(value)) > 1 && isName(strings.Trim(value, "$(){}."))
}
