package forward

import (
	"net/http"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

var redirects = []int{
	http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect,
}

// judgeRedirect reports a message for the MCP endpoint that the server leads to another of its paths, where the gate lets
// nobody follow. The client gets the answer, and the 404 of the gate if it follows; unless it would come back to the same
// answer for ever, because the gate takes that path for the endpoint. References are led out of the pod by then.
func (x *exchange) judgeRedirect(response *http.Response) *deny.Denial {
	upstream := x.request.Upstream
	if !slices.Contains(redirects, response.StatusCode) || x.client.Method != http.MethodPost || !upstream.IsEndpoint(x.client.URL.EscapedPath()) {
		return nil
	}
	target, err := x.client.URL.Parse(response.Header.Get("Location"))
	if err != nil || target.Host != "" && !strings.EqualFold(target.Host, x.client.Host) {
		return nil
	}
	path := target.EscapedPath()
	switch {
	case path == upstream.Path || slices.Contains(upstream.ExtraPaths, path):
		return nil
	case upstream.IsEndpoint(path):
		x.redirect = path
		return deny.Upstream(gateapi.ReasonUpstreamRedirect)
	default:
		x.failed(Failure{Kind: gateapi.ReasonUpstreamRedirect, RedirectPath: path})
		return nil
	}
}
