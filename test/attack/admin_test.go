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
		{line: "P1", name: "who is refused keeps the connection", raw: rawRequest("GET /mcp HTTP/1.1", "") + rawRequest("GET /mcp HTTP/1.1", ""),
			answers: []answer{unnamed("missing_token").with("Connection", ""), unnamed("missing_token").with("Connection", "")}},
	})
}

var (
	notFound   = golang(404, "404 page not found\n")
	alive      = golang(200, "ok\n")
	notAllowed = golang(405, "Method Not Allowed\n")
)

// endings: nothing announces the end of the pod.
func (s *site) endings() []attack {
	var out []attack
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "TERMINATE"} {
		out = append(out, attack{line: "P1", name: method + " /terminate", raw: rawRequest(method+" /terminate HTTP/1.1", ""), answers: one(notFound.to(method))})
	}
	for _, path := range []string{"/terminate/", "/%74erminate", "/TERMINATE", "/terminate?x=y", "/drain", "/shutdown", "/-/quit", "/-/reload", "/debug/pprof/cmdline", "/state/terminate", "/"} {
		out = append(out, attack{line: "P1", name: "path " + path, raw: rawRequest("GET "+path+" HTTP/1.1", ""), answers: one(notFound)})
	}
	for _, path := range []string{"/livez", "/readyz", "/serverz", "/quiesce", "/metrics"} {
		for _, method := range []string{"POST", "DELETE", "OPTIONS"} {
			out = append(out, attack{line: "P1", name: method + " " + path, raw: rawRequest(method+" "+path+" HTTP/1.1", ""), answers: one(notAllowed)})
		}
	}
	end := rawRequest("GET /terminate HTTP/1.1", "")
	probe := rawRequest("GET /livez HTTP/1.1", "")
	return append(out,
		attack{line: "P1", name: "a client's token", raw: rawRequest("GET /terminate HTTP/1.1", "", "Authorization: Bearer "+s.mint()), answers: one(notFound)},
		attack{line: "P1", name: "absolute form", raw: rawRequest("GET http://127.0.0.1:9090/terminate HTTP/1.1", ""), answers: one(notFound)},
		attack{line: "P1", name: "pipelined behind a probe", raw: probe + end + probe, answers: []answer{alive, notFound, alive}},
		attack{line: "P1", name: "in the body of a probe", raw: rawRequest("GET /livez HTTP/1.1", end), answers: one(alive)},
		attack{line: "P1", name: "behind chunks with a length", raw: joinLines("GET /livez HTTP/1.1", "Host: "+host, "Transfer-Encoding: chunked", "Content-Length: 5", "") + "0\r\n\r\n" + end,
			answers: []answer{alive, notFound}},
		attack{line: "P1", name: "method in a header", raw: rawRequest("GET /livez HTTP/1.1", "", "X-HTTP-Method-Override: POST", "X-Original-URL: /terminate"), answers: one(alive)},
		attack{line: "P1", name: "page of another origin", raw: rawRequest("GET /terminate HTTP/1.1", "", "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"), answers: one(notFound)},
		attack{line: "P1", name: "page that gave its name our address", raw: joinLines("GET /terminate HTTP/1.1", "Host: evil.example:9090", "Sec-Fetch-Site: same-origin", ""), answers: one(notFound)},
		attack{line: "P1", name: "form of a page", raw: rawRequest("POST /terminate HTTP/1.1", "end=now", "Content-Type: application/x-www-form-urlencoded"), answers: one(notFound)},
		attack{line: "P1", name: "upgrade to HTTP/2", raw: rawRequest("GET /terminate HTTP/1.1", "", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"), answers: one(notFound)},
		attack{line: "P2", name: "large header", raw: rawRequest("GET /livez HTTP/1.1", "", "X: "+strings.Repeat("x", 16<<10)), answers: one(golang(431, "431 Request Header Fields Too Large"))},
		attack{line: "P2", name: "header that is never finished", raw: "GET /livez HTTP/1.1\r\nHost: " + host + "\r\nX: ", slow: true},
	)
}

// hiddenStates: /state exists for nobody but the holder of the gate's secret.
func (s *site) hiddenStates() []attack {
	out := []attack{
		{line: "P3", name: "without a proof", raw: rawRequest("GET /state HTTP/1.1", ""), answers: one(notFound)},
		{line: "P3", name: "with a client's token", raw: rawRequest("GET /state HTTP/1.1", "", "Authorization: Bearer "+s.mint()), answers: one(notFound)},
		{line: "P3", name: "by POST", raw: rawRequest("POST /state HTTP/1.1", ping), answers: one(notFound)},
	}
	const nonce = "AAAAAAAAAAAAAAAAAAAAAA"
	for _, proof := range []string{
		"", "x", "....", "1...", "2.0." + nonce + ".AAAA", fmt.Sprintf("1.%d.%s.AAAA", s.now.Unix(), nonce), fmt.Sprintf("1.%d.%s.", s.now.Unix(), nonce),
		fmt.Sprintf("1.%d.%s.%s", s.now.Unix(), nonce, strings.Repeat("A", 43)), "1.99999999999999999999." + nonce + ".AAAA",
	} {
		out = append(out, attack{line: "P3", name: "proof " + proof, raw: rawRequest("GET /state HTTP/1.1", "", "Gatehouse-Proof: "+proof), answers: one(notFound)})
	}
	return out
}
