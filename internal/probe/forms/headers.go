package forms

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
)

var headerForms = []form{
	{name: "scheme in lower case", presents: true, change: scheme("bearer ")},
	{name: "scheme in upper case", presents: true, change: scheme("BEARER ")},
	{name: "three spaces after the scheme", presents: true, change: scheme("Bearer   ")},
	{name: "tab after the scheme", presents: true, change: scheme("Bearer\t"), want: malformed},
	{name: "header name in lower case", presents: true, change: spelled("authorization")},
	{name: "header name in upper case", presents: true, change: spelled("AUTHORIZATION")},
	{name: "two tokens, the good one first", proxied: true, presents: true, carries: true, want: ambiguous, change: func(s *client.Request, _ probe.Target, good string) {
		s.Authorization = append([]string{"Bearer " + good}, s.Authorization...)
	}},
	{name: "two tokens, the good one last", proxied: true, presents: true, carries: true, want: ambiguous, change: func(s *client.Request, _ probe.Target, good string) {
		s.Authorization = append(s.Authorization, "Bearer "+good)
	}},
	{name: "two tokens in one header", presents: true, carries: true, want: malformed, change: func(s *client.Request, _ probe.Target, good string) {
		s.Authorization[0] += ", Bearer " + good
	}},
}

// placeForms have a good token where none belongs. It is the positive control's, which lives for a minute.
var placeForms = []form{
	elsewhere("Cookie", func(good string) string { return "access_token=" + good }),
	elsewhere("Proxy-Authorization", func(good string) string { return "Bearer " + good }),
	elsewhere("X-Forwarded-Access-Token", func(good string) string { return good }),
	elsewhere("X-Api-Key", func(good string) string { return good }),
}

func elsewhere(header string, value func(good string) string) form {
	return form{name: "good token in " + header, carries: true, change: func(s *client.Request, _ probe.Target, good string) {
		s.With(header, value(good))
		s.Elsewhere = append(s.Elsewhere, good)
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
	return form{name: header + ": " + value, change: func(s *client.Request, _ probe.Target, _ string) { s.With(header, value) }}
}

var hostForms = []form{
	{name: eachHost, applies: func(t probe.Target) bool { return len(t.Hosts) > 0 }},
	{name: "Host localhost", proxied: true, change: named("localhost")},
	{name: "Host localhost. with a port", proxied: true, change: named("localhost.:80")},
	{name: "Host 127.0.0.1", proxied: true, change: named("127.0.0.1")},
	{name: "Host [::1] with a port", proxied: true, change: named("[::1]:8080")},
	{name: "Origin of its own host", change: func(s *client.Request, t probe.Target, _ string) {
		if parsed, err := url.Parse(t.URL); err == nil {
			s.Origin = parsed.Scheme + "://" + parsed.Host
		}
	}},
}

func named(host string) func(*client.Request, probe.Target, string) {
	return func(s *client.Request, _ probe.Target, _ string) { s.Host = host }
}

var contentForms = []form{
	bears("Content-Type", "text/plain"), bears("Content-Type", "application/x-www-form-urlencoded"), bears("Content-Type", "application/json;charset=utf-8"),
	bears("Content-Encoding", "identity"), bears("Accept", "text/event-stream"), bears("Accept", "*/*"), bears("Accept", "text/html"),
	bears("Accept-Encoding", "gzip, br"), bears("Last-Event-Id", "1"), bears("Mcp-Session-Id", "1"),
	{name: "GET of a stream with Last-Event-Id", change: func(s *client.Request, _ probe.Target, _ string) {
		s.Method = http.MethodGet
		s.With("Accept", "text/event-stream")
		s.With("Last-Event-Id", "1")
	}},
	{name: "headers of 2026-07-28", change: func(s *client.Request, _ probe.Target, _ string) {
		s.Message = &client.Message{Method: probe.MethodListTools, ID: 1}
		s.With(client.VersionHeader, client.StatelessVersion)
		s.With(client.MethodHeader, probe.MethodListTools)
	}},
	bears(client.VersionHeader, "2024-11-05"),
	bears("Connection", "close"), {name: "Expect: 100-continue", proxied: true, change: func(s *client.Request, _ probe.Target, _ string) { s.Expecting = true }},
	bears("Access-Control-Request-Method", "POST"), bears("Cache-Control", "only-if-cached"),
	{name: "Upgrade: websocket", proxied: true, change: upgrading("websocket")}, {name: "Upgrade: h2c", proxied: true, change: upgrading("h2c")},
}

func upgrading(protocol string) func(*client.Request, probe.Target, string) {
	return func(s *client.Request, _ probe.Target, _ string) {
		s.With("Connection", "Upgrade")
		s.With("Upgrade", protocol)
	}
}

// clientForms come from who is known to monitors and servers.
var clientForms = []form{
	byAgent("kube-probe/1.34"), byAgent("ELB-HealthChecker/2.0"), byAgent("GoogleHC/1.0"), byAgent("Prometheus/3.5.0"), byAgent("Envoy/HC"), byAgent("curl/8.14.1"),
	byAgent("claude-ai/1.0"), byAgent("Claude-User"), byAgent("Cursor/2.0"), byAgent("openai-mcp/1.0.0"), byAgent("mcp-inspector/0.17.0"), byAgent("Mozilla/5.0"),
	{name: "no User-Agent", change: func(s *client.Request, _ probe.Target, _ string) { s.With("User-Agent", "") }},
	{name: "client Inspector", change: func(s *client.Request, _ probe.Target, _ string) { s.ClientName = "mcp-inspector" }},
	{name: "client Claude", change: func(s *client.Request, _ probe.Target, _ string) { s.ClientName = "claude-ai" }},
}

func byAgent(userAgent string) form { return bears("User-Agent", userAgent) }

func scheme(text string) func(*client.Request, probe.Target, string) {
	return func(s *client.Request, _ probe.Target, _ string) {
		s.Authorization = []string{text + strings.TrimPrefix(s.Authorization[0], "Bearer ")}
	}
}

func spelled(name string) func(*client.Request, probe.Target, string) {
	return func(s *client.Request, _ probe.Target, _ string) { s.Spelled = name }
}
