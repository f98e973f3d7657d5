package mask

import (
	"regexp"
	"strings"
)

// port is what may stand between a colon and the path of an address.
var port = regexp.MustCompile(`^\d{1,5}$`)

// withoutUser takes user information, query and fragment out of an address. The password of a DSN may hold a slash or an at sign,
// and the path of a web address an at sign.
func withoutUser(g []string) string {
	text, scheme := g[0], g[1]
	end := len(text) - len(strings.TrimRight(text, ".,;:)]}"))
	tail := text[len(text)-end:]
	rest := text[len(scheme)+len("://") : len(text)-end]
	if i := strings.LastIndexByte(rest, '@'); i >= 0 && isUserInfo(scheme, rest[:i]) {
		rest = Placeholder + rest[i:]
	}
	if i := strings.IndexAny(rest, "?#"); i >= 0 && i+1 < len(rest) && strings.ContainsRune(rest[i:], '=') || i >= 0 && rest[i] == '?' {
		rest = rest[:i+1] + Placeholder
	}
	return scheme + "://" + rest + tail
}

// isUserInfo reports whether what stands before an at sign names a user, rather than a host and the beginning of a path.
func isUserInfo(scheme, before string) bool {
	authority, path, hasPath := strings.Cut(before, "/")
	if !hasPath {
		return true
	}
	if strings.ContainsAny(authority, "?#") {
		return false
	}
	_, password, hasColon := strings.Cut(authority, ":")
	web := strings.HasPrefix(scheme, "http") || strings.HasPrefix(scheme, "docker") || scheme == "oci"
	switch {
	case !hasColon:
		return false
	case web && port.MatchString(password):
		return false
	default:
		return path != "" || password != ""
	}
}
