package requestcheck

import (
	"net/http"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

const (
	allowOrigin  = "Access-Control-Allow-Origin"
	corsPrefix   = "Access-Control-"
	exposed      = "Mcp-Session-Id, WWW-Authenticate, MCP-Protocol-Version"
	preflightAge = "600" // seconds; a change of the allowed origins is seen by then

	// maxAsked bounds the headers that one preflight may ask for.
	maxAsked = 64
)

// askable are the request headers that pages may set. To them come all that begin with mcpPrefix, which have to be
// named in an answer one by one: no wildcard stands for a part of a name, and "*" would not stand for Authorization
// (Fetch, "CORS-safelisted and non-wildcard request-header names").
var askable = []string{"Authorization", "Content-Type", "Accept", "Last-Event-Id", "Mcp-Session-Id", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"}

const mcpPrefix = "mcp-"

// IsPreflight tells a preflight request (Fetch, "CORS-preflight request") of an allowed origin. Its sender, the browser,
// never has a token. Any other OPTIONS is judged like a POST.
func IsPreflight(r *http.Request, config gateapi.Config) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" &&
		isListed(r.Header.Get("Origin"), config.AllowedOrigins)
}

// AnswerPreflight answers alike for all paths: it does not tell which exist.
func AnswerPreflight(w http.ResponseWriter, r *http.Request, config gateapi.Config) {
	allowed := methods
	if len(config.Upstream.ExtraPaths) > 0 {
		allowed = append(slices.Clone(methods), http.MethodHead, http.MethodPut, http.MethodPatch)
	}
	header := w.Header()
	// A token is not a credential in the sense of Fetch, so Access-Control-Allow-Credentials is never needed.
	header.Set(allowOrigin, r.Header.Get("Origin"))
	header.Set("Access-Control-Allow-Methods", strings.Join(allowed, ", "))
	header.Set("Access-Control-Allow-Headers", strings.Join(append(slices.Clone(askable), requestedHeaders(r.Header)...), ", "))
	header.Set("Access-Control-Max-Age", preflightAge)
	header["Vary"] = []string{"Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"}
	w.WriteHeader(http.StatusNoContent)
}

// requestedHeaders are the further MCP headers of a preflight, such as Mcp-Param-City.
func requestedHeaders(header http.Header) []string {
	var names []string
	for name := range strings.SplitSeq(strings.Join(header.Values("Access-Control-Request-Headers"), ","), ",") {
		name = strings.ToLower(strings.Trim(name, " \t"))
		if strings.HasPrefix(name, mcpPrefix) && isToken(name) && len(names) < maxAsked {
			names = append(names, name)
		}
	}
	return names
}

// isToken checks the syntax of a header's name and of a method (RFC 9110 section 5.6.2).
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
	})
}

// SetCORSHeaders lets pages of the allowed origins read an answer to r, whoever gave it: a page that cannot read a 401 does not
// know that it needs a token. header is the answer's, and has its final form but for this. Without allowed origins
// nothing is shared, and what the server says to pages is left as it is.
func SetCORSHeaders(header http.Header, r *http.Request, origins []string) {
	if len(origins) == 0 {
		return
	}
	for name := range header {
		if len(name) >= len(corsPrefix) && strings.EqualFold(name[:len(corsPrefix)], corsPrefix) {
			delete(header, name)
		}
	}
	header.Add("Vary", "Origin")
	if values := r.Header.Values("Origin"); len(values) == 1 && isListed(values[0], origins) {
		header.Set(allowOrigin, values[0])
		header.Set("Access-Control-Expose-Headers", exposed)
	}
}
