package forward

import (
	"net/url"
	"strings"
)

// outward gives references of the server as a client can follow them. A reference without an authority stays, and so does
// one that leads out of the pod, or to where the client has come to.
type outward struct {
	inside inside
	host   string // by which the client has come
	scheme string // likewise
}

// rewrite leads what names the server by an address of the pod to where the client has come to. ok is false if something
// else in the pod is named: there is nothing that a client could be told in its place.
//
// Where relative is true, the authority is left out in front of references that stand alone, behind "=", or between <> or
// quotes: the client knows best by which scheme it has come, for something before the gate may end TLS.
func (o outward) rewrite(value string, relative bool) (rewritten string, ok bool) {
	var out strings.Builder
	lower, copied := asciiLower(value), 0
	for at := nextAuthority(lower, 0); at.end > 0; at = nextAuthority(lower, at.end) {
		authority := value[at.begin:at.end]
		if at.escaped {
			authority, _ = url.PathUnescape(authority) // What is no escape is no host either.
		}
		switch where := o.inside.find(authority); {
		case where == elsewhere || strings.EqualFold(authority, o.host):
			continue
		case where == pod || at.foreign:
			return "", false
		}
		out.WriteString(value[copied:at.start])
		out.WriteString(o.inPlace(value, at, relative))
		copied = at.end
	}
	if copied == 0 {
		return value, true
	}
	out.WriteString(value[copied:])
	return out.String(), true
}

// inPlace is what stands in place of a scheme and an authority.
func (o outward) inPlace(value string, at authorityAt, relative bool) string {
	base := o.scheme + "://" + o.host
	switch {
	case at.escaped:
		return url.QueryEscape(base)
	case !relative || at.start > 0 && strings.IndexByte(`<"'`, value[at.start-1]) < 0 && !isRefresh(value[:at.start]):
		return base
	default:
		return rootOf(value[at.end:])
	}
}

// isRefresh reports whether a text is what stands before the reference in a Refresh header: "5; url=".
func isRefresh(before string) bool {
	before = asciiLower(strings.TrimRight(before, " "))
	return strings.HasSuffix(before, "url=") && !strings.ContainsAny(before, "/?&")
}

// rootOf is what has to stand in front of what followed an authority, so that it is a path of the same host: "//x" would be
// another host.
func rootOf(rest string) string {
	slash := func(i int) bool { return i < len(rest) && isSlash(rest[i]) }
	switch {
	case slash(0) && slash(1):
		return "/."
	case slash(0):
		return ""
	default:
		return "/"
	}
}
