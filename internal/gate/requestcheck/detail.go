package requestcheck

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/redact"
)

// What was compared, for deny.Denial.Detail. Whatever a client chose goes through package redact.

func hostDetail(host string, allowed []string) string {
	return "host " + quoted(redact.Host(host)) + ", allowed " + some(allowed, "and localhost and IP addresses")
}

func originDetail(origin string, r *http.Request, allowed []string) string {
	return "origin " + quoted(redact.Origin(origin)) + ", allowed " + some(allowed, "and that of host "+quoted(redact.Host(r.Host)))
}

func pathDetail(path string) string { return "path " + quoted(redact.Path(path)) }

func methodDetail(method string, allowed []string) string {
	return "method " + redact.Method(method) + ", allowed " + strings.Join(allowed, ", ")
}

// some gives the first of what is allowed, and says how many more there are.
func some(allowed []string, further string) string {
	const most = 3
	shown := slices.Clone(allowed[:min(most, len(allowed))])
	if more := len(allowed) - len(shown); more > 0 {
		shown = append(shown, strconv.Itoa(more)+" more")
	}
	return strings.TrimPrefix(strings.Join(shown, ", ")+" "+further, " and ")
}

func quoted(text string) string { return `"` + text + `"` }
