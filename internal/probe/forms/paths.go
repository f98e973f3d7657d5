package forms

import (
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
)

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
	{name: "query", change: func(s *client.Request, _ probe.Target, _ string) { s.Query = "healthz=1&debug=true" }},
}

// endsInName reports whether a slash can follow the path.
func endsInName(t probe.Target) bool { return !strings.HasSuffix(t.Path(), "/") }

// lineForms are about the request line, the connection, and what else goes on.
var lineForms = []form{
	{name: "absolute-form of the target", proxied: true, change: func(s *client.Request, _ probe.Target, _ string) { s.Absolute = true }},
	{name: "60th request of a connection", heavy: true, limits: lastOfManyLimits, ask: lastOfMany},
	{name: "one of 16 at a time", heavy: true, ask: concurrent},
}

func path(change func(string) string) func(*client.Request, probe.Target, string) {
	return func(s *client.Request, t probe.Target, _ string) { s.Path = change(t.Path()) }
}
