package runner_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	mathbits "math/bits"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
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
		Key: key, Issuer: "urn:issuer", Audience: "urn:audience", Subject: probe.Subject, Scope: "mcp", Lifetime: time.Minute,
		Claims: map[string]any{probe.PodClaim: modelPod},
	}
}

// modelGate does by the shortest way what a gate promises, so that one case at a time can be spoilt.
type modelGate struct {
	template token.Template
	retired  keys.Private
	upstream http.Handler
	// spoilt answers in place of the gate, by case.
	spoilt map[probe.Case]http.HandlerFunc
	clock  func() time.Time

	mu   sync.Mutex
	seen []seenRequest
	// owners are the subjects of sessions; letIn what was signed in tokens that passed.
	owners map[string]any
	letIn  map[string]bool
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
	target   string
	proto    string
	length   int64
}

const (
	modelLifetime = time.Hour
	modelBody     = 400 << 10
	modelRevoked  = "revoked-id"
	modelOutdated = "outdated"
	modelToken    = 2 << 10
	modelExtra    = "/extra"
	modelHealth   = "/alive"
	modelMetadata = "/.well-known/oauth-protected-resource/mcp"
	modelResource = "https://mcp.example/mcp"
	modelPod      = "pod-1"
	modelHost     = "weather.tools.svc"
)

func (g *modelGate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", g.clock().UTC().Format(http.TimeFormat))
	if r.ContentLength > modelBody && r.Header.Get("Expect") != "" {
		g.tooLarge(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	v := g.judge(r, body)
	g.note(&v, r, body)
	if spoilt := g.spoilt[v.asked]; spoilt != nil {
		spoilt(w, r)
		return
	}
	if v.refusal == nil {
		g.pass(w, r, v)
		return
	}
	v.refusal(w, r)
}

// isModels tells the names of this gate: addresses, and those by which clients call.
func isModels(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	return net.ParseIP(host) != nil || host == "localhost" || host == modelHost
}

// tooLarge refuses by the announced length, without waiting for the body.
func (g *modelGate) tooLarge(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.seen = append(g.seen, seenRequest{asked: probe.TooLarge, method: r.Method, header: r.Header.Clone(), remote: r.RemoteAddr})
	g.mu.Unlock()
	if spoilt := g.spoilt[probe.TooLarge]; spoilt != nil {
		spoilt(w, r)
		return
	}
	unread := r.Clone(r.Context()) // net/http must see that nobody wanted the body
	unread.Body = http.NoBody
	refuse("body_too_large", rights(http.StatusRequestEntityTooLarge))(w, unread)
}

// pass remembers what later cases ask after.
func (g *modelGate) pass(w http.ResponseWriter, r *http.Request, v visit) {
	g.upstream.ServeHTTP(w, r)
	g.mu.Lock()
	defer g.mu.Unlock()
	if session := w.Header().Get("Mcp-Session-Id"); session != "" {
		g.owners[session] = v.claims["sub"]
	}
}

// visit is a request and what is to become of it; without a refusal it is let in.
type visit struct {
	asked   probe.Case
	claims  map[string]any
	refusal http.HandlerFunc
}

func rights(status int) func(*refusal) {
	return func(a *refusal) {
		a.status, a.challenges, a.message = status, nil, http.StatusText(status)+": this may not be"
	}
}

func scoped(scope string) func(*refusal) {
	return func(a *refusal) {
		rights(403)(a)
		a.challenges = []string{`Bearer realm="demo/server", error="insufficient_scope", scope="` + scope + `"`}
	}
}

// judge looks at the request as a whole, then at the token, then at what is wanted.
func (g *modelGate) judge(r *http.Request, body []byte) visit {
	values := r.Header.Values("Authorization")
	switch {
	case !isModels(r.Host):
		return visit{asked: probe.WrongHost, refusal: refuse("wrong_host", rights(421))}
	case strings.Contains(r.RequestURI, "..") || strings.HasPrefix(r.RequestURI, "//") || strings.Contains(r.RequestURI, "%2F") || strings.Contains(r.RequestURI, ";"):
		return visit{asked: probe.Varied, refusal: refuse("bad_target", rights(400))}
	case r.Header.Get("Origin") != "" && r.Header.Get("Origin") != "http://"+r.Host && r.Header.Get("Origin") != "https://"+r.Host:
		return visit{asked: probe.WrongOrigin, refusal: refuse("wrong_origin", rights(403))}
	case len(values) > 1:
		return visit{asked: probe.Varied, refusal: refuse("ambiguous_header", func(a *refusal) {
			rights(400)(a)
			a.challenges = []string{`Bearer realm="demo/server", error="invalid_request"`}
		})}
	case r.URL.Path == modelMetadata:
		return visit{asked: probe.Metadata, refusal: textHandler(200, "application/json", `{"resource":"`+modelResource+`","authorization_servers":["https://as.example"]}`)}
	case r.URL.Path == modelHealth && r.Method == http.MethodGet:
		return visit{asked: probe.Health, refusal: textHandler(200, "application/json", `{"status":"ok"}`)}
	case r.URL.Path == modelHealth:
		return visit{asked: probe.Health, refusal: refuse("missing_token")}
	case len(values) == 0 && r.URL.Path == modelExtra:
		return visit{asked: probe.ExtraPath, refusal: refuse("missing_token")}
	case len(values) == 0 && r.URL.RawQuery != "":
		return visit{asked: probe.QueryToken, refusal: refuse("missing_token")}
	case len(values) == 0:
		return visit{asked: probe.NoToken, refusal: refuse("missing_token")}
	}
	scheme, bearer, _ := strings.Cut(values[0], " ")
	switch {
	case strings.HasPrefix(scheme, "Bearer\t"):
		return visit{asked: probe.Varied, refusal: refuse("malformed_token")}
	case !strings.EqualFold(scheme, "Bearer"):
		return visit{asked: probe.WrongScheme, refusal: refuse("missing_token")}
	case bearer == "":
		return visit{asked: probe.Empty, refusal: refuse("malformed_token")}
	}
	v := g.judgeToken(strings.TrimLeft(bearer, " "))
	if v.refusal == nil {
		g.judgeRights(&v, r, body)
	}
	return v
}

// judgeToken tells by the token which case this is.
func (g *modelGate) judgeToken(bearer string) visit {
	if len(bearer) > modelToken {
		return visit{asked: probe.TooLongToken, refusal: refuse("malformed_token")}
	}
	segments := strings.Split(bearer, ".")
	if len(segments) != 3 || strings.ContainsAny(bearer, ", ") {
		return visit{asked: probe.Malformed, refusal: refuse("malformed_token")}
	}
	var header, claims map[string]any
	for i, into := range []*map[string]any{&header, &claims} {
		data, _ := base64.RawURLEncoding.DecodeString(segments[i])
		_ = json.Unmarshal(data, into)
	}
	deny := func(asked probe.Case, reason string) visit {
		return visit{asked: asked, claims: claims, refusal: refuse(reason)}
	}
	now := float64(g.clock().Unix())
	exp, expires := claims["exp"].(float64)
	nbf, _ := claims["nbf"].(float64)
	iat, _ := claims["iat"].(float64)
	switch {
	case header["alg"] == "none":
		return deny(probe.AlgNone, "unsupported_algorithm")
	case header["alg"] != "EdDSA":
		return deny(probe.AlgConfused, "unsupported_algorithm")
	case claims["iss"] != g.template.Issuer:
		return deny(probe.WrongIssuer, "wrong_issuer")
	case header["typ"] != "at+jwt", claims["typ"] != nil, claims["events"] != nil:
		return deny(probe.WrongType, "wrong_type")
	case claims["sub"] == nil:
		return deny(probe.MissingIdentity, "missing_claim")
	case !expires:
		return deny(probe.MissingExpiry, "missing_claim")
	case claims["aud"] != g.template.Audience:
		return deny(probe.WrongAudience, "wrong_audience")
	case exp < now && exp > now-1800:
		return deny(probe.Replayed, "expired")
	case exp < now:
		return deny(probe.Expired, "expired")
	case nbf > now:
		return deny(probe.NotYetValid, "not_yet_valid")
	case exp-iat > modelLifetime.Seconds():
		return deny(probe.TooLongLived, "expired")
	case header["kid"] == g.retired.ID():
		return deny(probe.RetiredKey, "unknown_key")
	case header["kid"] != g.template.Key.ID():
		return deny(probe.UnknownKid, "unknown_key")
	}
	signature, _ := base64.RawURLEncoding.DecodeString(segments[2])
	signed := segments[0] + "." + segments[1]
	g.mu.Lock()
	defer g.mu.Unlock()
	if !ed25519.Verify(g.template.Key.Public().Key.(ed25519.PublicKey), []byte(signed), signature) {
		other := base64.RawURLEncoding.EncodeToString(signature)
		for known := range g.letIn {
			if strings.HasPrefix(known, signed+".") && bits(known[len(signed)+1:], other) == 1 {
				return deny(probe.FlippedSignature, "bad_signature")
			}
		}
		return deny(probe.WrongKey, "bad_signature")
	}
	g.letIn[bearer] = true
	if claims["jti"] == modelRevoked || claims["sub"] == modelRevoked || claims["sub"] == modelOutdated {
		return deny(probe.Revoked, "revoked")
	}
	if isSubject := claims["sub"] == probe.Subject || claims["sub"] == probe.OtherSubject; !isSubject ||
		claims[probe.PodClaim] != modelPod || exp-iat > time.Minute.Seconds() {
		return deny(probe.ProbeKeyMisused, "wrong_probe")
	}
	return visit{asked: probe.Valid, claims: claims}
}

// bits counts those in which two base64url texts differ.
func bits(a, b string) int {
	x, _ := base64.RawURLEncoding.DecodeString(a)
	y, _ := base64.RawURLEncoding.DecodeString(b)
	count := 0
	for i := range min(len(x), len(y)) {
		count += mathbits.OnesCount8(x[i] ^ y[i])
	}
	return count
}

// judgeRights: who asks may not do all things.
func (g *modelGate) judgeRights(v *visit, r *http.Request, body []byte) {
	var message struct {
		Method string
		Params struct{ Name string }
	}
	_ = json.Unmarshal(body, &message)
	session := r.Header.Get("Mcp-Session-Id")
	g.mu.Lock()
	defer g.mu.Unlock()
	owner, known := g.owners[session]
	scope, _ := v.claims["scope"].(string)
	switch {
	case r.URL.Path == "/mcp/" && r.Method == http.MethodPost:
		v.asked, v.refusal = probe.TrailingSlash, refuse("unknown_path", rights(404))
	case r.URL.Path != "/mcp" || r.Method == http.MethodPut:
		v.asked, v.refusal = probe.Varied, refuse("unknown_path", rights(404))
	case known && owner != v.claims["sub"]:
		v.asked, v.refusal = probe.ForeignSession, refuse("unknown_session", rights(404))
	case !slices.Contains(strings.Fields(scope), "mcp"):
		v.asked, v.refusal = probe.MissingScope, refuse("insufficient_scope", scoped("mcp"))
	case message.Method == "prompts/list" && !slices.Contains(strings.Fields(scope), "prompts"):
		v.asked, v.refusal = probe.MissingRuleScope, refuse("insufficient_scope", scoped("mcp prompts"))
	case message.Method == "resources/list" && v.claims["group"] != "staff":
		v.asked, v.refusal = probe.MissingRuleClaim, refuse("forbidden", rights(403))
	case message.Method == "tools/call" && message.Params.Name == "nobodys":
		v.asked, v.refusal = probe.ForbiddenCall, refuse("forbidden", rights(403))
	case message.Method == "tools/call" && message.Params.Name == "admins":
		v.asked, v.refusal = probe.ForbiddenCall, refuse("insufficient_scope", scoped("mcp admin"))
	case message.Method == "tools/call", strings.HasPrefix(message.Method, "notifications/") && message.Method != "notifications/initialized":
		v.asked, v.refusal = probe.ReservedCall, refuse("reserved_subject", rights(403))
	}
}

// target asks this gate all that it can be asked.
func (g *modelGate) target(url string) probe.Target {
	return probe.Target{
		URL: url, Exact: true, Timeout: patience,
		Providers: []probe.Provider{{
			Name: "model", Tokens: g.template, Retired: []keys.Private{g.retired}, MaxTokenLifetime: modelLifetime,
			OtherCaller: map[string]any{"sub": probe.OtherSubject}, ProbeKey: true,
		}},
		Policy: probe.Policy{
			RequiredScopes: []string{"mcp"}, ProbeRestricted: true, Allowed: []probe.Call{{Method: "tools/call", Name: "everybodys"}},
			SessionBinding: true, Hosts: true, Origins: true, BodyBytes: modelBody,
			RevokedID: modelRevoked, RevokedSubject: modelRevoked, RevokedBefore: modelOutdated, TokenBytes: modelToken,
			Slash: probe.SlashDistinct, ExtraPaths: []string{modelExtra}, HealthPaths: []string{modelHealth},
			Metadata: &probe.ResourceMetadata{Resource: modelResource, AuthorizationServers: []string{"https://as.example"}},
			RuleCases: []probe.RuleCase{
				{Method: "prompts/list", Scopes: []string{"mcp", "prompts"}, WithoutScope: "prompts"},
				{Method: "resources/list", Scopes: []string{"mcp"}, Claims: map[string]any{"group": "staff"}, WithoutClaim: "group"},
			},
			Forbidden: []probe.Call{
				{Method: "tools/call", Name: "nobodys"}, {Method: "tools/call", Name: "admins", Scopes: []string{"mcp", "admin"}},
			},
		},
	}
}

// toldByMore are the cases that are told by what is asked, and not by the token.
var toldByMore = []probe.Case{
	probe.ForbiddenCall, probe.ReservedCall, probe.ForeignSession, probe.MissingRuleScope, probe.MissingRuleClaim, probe.ExtraPath, probe.TrailingSlash, probe.Metadata, probe.Health,
}

// note keeps the request, and finds the cases that are told by its form.
func (g *modelGate) note(v *visit, r *http.Request, body []byte) {
	var message map[string]any
	_ = json.Unmarshal(body, &message)
	id, _ := json.Marshal(message["id"])
	rpc, _ := message["method"].(string)
	delete(message, "id")
	bodyless, _ := json.Marshal(message)
	g.mu.Lock()
	defer g.mu.Unlock()
	isOpening := rpc == "initialize" || rpc == "server/discover"
	switch {
	case slices.ContainsFunc(g.seen, func(s seenRequest) bool { return s.remote == r.RemoteAddr }):
		v.asked = probe.OneConnection
	case v.refusal == nil || slices.Contains(toldByMore, v.asked):
	case r.Method == http.MethodGet && v.asked == probe.WrongKey:
		v.asked = probe.ByGet
	case r.Method == http.MethodDelete && v.asked == probe.WrongKey:
		v.asked = probe.ByDelete
	case v.asked == probe.NoToken && r.Header.Get("Mcp-Session-Id") != "":
		v.asked = probe.ForeignSession
	case r.ContentLength < 0 && len(body) > 64<<10:
		v.asked = probe.LargeBody
	case !isOpening || r.ContentLength < 0 || len(body) > 1<<10 || r.ProtoMinor == 0 || r.URL.Path != "/mcp":
		v.asked = probe.Varied
	}
	g.seen = append(g.seen, seenRequest{
		asked: v.asked, method: r.Method, rpc: rpc, header: r.Header.Clone(), remote: r.RemoteAddr, id: string(id),
		bodyless: string(bodyless), claims: v.claims, target: r.RequestURI, proto: r.Proto, length: r.ContentLength,
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
		challenge += `, resource_metadata="https://mcp.example` + modelMetadata + `"`
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
	// A gate that refuses does not ask for a body that it may ask for.
	if json.Unmarshal(body, &message) != nil || message.ID == nil || r.Header.Get("Expect") != "" {
		return "null"
	}
	return string(message.ID)
}

// textHandler answers with a status and a body of some media type.
func textHandler(status int, mediaType, body string) http.HandlerFunc {
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
	retired, err := keys.Generate(keys.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	model := &modelGate{
		template: template(t), retired: retired, upstream: fake, spoilt: spoilt,
		owners: map[string]any{}, letIn: map[string]bool{}, clock: time.Now,
	}
	server := httptest.NewServer(model)
	t.Cleanup(server.Close)
	return model, fake, server.URL + "/mcp"
}

func run(t *testing.T, options runner.Options, target probe.Target) probe.Report {
	t.Helper()
	report, err := runner.New(options).Run(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// firstResult is the first result of a case.
func firstResult(t *testing.T, report probe.Report, asked probe.Case) probe.Result {
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
