package forms

import (
	"net/http"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
)

var bodyForms = []form{
	{name: "no body", change: func(s *client.Request, _ probe.Target, _ string) { s.Bodiless = true }},
	{name: "body of 2 KiB", change: padded(2 << 10)},
	{name: "body of 300 KiB", heavy: true, change: padded(300 << 10)},
	{name: "body of 1.5 MiB", heavy: true, change: padded(3 << 19)},
	{name: "body in chunks", change: func(s *client.Request, _ probe.Target, _ string) { s.Chunked = true }},
	{name: "body in chunks with trailers", proxied: true, change: func(s *client.Request, _ probe.Target, _ string) { s.Chunked, s.Trailing = true, true }},
	{name: "body that is no JSON", change: func(s *client.Request, _ probe.Target, _ string) { s.Text = "hello" }},
	{name: "body that is empty JSON", change: func(s *client.Request, _ probe.Target, _ string) { s.Text = "{}" }},
}

var methodForms = []form{
	{name: "PUT", change: by(http.MethodPut)},
	{name: "PATCH", change: by(http.MethodPatch)},
	{name: "HEAD", change: by(http.MethodHead)},
	{name: "OPTIONS", change: by(http.MethodOptions)},
	{name: "GET", change: by(http.MethodGet)},
	{name: "DELETE", change: by(http.MethodDelete)},
	{name: "PROPFIND", change: by("PROPFIND")},
	{name: "HTTP/1.0", proxied: true, change: func(s *client.Request, _ probe.Target, _ string) { s.Old = true }},
	{name: "HTTP/2", proxied: true, change: func(s *client.Request, _ probe.Target, _ string) { s.Second = true }, applies: func(t probe.Target) bool { return strings.HasPrefix(t.URL, "https:") }},
}

// messageForms do nothing even where they are let in.
var messageForms = []form{
	{name: "tools/list", anywhere: true, change: listing(probe.MethodListTools)},
	{name: "resources/list", anywhere: true, change: listing("resources/list")},
	{name: "prompts/list", change: listing("prompts/list")},
	{name: "ping", change: listing(probe.MethodPing)},
	{name: "server/discover", change: listing("server/discover")},
	{name: "tools/call of no tool", anywhere: true, change: func(s *client.Request, t probe.Target, _ string) {
		s.Message = &client.Message{Method: probe.MethodCallTool, Params: map[string]any{"name": t.Policy.Absent}, ID: 1}
	}},
	{name: "tools/call of a tool", heavy: true, change: func(s *client.Request, _ probe.Target, _ string) { s.Calls = true }},
	{name: "notification", change: func(s *client.Request, _ probe.Target, _ string) {
		s.Message = &client.Message{Method: "notifications/initialized"}
	}},
	{name: "answer", change: func(s *client.Request, _ probe.Target, _ string) { s.Text = `{"jsonrpc":"2.0","id":1,"result":{}}` }},
	{name: "batch", change: func(s *client.Request, _ probe.Target, _ string) { s.Batch = true }},
}

func padded(bytes int64) func(*client.Request, probe.Target, string) {
	return func(s *client.Request, _ probe.Target, _ string) { s.Padding = bytes }
}

func by(method string) func(*client.Request, probe.Target, string) {
	return func(s *client.Request, _ probe.Target, _ string) { s.Method = method }
}

func listing(method string) func(*client.Request, probe.Target, string) {
	return func(s *client.Request, _ probe.Target, _ string) { s.Message = &client.Message{Method: method, ID: 1} }
}
