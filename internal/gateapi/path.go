package gateapi

import (
	"net/url"
	"slices"
	"strings"
)

// IsPlainPath tells whether everybody reads the path in the same way: it begins with "/", and has no dot segments, no
// empty segments, and none of the escapes and characters that some servers turn into those. path is as it stands in a
// request, escapes included.
func IsPlainPath(path string) bool {
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "\\;\x00") || strings.Contains(path, "//") {
		return false
	}
	return !hasDotSegment(path) && !hasDangerousEscape(path)
}

func hasDotSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

func hasDangerousEscape(path string) bool {
	if !strings.Contains(path, "%") {
		return false
	}
	lower := strings.ToLower(path)
	for _, escape := range []string{"%2f", "%5c", "%2e", "%3b", "%25", "%00"} {
		if strings.Contains(lower, escape) {
			return true
		}
	}
	return false
}

// canBeAsked tells whether a request can have this path at all, byte for byte.
func canBeAsked(path string) bool {
	parsed, err := url.Parse(path)
	return err == nil && IsPlainPath(path) && parsed.EscapedPath() == path && parsed.RawQuery == "" && parsed.Fragment == ""
}

// IsEndpoint tells whether a request's path, as it stands there, is the MCP endpoint: byte for byte, but for the
// TrailingSlash.
func (u Upstream) IsEndpoint(path string) bool {
	return path == u.Path || u.isSlashed(path)
}

// isSlashed reports whether a path is that of the MCP endpoint with the one slash more that TrailingSlash takes.
func (u Upstream) isSlashed(path string) bool {
	return u.TrailingSlash && len(path) == len(u.Path)+1 && path[len(u.Path)] == '/' && path[:len(u.Path)] == u.Path
}

// Forwarded gives the path that the server is asked for: the request's own, in its escaped form, but always Path itself
// for the MCP endpoint, so that no server has to redirect from one spelling to another.
func (u Upstream) Forwarded(path string) string {
	if u.isSlashed(path) {
		return u.Path
	}
	return path
}

// WellKnownPrefix begins the paths at which ResourceMetadata is served; see Paths.
const WellKnownPrefix = "/.well-known/oauth-protected-resource"

// URL is where the metadata is: on the resource's own host, never on one that a request names, and with the resource's
// path behind the well-known one (RFC 9728 section 3.1). Clients throw metadata away that they found elsewhere
// (section 3.3).
func (m ResourceMetadata) URL() string {
	resource, err := url.Parse(m.Resource)
	if err != nil { // ParseConfig refuses such a resource.
		return ""
	}
	return resource.Scheme + "://" + resource.Host + wellKnown(resource.EscapedPath())
}

// Paths are those at which the metadata is served: for the server as a whole, for the MCP endpoint, and for the path of
// the resource, which is another where a gateway in front of the gate rewrites paths.
func (m ResourceMetadata) Paths(upstream Upstream) []string {
	paths := []string{WellKnownPrefix, wellKnown(upstream.Path)}
	if upstream.TrailingSlash {
		paths = append(paths, wellKnown(upstream.Path)+"/")
	}
	if resource, err := url.Parse(m.Resource); err == nil {
		paths = append(paths, wellKnown(resource.EscapedPath()))
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

func wellKnown(path string) string { return WellKnownPrefix + strings.TrimSuffix(path, "/") }
