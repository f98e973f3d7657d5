// Package metadata publishes the protected resource metadata of RFC 9728: by it a client that was refused finds who
// gives out tokens.
//
// The document is public: it needs no token, holds nothing that a request said, and is the same for all. So pages of
// every origin may read it ("*"): a client in a browser has to, before it has anything that an origin could be allowed
// for, and no credentials come with it that could be abused. Package metadata must not know tokens or who asks.
package metadata

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/redact"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

const (
	allow = "GET, HEAD, OPTIONS"
	// maxAge is short: whoever fetched the document sees a change of it within a minute.
	maxAge = "max-age=60"
)

// offline is the scope by which a client asks for a refresh token. It is between client and authorization server, so
// a resource must not advertise it (MCP authorization, "Refresh Tokens").
const offline = "offline_access"

// Document is the metadata of one configuration, ready to be sent. The nil Document is that of a server without any.
type Document struct {
	paths []string
	body  []byte
}

// fields are those of RFC 9728 section 2 that there is something to say for.
type fields struct {
	Resource             string   `json:"resource"`
	AuthorizationServers []string `json:"authorization_servers"`
	BearerMethods        []string `json:"bearer_methods_supported"`
	Scopes               []string `json:"scopes_supported,omitempty"`
}

// New makes the Document of a configuration; nil if it has no ResourceMetadata. An authorization server is never made
// up: a client would begin a login that cannot end.
func New(config gateapi.Config) *Document {
	m := config.ResourceMetadata
	if m == nil {
		return nil
	}
	scopes := slices.DeleteFunc(slices.Clone(m.ScopesSupported), func(scope string) bool { return scope == offline })
	body, err := json.Marshal(fields{
		Resource: m.Resource, AuthorizationServers: m.AuthorizationServers, BearerMethods: []string{"header"}, Scopes: scopes,
	})
	if err != nil { // Cannot be: all of it is strings.
		return nil
	}
	return &Document{paths: m.Paths(config.Upstream), body: append(body, '\n')}
}

// Is tells whether the path, as it stands in a request, is one of the document's.
func (d *Document) Is(path string) bool { return d != nil && slices.Contains(d.paths, path) }

// Serve answers a request for one of the document's paths, or returns the denial to answer with.
func (d *Document) Serve(w http.ResponseWriter, r *http.Request) *deny.Denial {
	header := w.Header()
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("Content-Type", "application/json")
		header.Set("Content-Length", strconv.Itoa(len(d.body)))
		header.Set("Cache-Control", maxAge)
		w.WriteHeader(http.StatusOK)
		if r.Method == http.MethodGet {
			// A client that has gone cannot be told.
			_, _ = w.Write(d.body)
		}
	case http.MethodOptions:
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("Access-Control-Allow-Methods", "GET, HEAD")
		// Clients send the revision of MCP that they speak here, too, and browsers ask before they do.
		header.Set("Access-Control-Allow-Headers", "MCP-Protocol-Version, Content-Type")
		header.Set("Allow", allow)
		w.WriteHeader(http.StatusNoContent)
	default:
		return deny.UnknownMethod(allow).WithDetail("method %s, allowed %s", redact.Method(r.Method), allow)
	}
	return nil
}
