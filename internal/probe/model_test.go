package probe_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// patience is the time limit of cases in which nothing hangs; hurry is for those in which something does.
const (
	patience = 10 * time.Second
	hurry    = time.Second
)

// template is the control of all tests.
func template(t *testing.T) token.Template {
	t.Helper()
	key, err := keys.Generate(keys.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	return token.Template{
		Key: key, Issuer: "urn:issuer", Audience: "urn:audience", Subject: "someone", Lifetime: time.Minute,
	}
}

// modelGate does by the shortest way what a gate promises, so that one case at a time can be spoilt.
type modelGate struct {
	template token.Template
	upstream http.Handler
	// spoilt answers in place of the gate, by case.
	spoilt map[probe.Case]http.HandlerFunc

	mu   sync.Mutex
	seen []seenRequest
}

type seenRequest struct {
	asked    probe.Case
	method   string
	rpc      string
	header   http.Header
	remote   string
	id       string
	bodyless string // the body without its id
	claims   map[string]any
}

func (g *modelGate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	asked, claims := g.caseOf(r)
	g.note(asked, claims, r, body)
	if spoilt := g.spoilt[asked]; spoilt != nil {
		spoilt(w, r)
		return
	}
	reason := map[probe.Case]string{
		probe.NoToken: "missing_token", probe.Malformed: "malformed_token", probe.Expired: "expired", probe.WrongKey: "bad_signature",
	}[asked]
	if reason == "" {
		g.upstream.ServeHTTP(w, r)
		return
	}
	refuse(reason)(w, r)
}

// caseOf tells by the token which case this is.
func (g *modelGate) caseOf(r *http.Request) (probe.Case, map[string]any) {
	bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return probe.NoToken, nil
	}
	segments := strings.Split(bearer, ".")
	if len(segments) != 3 {
		return probe.Malformed, nil
	}
	payload, _ := base64.RawURLEncoding.DecodeString(segments[1])
	signature, _ := base64.RawURLEncoding.DecodeString(segments[2])
	var claims map[string]any
	_ = json.Unmarshal(payload, &claims)
	public := g.template.Key.Public().Key.(ed25519.PublicKey)
	switch {
	case !ed25519.Verify(public, []byte(segments[0]+"."+segments[1]), signature):
		return probe.WrongKey, claims
	case claims["exp"].(float64) < float64(time.Now().Unix()):
		return probe.Expired, claims
	default:
		return probe.Valid, claims
	}
}

func (g *modelGate) note(asked probe.Case, claims map[string]any, r *http.Request, body []byte) {
	var message map[string]any
	_ = json.Unmarshal(body, &message)
	id, _ := json.Marshal(message["id"])
	rpc, _ := message["method"].(string)
	delete(message, "id")
	bodyless, _ := json.Marshal(message)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen = append(g.seen, seenRequest{
		asked: asked, method: r.Method, rpc: rpc, header: r.Header.Clone(), remote: r.RemoteAddr, id: string(id),
		bodyless: string(bodyless), claims: claims,
	})
}

// refusal is an answer as the gate gives it, with one thing or another changed.
type refusal struct {
	status                 int
	reason, header         string
	mediaType, message, id string
	challenges             []string
}

// refuse answers as the gate does, after the changes.
func refuse(reason string, changes ...func(*refusal)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		challenge := `Bearer realm="demo/server"`
		if reason != "missing_token" {
			challenge += `, error="invalid_token", error_description="no"`
		}
		a := refusal{
			status: http.StatusUnauthorized, reason: reason, header: reason, mediaType: "application/json",
			message: "Unauthorized: the access token will not do", id: rpcID(r), challenges: []string{challenge},
		}
		for _, change := range changes {
			change(&a)
		}
		w.Header().Set("Content-Type", a.mediaType)
		if a.header != "" {
			w.Header().Set("Gatehouse-Reason", a.header)
		}
		for _, challenge := range a.challenges {
			w.Header().Add("WWW-Authenticate", challenge)
		}
		w.WriteHeader(a.status)
		_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":%q,"data":{"reason":%q,"status":%d}}}`,
			a.id, -31000-a.status, a.message, a.reason, a.status)
	}
}

// rpcID is the id of the request, which the answer must repeat.
func rpcID(r *http.Request) string {
	var message struct {
		ID json.RawMessage `json:"id"`
	}
	body, _ := io.ReadAll(r.Body)
	if json.Unmarshal(body, &message) != nil || message.ID == nil {
		return "null"
	}
	return string(message.ID)
}

// text answers with a status and a body of some media type.
func text(status int, mediaType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// bytesThen takes the connection, writes the bytes, and leaves the rest to then.
func bytesThen(data string, then func(*net.TCPConn)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, data)
		then(conn.(*net.TCPConn))
	}
}

func closing(*net.TCPConn)        {}
func resetting(conn *net.TCPConn) { _ = conn.SetLinger(0) }
func hanging(conn *net.TCPConn)   { _, _ = io.Copy(io.Discard, conn) }
func dripping(conn *net.TCPConn) {
	for {
		if _, err := conn.Write([]byte("x")); err != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// gate starts a model gate before mcpfake.
func gate(t *testing.T, options mcpfake.Options, spoilt map[probe.Case]http.HandlerFunc) (*modelGate, *mcpfake.Server, string) {
	t.Helper()
	fake, err := mcpfake.New(options)
	if err != nil {
		t.Fatal(err)
	}
	model := &modelGate{template: template(t), upstream: fake, spoilt: spoilt}
	server := httptest.NewServer(model)
	t.Cleanup(server.Close)
	return model, fake, server.URL + "/mcp"
}

func run(t *testing.T, options probe.Options, target probe.Target) probe.Report {
	t.Helper()
	report, err := probe.New(options).Run(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// first is the first result of a case.
func first(t *testing.T, report probe.Report, asked probe.Case) probe.Result {
	t.Helper()
	for _, result := range report.Results {
		if result.Case == asked {
			return result
		}
	}
	t.Fatalf("%s was not asked: %+v", asked, report)
	return probe.Result{}
}

// peekMethod is the JSON-RPC method of a request, which can be read again.
func peekMethod(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var message struct {
		Method string `json:"method"`
	}
	_ = json.Unmarshal(body, &message)
	return message.Method
}
