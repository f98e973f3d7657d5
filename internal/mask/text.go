package mask

import (
	"regexp"
	"strings"
)

// pass takes secrets of one shape out of text.
type pass struct {
	shape   *regexp.Regexp
	replace func(groups []string) string // groups[0] is the match
}

func all([]string) string { return Placeholder }

// passes go from the unmistakable to the likely. Each sees what those before it left.
var passes = []pass{
	// PEM, whole or without its end or its beginning. Line ends may be written as \n.
	{regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]+-----.*?(-----END [A-Z0-9 ]+-----|$)`), all},
	{regexp.MustCompile(`(?:[A-Za-z0-9+/=]+(?:\s|\\n|\\r)+)*-----END [A-Z0-9 ]+-----`), all},
	// Base64 of a PEM header.
	{regexp.MustCompile(`LS0tLS1CRUdJTi[A-Za-z0-9+/_=-]*(?:\s+[A-Za-z0-9+/_=-]{40,})*`), all},
	// JSON Web Tokens, whole or cut (RFC 7519): their first part is JSON, and begins with {" in base64url.
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){0,4}`), all},
	// Keys that carry a prefix of their issuer: AWS, Google, GitHub, GitLab, Slack, Stripe, npm, PyPI and others.
	{regexp.MustCompile(`\b(?:(?:AKIA|ASIA|AIza|ya29\.|gh[pousr]_|github_pat_|glpat-|xox[a-z]-|xapp-|sk_live_|sk_test_|rk_live_|whsec_|npm_|pypi-|hf_|SG\.|dop_v1_|sk-)[A-Za-z0-9._/-]{12,})`), prefixed},
	{regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*)://[^\s"'<>]+`), withoutUser},
	// A path with a query.
	{regexp.MustCompile(`(/[^\s?"'<>]*)\?([^\s"'<>]*=[^\s"'<>]*)`), func(g []string) string { return g[1] + "?" + Placeholder }},
	// user:password@host of a DSN without a scheme.
	{regexp.MustCompile(`([\w.-]+):([^\s@:/"']+)@((?:tcp|unix)\(|[\w.-]+(?::\d+)?/|[\w.-]+:\d+\b)`), dsn},
	// Headers that are credentials, to the end of the line or of the quotes.
	{regexp.MustCompile(`(?i)(\b(?:proxy-)?authorization|\b(?:set-)?cookie|\bx-[a-z-]*(?:key|token|auth|secret))(["']?\s*[:=]\s*["']?)([^\n"'\[{]+)`), header},
	{regexp.MustCompile(`(?i)\b(bearer|basic|digest|dpop|apikey|token)(\s+)([A-Za-z0-9._~+/=-]+)`), hideInScheme},
}

// shownPasses are for values that neither = nor : announces.
var shownPasses = []pass{
	{regexp.MustCompile(`(\B--?[\w-]*(?:password|passwd|token|secret|key))(\s+)([^\s-]\S*)`), flagged},
	{regexp.MustCompile(`(\B(?:-u|--user)\s+[^\s:]+):(\S+)`), func(g []string) string { return g[1] + ":" + Placeholder }},
	// A password or an API key that a sentence shows.
	{regexp.MustCompile(`(?i)(\b(?:password|passwd|passphrase|client.?secret|api[ _-]?key|access[ _-]?key)(?:\s+(?:is|was|provided|given))?:?\s+)(["'][^"'\n]+["']|[^\s"']+)`), told},
}

// unnamed is what only its characters tell from words.
var unnamed = pass{regexp.MustCompile(`(?:sha(?:256|384|512):)?[A-Za-z0-9+/_=-]{16,}(?:\n[A-Za-z0-9+/_=-]+)*`), runs}

// Text takes out what has the shape of a secret, in text that somebody else wrote, and calls Clean. Names, paths, hosts,
// identifiers of resources and digests stay. It errs for hiding where a value is named as a secret.
func Text(text string) string { return unnamed.apply(Trusted(text)) }

// Trusted takes out only what says itself that it is a secret, and calls Clean. It is for the words of the API server and
// of the gate, which name objects and keys by identifiers that can look random.
func Trusted(text string) string {
	text = Clean(text)
	for _, p := range passes {
		text = p.apply(text)
	}
	text = assignments(text)
	for _, p := range shownPasses {
		text = p.apply(text)
	}
	return text
}

func (p pass) apply(text string) string {
	var out strings.Builder
	shown := 0
	for _, at := range p.shape.FindAllStringSubmatchIndex(text, -1) {
		groups := make([]string, len(at)/2)
		for i := range groups {
			if at[2*i] >= 0 {
				groups[i] = text[at[2*i]:at[2*i+1]]
			}
		}
		out.WriteString(text[shown:at[0]] + p.replace(groups))
		shown = at[1]
	}
	return out.String() + text[shown:]
}

// prefixed: words can begin as keys do, such as pypi-server-settings; sk- is not even rare.
func prefixed(g []string) string {
	if strings.ContainsAny(g[0], "0123456789") || hasBothCases(g[0][4:]) {
		return Placeholder
	}
	return g[0]
}

func dsn(g []string) string {
	if strings.HasPrefix(g[3], "sha256:") || strings.HasPrefix(g[3], "sha512:") {
		return g[0]
	}
	return g[1] + ":" + Placeholder + "@" + g[3]
}

// header: a header that is spoken of, rather than quoted, is followed by words.
func header(g []string) string {
	value := strings.TrimSpace(g[3])
	if value == "" || value == Placeholder || isProse(value) || isSentence(value) {
		return g[0]
	}
	if i := strings.IndexAny(g[3], " \t"); i > 0 && isScheme(g[3][:i]) {
		if isProse(strings.TrimSpace(g[3][i:])) {
			return g[0]
		}
		return g[1] + g[2] + g[3][:i] + " " + Placeholder
	}
	return g[1] + g[2] + Placeholder
}

func isScheme(word string) bool {
	switch strings.ToLower(word) {
	case "bearer", "basic", "digest", "dpop", "negotiate", "token", "apikey":
		return true
	}
	return false
}

// hideInScheme: "Basic authentication" and "digest sha256:..." are words.
func hideInScheme(g []string) string {
	if isPlainWord(strings.TrimRight(g[3], ".,=")) || strings.HasPrefix(g[3], "sha") || isName(g[3]) {
		return g[0]
	}
	return g[1] + g[2] + Placeholder
}

// flagged: what follows a flag is its value, unless the flag is spoken of or its usage is shown.
func flagged(g []string) string {
	value := strings.Trim(g[3], `"'`)
	if isProse(value) || isNothing(value) || isVariable(value) || value == Placeholder || strings.ToUpper(value) == value || strings.ContainsAny(value[:1], "<[{$|") {
		return g[0]
	}
	return g[1] + g[2] + Placeholder
}

// told: a word in quotes or with digits is the secret, and others go on with the sentence.
func told(g []string) string {
	value := strings.Trim(g[2], `"'`)
	quoted := value != g[2]
	if value == Placeholder || isVariable(value) || isNothing(value) || isProse(value) || !quoted && (len(value) < 6 || !strings.ContainsAny(value, "0123456789*")) {
		return g[0]
	}
	if quoted {
		return g[1] + g[2][:1] + Placeholder + g[2][:1]
	}
	return g[1] + Placeholder
}

func hasBothCases(text string) bool {
	return strings.ToLower(text) != text && strings.ToUpper(text) != text
}
