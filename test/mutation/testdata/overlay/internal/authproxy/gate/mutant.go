package gate

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/session"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/verify"
)

// mutant names what this gate leaves out.
var mutant = os.Getenv("GATEHOUSE_MUTANT")

// lets tells whether somebody is let in who was refused.
func (v *visit) lets(denial *deny.Denial) bool {
	if !v.isOpen(denial) {
		return false
	}
	if !v.principal.Valid() {
		v.principal = verify.Anybody()
	}
	unseal(v.request.Header)
	return true
}

// isLetIn reports whether somebody was let in who would be refused when judged again: without a good token, or by a gate
// that does not look at the time.
func (v *visit) isLetIn() bool {
	return mutant != "" && v.token == "" || mutant == "exp-first"
}

func (v *visit) isOpen(denial *deny.Denial) bool {
	r := v.request
	switch mutant {
	case "open":
		return true
	case "get":
		return r.Method == http.MethodGet && !v.isExtra()
	case "delete":
		return r.Method == http.MethodDelete
	case "options":
		return r.Method == http.MethodOptions
	case "path":
		return r.URL.Path != v.snapshot.Config.Upstream.Path && denial.Reason != deny.UnknownPath && !v.isExtra()
	case "extra-path":
		return v.isExtra()
	case "batch":
		data, _, _ := v.body.Prefetch(64 << 10)
		return bytes.HasPrefix(data, []byte("["))
	case "large":
		_, whole, _ := v.body.Prefetch(64 << 10)
		return !whole
	case "chunked":
		return r.ContentLength < 0
	case "connection":
		return v.recall()
	case "no-token":
		return denial.Reason == deny.MissingToken
	case "empty":
		return strings.TrimSpace(r.Header.Get("Authorization")) == "Bearer"
	case "no-token-plain":
		return denial.Reason == deny.MissingToken && v.isPlain() && len(r.Header.Values("Authorization")) == 0
	case "malformed":
		return denial.Reason == deny.MalformedToken && r.Header.Get("Authorization") != "Bearer"
	case "malformed-plain":
		return denial.Reason == deny.MalformedToken && v.isPlain() && r.Header.Get("Authorization") != "Bearer"
	case "query":
		token := r.URL.Query().Get("access_token")
		return token != "" && v.verify(token) == nil
	case "prober-by-name":
		return !saysProber(r.Header)
	case "prober-by-id":
		return !v.isProbe()
	case "forward-first":
		v.forwardUnjudged()
	}
	return v.leaks(denial)
}

// isExtra tells the further paths.
func (v *visit) isExtra() bool {
	return slices.Contains(v.snapshot.Config.Upstream.ExtraPaths, v.request.URL.Path)
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

func (v *visit) note() { countOf(v.request).Add(1) }

func countOf(r *http.Request) *atomic.Int64 {
	count, _ := seen.LoadOrStore(r.Context().Value(connectionKey{}), new(atomic.Int64))
	return count.(*atomic.Int64)
}

// isPlain tells whether a connection begins with this, and it is how a client opens a server.
func (v *visit) isPlain() bool {
	r := v.request
	data, _, _ := v.body.Prefetch(1 << 10)
	return countOf(r).Load() == 1 && r.Method == http.MethodPost && r.ProtoMinor == 1 && r.ContentLength < 1<<10 &&
		r.URL.RawQuery == "" && len(r.Header.Get("Authorization")) < 4<<10 && r.Header.Get(session.Header) == "" && bytes.Contains(data, []byte(`"initialize"`))
}

// entered are the principals by the connections on which they were let in.
var entered sync.Map

func (v *visit) remember() { entered.Store(v.request.Context().Value(connectionKey{}), v.principal) }

func (v *visit) recall() bool {
	known, ok := entered.Load(v.request.Context().Value(connectionKey{}))
	if ok {
		v.principal = known.(verify.Principal)
	}
	return ok
}

// forwardUnjudged shows the server a request that is then refused.
func (v *visit) forwardUnjudged() {
	data, _, _ := v.body.Prefetch(1 << 20)
	url := "http://" + v.gate.upstreamAddress() + v.request.URL.Path
	request, err := http.NewRequest(v.request.Method, url, bytes.NewReader(data))
	if err != nil {
		return
	}
	request.Header = v.request.Header.Clone()
	unseal(request.Header)
	client := &http.Client{Timeout: time.Second}
	if response, err := client.Do(request); err == nil {
		response.Body.Close()
	}
}

// bodyLimit is the longest body.
func bodyLimit(config authproxy.Config) int64 {
	if mutant == "body-limit" {
		return 1 << 30
	}
	return config.Limits.BodyBytes
}

// reset breaks the connection off.
func (v *visit) reset() {
	conn, _, err := http.NewResponseController(v.answer).Hijack()
	if err != nil {
		return
	}
	if tcp, isTCP := conn.(*net.TCPConn); isTCP {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// eitherWay takes TLS and plain HTTP on one port.
type eitherWay struct {
	net.Listener
	config *tls.Config
}

// Accept looks at the first byte, which is 22 of a TLS handshake (RFC 8446 section 5.1).
func (l *eitherWay) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	reader := bufio.NewReader(conn)
	first, _ := reader.Peek(1)
	if len(first) == 1 && first[0] == 22 {
		return tls.Server(&peeked{conn, reader}, l.config), nil
	}
	return &peeked{conn, reader}, nil
}

// peeked is a connection of which the beginning was looked at.
type peeked struct {
	net.Conn
	reader *bufio.Reader
}

func (p *peeked) Read(data []byte) (int, error) { return p.reader.Read(data) }
