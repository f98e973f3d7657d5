package attack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// gatesOwn are headers that the gate adds, or says in its own words.
var gatesOwn = []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id", "X-User", "Host", "Content-Length", "Transfer-Encoding", "User-Agent", "Connection"}

// differs says in what a request that the server has read is another one than was judged.
func (r readRequest) differs(seen readRequest) string {
	judgedPath, judgedQuery, _ := strings.Cut(r.target, "?")
	seenPath, seenQuery, _ := strings.Cut(seen.target, "?")
	switch {
	case r.method != seen.method:
		return "method"
	case judgedPath != seenPath && judgedPath != seenPath+"/":
		return "path"
	case !isPartOf(strings.Split(seenQuery, "&"), strings.Split(judgedQuery, "&")):
		return "query"
	case seen.incomplete && !r.incomplete:
		return "end of the body"
	case r.body != seen.body && (!seen.incomplete || !strings.HasPrefix(r.body, seen.body)):
		return fmt.Sprintf("body %q", r.body)
	}
	for name, values := range seen.header {
		if !slices.Contains(gatesOwn, name) && !slices.Equal(trimmed(values), trimmed(r.header[name])) {
			return "header " + name
		}
	}
	for _, name := range []string{"Content-Type", "Accept", "Last-Event-Id", "Mcp-Method", "Mcp-Name", "Mcp-Protocol-Version", "Mcp-Param-City"} {
		if !slices.Equal(trimmed(seen.header[name]), trimmed(r.header[name])) {
			return "no header " + name
		}
	}
	return ""
}

func trimmed(values []string) []string {
	var out []string
	for _, value := range values {
		out = append(out, strings.Trim(value, " \t"))
	}
	return out
}

// isPartOf reports whether some of a list are all of another, in order.
func isPartOf(some, all []string) bool {
	for _, part := range some {
		i := slices.Index(all, part)
		if i < 0 && part != "" {
			return false
		}
		all = all[i+1:]
	}
	return true
}

// permitted says what no request may be, whatever was judged.
func permitted(seen readRequest) string {
	path, _, _ := strings.Cut(seen.target, "?")
	header := seen.header
	for name, values := range header {
		if strings.ContainsAny(name, "_.~") && isJudged(strings.NewReplacer("_", "-", ".", "-", "~", "-").Replace(name)) || len(values) > 1 && isJudged(name) {
			return "header " + name
		}
	}
	switch {
	case path != "/mcp" && path != "/files":
		return "path"
	case path == "/mcp" && !slices.Contains([]string{"GET", "POST", "DELETE"}, seen.method):
		return "method"
	case strings.Join(header["X-User"], "|") != "alice" || len(header["X-Request-Id"]) != 1 || len(header.Get("X-Request-Id")) != 26:
		return "who asks"
	case strings.Trim(strings.ToLower(header.Get("X-Forwarded-Host")), "abcdefghijklmnopqrstuvwxyz0123456789.-:[]") != "":
		return "forwarded host"
	case len(header["Authorization"])+len(header["Mcp-Session-Id"])+len(header["Cookie"])+len(header["Te"])+len(header["Trailer"])+len(header["Upgrade"]) > 0:
		return "a header that is not to pass"
	case path == "/mcp":
		return permittedMessage(seen)
	}
	return ""
}

func isJudged(name string) bool {
	return slices.Contains([]string{
		"Content-Type", "Content-Length", "Host", "Mcp-Session-Id", "Mcp-Method", "Mcp-Name", "Mcp-Protocol-Version", "Last-Event-Id", "X-User", "X-Request-Id", "X-Forwarded-Host",
	}, http.CanonicalHeaderKey(name))
}

// permittedMessage: one tool may be called, and nobody may answer outside of a session.
func permittedMessage(seen readRequest) string {
	if seen.method != "POST" {
		if seen.body != "" {
			return "body"
		}
		return ""
	}
	var messages []map[string]any
	if json.Unmarshal([]byte(seen.body), &messages) != nil {
		var message map[string]any
		if json.Unmarshal([]byte(seen.body), &message) != nil {
			return "body"
		}
		messages = append(messages, message)
	}
	for _, message := range messages {
		method, isMethod := message["method"].(string)
		params, _ := message["params"].(map[string]any)
		header, said := seen.header["Mcp-Method"]
		switch {
		case !isMethod, method == "tools/call" && params["name"] != "read":
			return "message"
		case said && !strings.HasPrefix(header[0], "=?") && header[0] != method:
			return "header Mcp-Method"
		}
	}
	return ""
}
