package request

import (
	"net/http"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/session"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

const (
	protocolVersionHeader = "Mcp-Protocol-Version"
	// statelessProtocol has no sessions: a session header means nothing there (MCP 2026-07-28, transports).
	statelessProtocol = "2026-07-28"
)

func callerOf(p verify.Principal) session.Caller {
	return session.Caller{Provider: p.Provider(), Subject: p.Subject(), Client: p.Client()}
}

// userOf is whom limits count for: one user may have registered any number of clients (RFC 7591).
func userOf(p verify.Principal) session.Caller {
	return session.Caller{Provider: p.Provider(), Subject: p.Subject()}
}

// binding is what seals and opens the caller's sessions.
type binding struct {
	keyring *session.Keyring
	server  string
	caller  session.Caller
}

// openSession prepares the request's session header for the server, and remembers how to seal what the answer brings. An id
// that was not sealed for this caller never reaches the server, whoever made it up: to let it pass as "no session"
// would hide from a client that it has none. Where the server keeps no sessions there is nothing to hide.
func (x *exchange) openSession() *deny.Denial {
	if !x.snapshot.Config.BindsSessions() {
		return nil
	}
	keyring := x.handler.Secrets.Current().Sessions
	if keyring == nil {
		return deny.SecretUnavailable()
	}
	x.caller.binding = &binding{keyring: keyring, server: x.snapshot.Config.Server.UID, caller: callerOf(x.caller.principal)}
	header := x.request.Header
	removeTwins(header, session.Header)
	if header.Get(protocolVersionHeader) == statelessProtocol {
		header.Del(session.Header)
		return nil
	}
	sealed, present := header[session.Header]
	if !present {
		return nil
	}
	id, ok := x.caller.binding.keyring.Open(x.caller.binding.server, x.caller.binding.caller, sealed[0])
	if !ok && x.snapshot.Config.SessionBinding == gateapi.SessionBindingStateless && !session.IsSealed(sealed[0]) {
		header.Del(session.Header)
		return nil
	}
	if !ok {
		return deny.UnknownSession().WithDetail("%s", sessionDetail(sealed[0]))
	}
	header[session.Header] = []string{id}
	return nil
}

// sealSession lets no session id of the server out as it is. One that the server says twice is one: clients would join
// the two. Of several there is none that the gate could choose.
func (x *exchange) sealSession(answer http.Header) *deny.Denial {
	ids := answer[session.Header]
	if len(ids) > 1 {
		if ids = slices.Compact(ids); len(ids) > 1 {
			return deny.Upstream(gateapi.ReasonUpstreamSession)
		}
		answer[session.Header] = ids
	}
	if x.caller.binding == nil {
		return nil
	}
	for i, id := range ids {
		sealed, err := x.caller.binding.keyring.Seal(x.caller.binding.server, x.caller.binding.caller, id)
		if err != nil {
			return deny.Upstream(gateapi.ReasonUpstreamSession)
		}
		ids[i] = sealed
	}
	return nil
}

// removeTwins removes what a CGI or WSGI server would take for the header of this canonical name.
func removeTwins(header http.Header, name string) {
	for other := range header {
		if other != name && strings.Contains(other, "_") && strings.EqualFold(strings.ReplaceAll(other, "_", "-"), name) {
			delete(header, other)
		}
	}
}

// sessionDetail says what is wrong with a session id that could not be opened; the id itself is nobody's business.
func sessionDetail(sealed string) string {
	if session.IsSealed(sealed) {
		return "session id sealed for another caller or another server, or with a secret that is gone"
	}
	return "session id that no gate has sealed"
}
