package diagnosis

import (
	"regexp"
	"strings"
)

// telling is the score from which a statement says that something is wrong.
const telling = 20

var (
	// lack are words for what is not there, or not as it must be.
	lack = regexp.MustCompile(`(?i)\b(required?|requires|missing|not set|not configured|not defined|is not provided|must be (set|provided|specified|given)|must set|unset|unbound|undefined|not found|` +
		`please (set|provide|specify)|no value|is empty|cannot be empty|none of the|expected|KeyError|not valid|invalid|unknown|unexpected|needs?)\b`)
	// named is how settings are called: variables, flags, and keys of configurations.
	named = regexp.MustCompile(`\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b|(^|\s|['"])--[a-z][a-z-]+|\b[a-z]+[_.][a-z_.]*[a-z]\b`)
	// specific are causes in the words of operating systems and runtimes.
	specific = regexp.MustCompile(`(?i)no such file|cannot find|can't (find|open)|could not find|not found|permission denied|already in use|in use:|connection refused|no such host|name or service not known|` +
		`exec format error|unbound variable|no module named|cannot import|unable to access|read-only file system|no space left|out of memory|timed? ?out|certificate|` +
		`null pointer|nil pointer|is null|deadlock|concurrent map|unexpected token|invalid syntax|not defined|missing script|connect call failed|unauthorized|access denied|authentication failed`)
	general = regexp.MustCompile(`(?i)error|fatal|panic|exception|failed|failure|cannot|can't|could not|unable|denied|refused|abort`)
	detail  = regexp.MustCompile(`(?i)^(details?|reason|cause|message|problem|root cause)\s*:`)
	// wrapper are lines that say only that something failed.
	wrapper = regexp.MustCompile(`(?i)sub-exceptions?\)|failed to boot|exited with code|shutting down|startup (error|failed)|unhandled (errors|rejection|exception) |error type:|^error:?$|exiting\.?$|retries left|` +
		`falling back|going on without|continuing without|will retry|is disabled|did not complete|stack trace`)
)

// levels are what a log's own judgement is worth.
var levels = map[string]int{
	"trace": -60, "debug": -60, "info": -50, "notice": -50, "warn": -30, "warning": -30,
	"error": 35, "err": 35, "severe": 35, "critical": 50, "crit": 50, "fatal": 50, "panic": 50, "alert": 50, "emerg": 50,
}

var kinds = map[kind]int{exception: 50, cause: 52, crash: 60, hint: -100, noise: -100}

// score says how likely a statement names the cause, rather than that there is one.
func (s statement) score() int {
	if kinds[s.kind] < 0 {
		return kinds[s.kind]
	}
	score := kinds[s.kind] + levels[s.level] + 2*s.depth
	for pattern, worth := range map[*regexp.Regexp]int{general: 10, lack: 25, specific: 30, detail: 20, wrapper: -40} {
		if pattern.MatchString(s.text) {
			score += worth
		}
	}
	if lack.MatchString(s.text) && named.MatchString(s.text) {
		score += 20
	}
	if isBanner(s.text) {
		score -= 40
	}
	return score
}

// isBanner reports whether text is a headline: words in capitals, and no name of a variable.
func isBanner(text string) bool {
	return text == strings.ToUpper(text) && !strings.ContainsAny(text, "_:0123456789")
}
