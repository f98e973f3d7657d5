package requestcheck

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Origin refuses pages of origins that are not allowed (MCP transports, "Security Warning"). Programs send no Origin
// and pass.
func Origin(r *http.Request, config gateapi.Config) *deny.Denial {
	origin := r.Header.Get("Origin")
	if len(r.Header.Values("Origin")) == 0 || isListed(origin, config.AllowedOrigins) || isOwn(origin, r.Host) {
		return nil
	}
	return deny.WrongOrigin().WithDetail("%s", originDetail(origin, r, config.AllowedOrigins))
}

// isListed compares as browsers write an origin: scheme and host have no case (RFC 6454 section 4).
func isListed(origin string, allowed []string) bool {
	return slices.ContainsFunc(allowed, func(listed string) bool { return strings.EqualFold(listed, origin) })
}

// isOwn accepts the request's own origin: with a Host that passed isOurHost, its page is one of this server's.
func isOwn(origin, host string) bool {
	parsed, err := url.Parse(origin)
	return err == nil && (parsed.Scheme == "http" || parsed.Scheme == "https") && parsed.User == nil &&
		parsed.Path == "" && parsed.RawQuery == "" && parsed.Fragment == "" && strings.EqualFold(parsed.Host, host)
}
