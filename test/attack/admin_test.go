package attack

import (
	"fmt"
	"strings"
	"testing"
)

// TestAdminPort: the server of the pod, other pods and, during a port-forward, pages in a browser reach the admin port.
// Nothing that they send there changes what clients get.
func TestAdminPort(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	port := *s
	port.address = s.admin
	port.try(t, s.endings())
	port.try(t, s.hiddenStates())
	// A gate that believes that its pod is ending closes the connections of its clients.
	s.try(t, []attack{
		{line: "P1", name: "clients keep their connections", raw: post(s.mint(), ping) + post(s.mint(), ping), answers: []answer{serve(), serve()}},
		{line: "P1", name: "who is refused keeps the connection", raw: request("GET /mcp HTTP/1.1", "") + request("GET /mcp HTTP/1.1", ""),
			answers: []answer{unnamed("missing_token").with("Connection", ""), unnamed("missing_token").with("Connection", "")}},
	})
}

var (
	unknown   = golang(404, "404 page not found\n")
	alive     = golang(200, "ok\n")
	forbidden = golang(405, "Method Not Allowed\n")
)

// endings: nothing announces the end of the pod.
func (s *site) endings() []attack {
	var out []attack
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "TERMINATE"} {
		out = append(out, attack{line: "P1", name: method + " /terminate", raw: request(method+" /terminate HTTP/1.1", ""), answers: one(unknown.to(method))})
	}
	for _, path := range []string{"/terminate/", "/%74erminate", "/TERMINATE", "/terminate?x=y", "/drain", "/shutdown", "/-/quit", "/-/reload", "/debug/pprof/cmdline", "/state/terminate", "/"} {
		out = append(out, attack{line: "P1", name: "path " + path, raw: request("GET "+path+" HTTP/1.1", ""), answers: one(unknown)})
	}
	for _, path := range []string{"/livez", "/readyz", "/serverz", "/quiesce", "/metrics"} {
		for _, method := range []string{"POST", "DELETE", "OPTIONS"} {
			out = append(out, attack{line: "P1", name: method + " " + path, raw: request(method+" "+path+" HTTP/1.1", ""), answers: one(forbidden)})
		}
	}
	end := request("GET /terminate HTTP/1.1", "")
	probe := request("GET /livez HTTP/1.1", "")
	return append(out,
		attack{line: "P1", name: "a client's token", raw: request("GET /terminate HTTP/1.1", "", "Authorization: Bearer "+s.mint()), answers: one(unknown)},
		attack{line: "P1", name: "absolute form", raw: request("GET http://127.0.0.1:9090/terminate HTTP/1.1", ""), answers: one(unknown)},
		attack{line: "P1", name: "pipelined behind a probe", raw: probe + end + probe, answers: []answer{alive, unknown, alive}},
		attack{line: "P1", name: "in the body of a probe", raw: request("GET /livez HTTP/1.1", end), answers: one(alive)},
		attack{line: "P1", name: "behind chunks with a length", raw: lines("GET /livez HTTP/1.1", "Host: "+host, "Transfer-Encoding: chunked", "Content-Length: 5", "") + "0\r\n\r\n" + end,
			answers: []answer{alive, unknown}},
		attack{line: "P1", name: "method in a header", raw: request("GET /livez HTTP/1.1", "", "X-HTTP-Method-Override: POST", "X-Original-URL: /terminate"), answers: one(alive)},
		attack{line: "P1", name: "page of another origin", raw: request("GET /terminate HTTP/1.1", "", "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"), answers: one(unknown)},
		attack{line: "P1", name: "page that gave its name our address", raw: lines("GET /terminate HTTP/1.1", "Host: evil.example:9090", "Sec-Fetch-Site: same-origin", ""), answers: one(unknown)},
		attack{line: "P1", name: "form of a page", raw: request("POST /terminate HTTP/1.1", "end=now", "Content-Type: application/x-www-form-urlencoded"), answers: one(unknown)},
		attack{line: "P1", name: "upgrade to HTTP/2", raw: request("GET /terminate HTTP/1.1", "", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"), answers: one(unknown)},
		attack{line: "P2", name: "large header", raw: request("GET /livez HTTP/1.1", "", "X: "+strings.Repeat("x", 16<<10)), answers: one(golang(431, "431 Request Header Fields Too Large"))},
		attack{line: "P2", name: "header that is never finished", raw: "GET /livez HTTP/1.1\r\nHost: " + host + "\r\nX: ", slow: true},
	)
}

// hiddenStates: /state exists for nobody but the holder of the gate's secret.
func (s *site) hiddenStates() []attack {
	out := []attack{
		{line: "P3", name: "without a proof", raw: request("GET /state HTTP/1.1", ""), answers: one(unknown)},
		{line: "P3", name: "with a client's token", raw: request("GET /state HTTP/1.1", "", "Authorization: Bearer "+s.mint()), answers: one(unknown)},
		{line: "P3", name: "by POST", raw: request("POST /state HTTP/1.1", ping), answers: one(unknown)},
	}
	const nonce = "AAAAAAAAAAAAAAAAAAAAAA"
	for _, proof := range []string{
		"", "x", "....", "1...", "2.0." + nonce + ".AAAA", fmt.Sprintf("1.%d.%s.AAAA", s.now.Unix(), nonce), fmt.Sprintf("1.%d.%s.", s.now.Unix(), nonce),
		fmt.Sprintf("1.%d.%s.%s", s.now.Unix(), nonce, strings.Repeat("A", 43)), "1.99999999999999999999." + nonce + ".AAAA",
	} {
		out = append(out, attack{line: "P3", name: "proof " + proof, raw: request("GET /state HTTP/1.1", "", "Gatehouse-Proof: "+proof), answers: one(unknown)})
	}
	return out
}
