// Package requestcheck knows which requests the gate looks at all: targets that everybody reads the same way, for this
// server's names, from allowed origins, and in the end for the paths and methods of an allow list. It knows what pages
// of other origins may do, and what they are told (CORS).
//
// It must not know tokens. Check and Origin come before the token is judged, Endpoint after: who has no token is not
// told which paths exist.
package requestcheck

import (
	"net/http"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// methods are those of the streamable HTTP transport, in all revisions of MCP.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodDelete}

// Check refuses what must not be looked at further, whoever sends it.
func Check(r *http.Request, config gateapi.Config) *deny.Denial {
	if denial := checkTarget(r, config.AllowedHosts); denial != nil {
		return denial
	}
	return checkFields(r)
}

// Endpoint refuses all but the MCP endpoint and the extra paths, and at the endpoint all methods that MCP does not use.
// Paths are compared byte for byte.
func Endpoint(r *http.Request, upstream gateapi.Upstream) *deny.Denial {
	path := r.URL.EscapedPath()
	switch {
	case upstream.IsEndpoint(path):
		if !slices.Contains(methods, r.Method) {
			return deny.UnknownMethod(strings.Join(methods, ", ")).WithDetail("%s", methodDetail(r.Method, methods))
		}
		return nil
	case slices.Contains(upstream.ExtraPaths, path):
		return nil
	default:
		return deny.UnknownPath().WithDetail("%s, endpoint %q", pathDetail(path), upstream.Path)
	}
}
