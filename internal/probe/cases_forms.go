package probe

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// form is an unusual form of a request that must be refused all the same.
type form struct {
	name string
	// anywhere: it is asked of servers, too, that are not our gate.
	anywhere bool
	// presents: it makes no sense without a token.
	presents bool
	// carries: the control's token is in it, elsewhere than it belongs or beside the bad one.
	carries bool
	// proxied: a proxy before the gate may answer it in the gate's place, or change it.
	proxied bool
	// client: it comes under a name of the target.
	client bool
	// heavy: it costs more than a connection, or a large body; only full rounds ask it.
	heavy bool
	// limits is how many time limits of a case it has; 0 is 1.
	limits int
	// change makes the form. good is the control's token.
	change func(s *shot, target Target, good string)
	// want, if set, is what is due in place of the refusal that the token deserves.
	want *refusal
	// applies, if set, reports whether it makes sense at the target.
	applies func(Target) bool
	// ask, if set, asks in another way than by one request on a connection of its own.
	ask func(ctx context.Context, r *round, s shot, want refusal) finding
}

var (
	ambiguous = &refusal{status: http.StatusBadRequest, reasons: []string{"ambiguous_header"}, challenge: invalidRequest}
	badTarget = ptr(refused(http.StatusBadRequest, "bad_target"))
	malformed = ptr(unauthorized(reasonMalformed))
)

// eachHost stands for a form of each of the names of a target.
const eachHost = "Host that clients use"

var forms = slices.Concat(
	[]form{{name: "as usual", anywhere: true}},
	headerForms, placeForms, proxyForms, hostForms, contentForms, clientForms, bodyForms, methodForms, messageForms, pathForms, lineForms,
)

// Variations lists the names of all forms that a round may take.
func Variations() []string {
	var names []string
	for _, f := range forms {
		names = append(names, f.name)
	}
	return names
}

// forms are those that make sense at the target, with a form of its own for each of its names.
func (t Target) forms() []form {
	var out []form
	for _, f := range forms {
		switch {
		case !t.Exact && !f.anywhere, f.proxied && t.Proxied, f.applies != nil && !f.applies(t):
		case f.name == eachHost && t.Proxied:
		case f.name == eachHost:
			for _, host := range t.Hosts {
				out = append(out, form{name: "Host " + host, change: named(host), client: true, proxied: true})
			}
		default:
			out = append(out, f)
		}
	}
	return out
}

// method is the HTTP method of the form.
func (f form) method(t Target) string {
	var s shot
	if f.change != nil {
		s.authorization = []string{"Bearer "}
		f.change(&s, t, "")
	}
	return s.httpMethod()
}

var headerForms = []form{
	{name: "scheme in lower case", presents: true, change: scheme("bearer ")},
	{name: "scheme in upper case", presents: true, change: scheme("BEARER ")},
	{name: "three spaces after the scheme", presents: true, change: scheme("Bearer   ")},
	{name: "tab after the scheme", presents: true, change: scheme("Bearer\t"), want: malformed},
	{name: "header name in lower case", presents: true, change: spelled("authorization")},
	{name: "header name in upper case", presents: true, change: spelled("AUTHORIZATION")},
	{name: "two tokens, the good one first", proxied: true, presents: true, carries: true, want: ambiguous, change: func(s *shot, _ Target, good string) {
		s.authorization = append([]string{"Bearer " + good}, s.authorization...)
	}},
	{name: "two tokens, the good one last", proxied: true, presents: true, carries: true, want: ambiguous, change: func(s *shot, _ Target, good string) {
		s.authorization = append(s.authorization, "Bearer "+good)
	}},
	{name: "two tokens in one header", presents: true, carries: true, want: malformed, change: func(s *shot, _ Target, good string) {
		s.authorization[0] += ", Bearer " + good
	}},
}

// placeForms have a good token where none belongs. It is the control's, which lives for a minute.
var placeForms = []form{
	elsewhere("Cookie", func(good string) string { return "access_token=" + good }),
	elsewhere("Proxy-Authorization", func(good string) string { return "Bearer " + good }),
	elsewhere("X-Forwarded-Access-Token", func(good string) string { return good }),
	elsewhere("X-Api-Key", func(good string) string { return good }),
}

func elsewhere(header string, value func(good string) string) form {
	return form{name: "good token in " + header, carries: true, change: func(s *shot, _ Target, good string) {
		s.with(header, value(good))
		s.elsewhere = append(s.elsewhere, good)
	}}
}

// proxyForms say what a proxy would: gates and servers have believed each.
var proxyForms = []form{
	bears("X-Forwarded-For", "127.0.0.1"), bears("X-Real-Ip", "127.0.0.1"), bears("Forwarded", "for=127.0.0.1;host=localhost;proto=https"),
	bears("X-Forwarded-Host", "localhost"), bears("X-Forwarded-Proto", "https"), bears("X-Original-Url", "/healthz"), bears("X-Rewrite-Url", "/healthz"),
	bears("X-Http-Method-Override", "OPTIONS"), bears("X-Forwarded-User", "admin"), bears("X-Remote-User", "admin"),
	bears("X-Forwarded-Client-Cert", "By=spiffe://cluster.local/ns/default/sa/default"), bears("X-Envoy-Internal", "true"), bears("Via", "1.1 gateway"),
}

// bears is the form with one more header.
func bears(header, value string) form {
	return form{name: header + ": " + value, change: func(s *shot, _ Target, _ string) { s.with(header, value) }}
}

var hostForms = []form{
	{name: eachHost, applies: func(t Target) bool { return len(t.Hosts) > 0 }},
	{name: "Host localhost", proxied: true, change: named("localhost")},
	{name: "Host localhost. with a port", proxied: true, change: named("localhost.:80")},
	{name: "Host 127.0.0.1", proxied: true, change: named("127.0.0.1")},
	{name: "Host [::1] with a port", proxied: true, change: named("[::1]:8080")},
	{name: "Origin of its own host", change: func(s *shot, t Target, _ string) {
		if parsed, err := url.Parse(t.URL); err == nil {
			s.origin = parsed.Scheme + "://" + parsed.Host
		}
	}},
}

func named(host string) func(*shot, Target, string) {
	return func(s *shot, _ Target, _ string) { s.host = host }
}

var contentForms = []form{
	bears("Content-Type", "text/plain"), bears("Content-Type", "application/x-www-form-urlencoded"), bears("Content-Type", "application/json;charset=utf-8"),
	bears("Content-Encoding", "identity"), bears("Accept", "text/event-stream"), bears("Accept", "*/*"), bears("Accept", "text/html"),
	bears("Accept-Encoding", "gzip, br"), bears("Last-Event-Id", "1"), bears("Mcp-Session-Id", "1"),
	{name: "GET of a stream with Last-Event-Id", change: func(s *shot, _ Target, _ string) {
		s.method = http.MethodGet
		s.with("Accept", "text/event-stream")
		s.with("Last-Event-Id", "1")
	}},
	{name: "headers of 2026-07-28", change: func(s *shot, _ Target, _ string) {
		s.call = &call{method: "tools/list", id: 1}
		s.with(versionHeader, statelessVersion)
		s.with(methodHeader, "tools/list")
	}},
	bears(versionHeader, "2024-11-05"),
	bears("Connection", "close"), {name: "Expect: 100-continue", proxied: true, change: func(s *shot, _ Target, _ string) { s.expecting = true }},
	bears("Access-Control-Request-Method", "POST"), bears("Cache-Control", "only-if-cached"),
	{name: "Upgrade: websocket", proxied: true, change: upgrading("websocket")}, {name: "Upgrade: h2c", proxied: true, change: upgrading("h2c")},
}

func upgrading(protocol string) func(*shot, Target, string) {
	return func(s *shot, _ Target, _ string) {
		s.with("Connection", "Upgrade")
		s.with("Upgrade", protocol)
	}
}

// clientForms come from who is known to monitors and servers.
var clientForms = []form{
	from("kube-probe/1.34"), from("ELB-HealthChecker/2.0"), from("GoogleHC/1.0"), from("Prometheus/3.5.0"), from("Envoy/HC"), from("curl/8.14.1"),
	from("claude-ai/1.0"), from("Claude-User"), from("Cursor/2.0"), from("openai-mcp/1.0.0"), from("mcp-inspector/0.17.0"), from("Mozilla/5.0"),
	{name: "no User-Agent", change: func(s *shot, _ Target, _ string) { s.with("User-Agent", "") }},
	{name: "client Inspector", change: func(s *shot, _ Target, _ string) { s.clientName = "mcp-inspector" }},
	{name: "client Claude", change: func(s *shot, _ Target, _ string) { s.clientName = "claude-ai" }},
}

func from(userAgent string) form { return bears("User-Agent", userAgent) }

var bodyForms = []form{
	{name: "no body", change: func(s *shot, _ Target, _ string) { s.bodiless = true }},
	{name: "body of 2 KiB", change: padded(2 << 10)},
	{name: "body of 300 KiB", heavy: true, change: padded(300 << 10)},
	{name: "body of 1.5 MiB", heavy: true, change: padded(3 << 19)},
	{name: "body in chunks", change: func(s *shot, _ Target, _ string) { s.chunked = true }},
	{name: "body in chunks with trailers", proxied: true, change: func(s *shot, _ Target, _ string) { s.chunked, s.trailing = true, true }},
	{name: "body that is no JSON", change: func(s *shot, _ Target, _ string) { s.text = "hello" }},
	{name: "body that is empty JSON", change: func(s *shot, _ Target, _ string) { s.text = "{}" }},
}

var methodForms = []form{
	{name: "PUT", change: by(http.MethodPut)},
	{name: "PATCH", change: by(http.MethodPatch)},
	{name: "HEAD", change: by(http.MethodHead)},
	{name: "OPTIONS", change: by(http.MethodOptions)},
	{name: "GET", change: by(http.MethodGet)},
	{name: "DELETE", change: by(http.MethodDelete)},
	{name: "PROPFIND", change: by("PROPFIND")},
	{name: "HTTP/1.0", proxied: true, change: func(s *shot, _ Target, _ string) { s.old = true }},
	{name: "HTTP/2", proxied: true, change: func(s *shot, _ Target, _ string) { s.second = true }, applies: func(t Target) bool { return strings.HasPrefix(t.URL, "https:") }},
}

// messageForms do nothing even where they are let in.
var messageForms = []form{
	{name: "tools/list", anywhere: true, change: listing("tools/list")},
	{name: "resources/list", anywhere: true, change: listing("resources/list")},
	{name: "prompts/list", change: listing("prompts/list")},
	{name: "ping", change: listing("ping")},
	{name: "server/discover", change: listing("server/discover")},
	{name: "tools/call of no tool", anywhere: true, change: func(s *shot, t Target, _ string) {
		s.call = &call{method: "tools/call", params: map[string]any{"name": t.Policy.Absent}, id: 1}
	}},
	{name: "tools/call of a tool", heavy: true, change: func(s *shot, _ Target, _ string) { s.calls = true }},
	{name: "notification", change: func(s *shot, _ Target, _ string) { s.call = &call{method: "notifications/initialized"} }},
	{name: "answer", change: func(s *shot, _ Target, _ string) { s.text = `{"jsonrpc":"2.0","id":1,"result":{}}` }},
	{name: "batch", change: func(s *shot, _ Target, _ string) { s.batch = true }},
}

var pathForms = []form{
	{name: "slash at the end of the path", applies: endsInName, change: path(func(p string) string { return p + "/" })},
	{name: "path in upper case", change: path(strings.ToUpper)},
	{name: "path below", applies: endsInName, change: path(func(p string) string { return p + "/tools" })},
	{name: "dot segment in the path", proxied: true, want: badTarget, change: path(func(p string) string { return p + "/.." + p })},
	{name: "double slash in the path", proxied: true, want: badTarget, change: path(func(p string) string { return "/" + p })},
	{name: "escaped slash in the path", proxied: true, want: badTarget, change: path(func(p string) string { return p + "%2F" })},
	{name: "semicolon in the path", proxied: true, want: badTarget, change: path(func(p string) string { return p + ";healthz" })},
	{name: "path /healthz", change: path(func(string) string { return "/healthz" })},
	{name: "path /metrics", change: path(func(string) string { return "/metrics" })},
	{name: "path /sse", change: path(func(string) string { return "/sse" })},
	{name: "path /", change: path(func(string) string { return "/" })},
	{name: "query", change: func(s *shot, _ Target, _ string) { s.query = "healthz=1&debug=true" }},
}

// endsInName reports whether a slash can follow the path.
func endsInName(t Target) bool { return !strings.HasSuffix(t.path(), "/") }

// lineForms are about the request line, the connection, and what else goes on.
var lineForms = []form{
	{name: "absolute-form of the target", proxied: true, change: func(s *shot, _ Target, _ string) { s.absolute = true }},
	{name: "60th request of a connection", heavy: true, limits: lateLimits, ask: late},
	{name: "one of 16 at a time", heavy: true, ask: crowded},
}

func scheme(text string) func(*shot, Target, string) {
	return func(s *shot, _ Target, _ string) {
		s.authorization = []string{text + strings.TrimPrefix(s.authorization[0], "Bearer ")}
	}
}

func spelled(name string) func(*shot, Target, string) {
	return func(s *shot, _ Target, _ string) { s.spelled = name }
}

func padded(bytes int64) func(*shot, Target, string) {
	return func(s *shot, _ Target, _ string) { s.padding = bytes }
}

func by(method string) func(*shot, Target, string) {
	return func(s *shot, _ Target, _ string) { s.method = method }
}

func listing(method string) func(*shot, Target, string) {
	return func(s *shot, _ Target, _ string) { s.call = &call{method: method, id: 1} }
}

func path(change func(string) string) func(*shot, Target, string) {
	return func(s *shot, t Target, _ string) { s.path = change(t.path()) }
}
