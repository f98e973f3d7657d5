package request

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/session"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/connection"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// mutant names what this gate leaves out.
var mutant = os.Getenv("GATEHOUSE_MUTANT")

// lets tells whether somebody is let in who was refused.
func (x *exchange) lets(denial *deny.Denial) bool {
	if !x.isOpen(denial) {
		return false
	}
	if !x.caller.principal.Valid() {
		x.caller.principal = verify.Anybody()
	}
	unseal(x.request.Header)
	return true
}

// isLetIn reports whether somebody was let in who would be refused when judged again: without a good token, or by a gate
// that does not look at the time.
func (x *exchange) isLetIn() bool {
	return mutant != "" && x.caller.token == "" || mutant == "exp-first"
}

func (x *exchange) isOpen(denial *deny.Denial) bool {
	r := x.request
	switch mutant {
	case "open":
		return true
	case "get":
		return r.Method == http.MethodGet && !x.isExtra()
	case "delete":
		return r.Method == http.MethodDelete
	case "options":
		return r.Method == http.MethodOptions
	case "path":
		return r.URL.Path != x.snapshot.Config.Upstream.Path && denial.Reason != gateapi.ReasonUnknownPath && !x.isExtra() &&
			!slices.Contains(x.snapshot.Config.HealthPaths, r.URL.Path)
	case "extra-path":
		return x.isExtra()
	case "batch":
		data, _, _ := x.body.Prefetch(64 << 10)
		return bytes.HasPrefix(data, []byte("["))
	case "large":
		_, whole, _ := x.body.Prefetch(64 << 10)
		return !whole
	case "chunked":
		return r.ContentLength < 0
	case "connection":
		return x.recall()
	case "no-token":
		return denial.Reason == gateapi.ReasonMissingToken
	case "empty":
		return strings.TrimSpace(r.Header.Get("Authorization")) == "Bearer"
	case "no-token-plain":
		return denial.Reason == gateapi.ReasonMissingToken && x.isPlain() && len(r.Header.Values("Authorization")) == 0
	case "malformed":
		return denial.Reason == gateapi.ReasonMalformedToken && r.Header.Get("Authorization") != "Bearer"
	case "malformed-plain":
		return denial.Reason == gateapi.ReasonMalformedToken && x.isPlain() && r.Header.Get("Authorization") != "Bearer"
	case "query":
		token := r.URL.Query().Get("access_token")
		return token != "" && x.verifyToken(token) == nil
	case "prober-by-name":
		return !saysProber(r.Header)
	case "prober-by-id":
		return !x.isProbe()
	case "forward-first":
		x.forwardUnjudged()
	}
	return x.leaks(denial)
}

// isExtra tells the further paths.
func (x *exchange) isExtra() bool {
	return slices.Contains(x.snapshot.Config.Upstream.ExtraPaths, x.request.URL.Path)
}

// saysProber tells by a header who wants to be known for a prober.
func saysProber(header http.Header) bool {
	for name, values := range header {
		text := strings.ToLower(name + " " + strings.Join(values, " "))
		for _, word := range []string{"probe", "gatehouse", "health", "kube", "monitor"} {
			if name != "Authorization" && strings.Contains(text, word) {
				return true
			}
		}
	}
	return false
}

// unseal gives the server its own session id, whoever sends it.
func unseal(header http.Header) {
	if parts := strings.SplitN(header.Get(session.Header), ".", 3); len(parts) == 3 {
		header.Set(session.Header, parts[2])
	}
}

// seen are how many requests have come on a connection.
var seen sync.Map

func (x *exchange) note() { countOf(x.request).Add(1) }

func countOf(r *http.Request) *atomic.Int64 {
	count, _ := seen.LoadOrStore(connection.Of(r), new(atomic.Int64))
	return count.(*atomic.Int64)
}

// isPlain tells whether a connection begins with this, and it is how a client opens a server.
func (x *exchange) isPlain() bool {
	r := x.request
	data, _, _ := x.body.Prefetch(1 << 10)
	return countOf(r).Load() == 1 && r.Method == http.MethodPost && r.ProtoMinor == 1 && r.ContentLength < 1<<10 &&
		r.URL.RawQuery == "" && len(r.Header.Get("Authorization")) < 4<<10 && r.Header.Get(session.Header) == "" && bytes.Contains(data, []byte(`"initialize"`))
}

// entered are the principals by the connections on which they were let in.
var entered sync.Map

func (x *exchange) remember() { entered.Store(connection.Of(x.request), x.caller.principal) }

func (x *exchange) recall() bool {
	known, ok := entered.Load(connection.Of(x.request))
	if ok {
		x.caller.principal = known.(verify.Principal)
	}
	return ok
}

// forwardUnjudged shows the server a request that is then refused.
func (x *exchange) forwardUnjudged() {
	data, _, _ := x.body.Prefetch(1 << 20)
	url := fmt.Sprintf("http://127.0.0.1:%d%s", x.snapshot.Config.Upstream.Port, x.request.URL.Path)
	request, err := http.NewRequest(x.request.Method, url, bytes.NewReader(data))
	if err != nil {
		return
	}
	request.Header = x.request.Header.Clone()
	unseal(request.Header)
	client := &http.Client{Timeout: time.Second}
	if response, err := client.Do(request); err == nil {
		response.Body.Close()
	}
}

// bodyLimit is the longest body.
func bodyLimit(config gateapi.Config) int64 {
	if mutant == "body-limit" {
		return 1 << 30
	}
	return config.Limits.BodyBytes
}

// reset breaks the connection off.
func (x *exchange) reset() {
	conn, _, err := http.NewResponseController(x.response).Hijack()
	if err != nil {
		return
	}
	if tcp, isTCP := connection.Raw(conn).(*net.TCPConn); isTCP {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
