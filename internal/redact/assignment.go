package redact

import (
	"regexp"
	"strings"
)

// assignment is name=value or name: value, in YAML, JSON, environments, flags and sentences. A value in quotes ends with
// the quote.
var assignment = regexp.MustCompile(`([A-Za-z0-9_.-]*[A-Za-z0-9])((?:\\?["'])?\s*(?:=|:=|:|=>)\s*)("[^"\n]*"|'[^'\n]*'|\\"[^"\n]*\\"|[^\s,;"']+)([^\n,;]*)(;?)`)

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
	last, before := words[len(words)-1], ""
	if len(words) > 1 {
		before = words[len(words)-2]
	}
	switch {
	case before == "key" && last == "base": // Rails
		return certain
	case before == "session" && last == "id":
		return likely
	}
	switch last {
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

// assigned hides the value of a name that says it is a secret, unless the value is one of the words by which programs
// speak about one. The words after a password are hidden with it, for it may have some.
func assigned(g []string) string {
	name, sign, value, rest := g[1], g[2], g[3], g[4]+g[5]
	level := secrecyOf(name)
	bare := strings.Trim(value, `"'\`)
	spoken := strings.Contains(sign, ":") && !strings.Contains(sign, ":=") && !strings.ContainsAny(sign, `"'`)
	if isSpeech := isProse(bare + rest); level == plain || isNothing(bare) || bare == Mask || strings.HasPrefix(bare, Mask) || isVariable(bare) {
		// The rest may hold another assignment.
		return name + sign + again(value, rest)
	} else if isSpeech && (spoken || level < likely) {
		return name + sign + again(value, rest)
	}
	switch {
	case last(name) == "pass" && isCount(bare), level == maybe && (isName(bare) || len(bare) < 8), level == likely && spoken && isName(bare) && !isQuoted(value):
		return name + sign + again(value, rest)
	case level == certain && !isQuoted(value) && (spoken || g[5] != "" && !strings.Contains(rest, "=")): // to the end of it
		return name + sign + Mask + g[5]
	}
	return name + sign + quotedMask(value) + again("", rest)
}

func last(name string) string {
	words := wordsOf(name)
	return words[len(words)-1]
}

// isCount: tests that pass are counted.
func isCount(value string) bool { return len(value) <= 5 && strings.Trim(value, "0123456789") == "" }

func isQuoted(value string) bool { return value[0] == '"' || value[0] == '\'' || value[0] == '\\' }

// again judges what a match swallowed behind its value.
func again(value, rest string) string {
	text := value + rest
	at := assignment.FindStringIndex(text)
	if at == nil {
		return text
	}
	return text[:at[0]] + pass{assignment, assigned}.apply(text[at[0]:])
}

func quotedMask(value string) string {
	for _, quote := range []string{`\"`, `"`, `'`} {
		if strings.HasPrefix(value, quote) {
			return quote + Mask + quote
		}
	}
	return Mask
}

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
