package forward

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// leads is an exchange with a client that has come to https://tools.example.com.
func leads() outward {
	return outward{
		inside: inside{port: "8000", names: ownNames([]string{"Pod-1.", "10.1.2.3", "fd00::3%eth0", "127.0.0.1"})},
		host:   "tools.example.com", scheme: "https",
	}
}

func TestReferencesOfTheServer(t *testing.T) {
	const gone = "-"
	for said, want := range map[string]string{
		"/mcp/": "/mcp/", "mcp/": "mcp/", "../x?y#z": "../x?y#z", "?x": "?x", "": "", "#x": "#x", "/a//b": "/a//b", "x:y": "x:y",
		"http://127.0.0.1:8000/mcp/": "/mcp/", "http://127.0.0.1:8000": "/", "http://127.0.0.1:8000?a=b": "/?a=b", "http://127.0.0.1:8000#a": "/#a",
		"https://127.0.0.1:8000/": "/", "HTTP://LOCALHOST:8000/a": "/a", "//127.0.0.1:8000/a": "/a", "///127.0.0.1:8000/a": "/a", `\\127.0.0.1:8000\a`: `\a`,
		`http:\\127.0.0.1:8000\a`: `\a`, "http:/127.0.0.1:8000/a": "/a", "http:127.0.0.1:8000/a": "/a", "http:////127.0.0.1:8000/a": "/a",
		"http://localhost/a": "/a", "http://localhost.:8000/a": "/a", "http://x.localhost:8000/a": "/a", "http://localhost.localdomain:8000/a": "/a",
		"http://[::1]:8000/a": "/a", "http://[::]:8000/a": "/a", "http://[::ffff:127.0.0.1]:8000/a": "/a", "http://0.0.0.0:8000/a": "/a", "http://127.8.9.1:8000/a": "/a",
		"http://127.1:8000/a": "/a", "http://0x7f000001:8000/a": "/a", "http://2130706433:8000/a": "/a", "http://0177.0.0.1:8000/a": "/a", "http://0/a": "/a",
		"http://pod-1:8000/a": "/a", "http://POD-1/a": "/a", "http://10.1.2.3:8000/a": "/a", "http://[fd00::3]:8000/a": "/a", "http://[fd00::3%25eth0]:8000/a": "/a",
		"http://u:p@127.0.0.1:8000/a": "/a", "http://127%2e0.0.1:8000/a": "/a", "http://127.0.0.1:08000/a": "/a", "ws://127.0.0.1:8000/a": "/a",
		// What is left must not become another host.
		"http://127.0.0.1:8000//evil.example/a": "/.//evil.example/a", `http://127.0.0.1:8000/\evil.example`: `/./\evil.example`,
		"http://127.0.0.1:9090/state": gone, "http://localhost:80/a": gone, "http://[::1]:1/a": gone, "http://pod-1:29090/": gone, "//127.0.0.1:9090/": gone,
		"http://127.0.0.1:8000x/": gone, "mcp://127.0.0.1:8000/a": gone,
		"https://tools.example.com/a": "https://tools.example.com/a", "http://tools.example.com/a": "http://tools.example.com/a", "https://login.example/a": "https://login.example/a",
		"http://10.1.2.4:8000/a": "http://10.1.2.4:8000/a", "http://127.0.0.1.evil.example:8000/": "http://127.0.0.1.evil.example:8000/",
		"http://localhostx:8000/": "http://localhostx:8000/", "http://127.0.0.1:8000@evil.example/": "http://127.0.0.1:8000@evil.example/", "http://128.0.0.1:8000/": "http://128.0.0.1:8000/",
		"https://login.example/?to=http://127.0.0.1:8000/cb&x=1":         "https://login.example/?to=https://tools.example.com/cb&x=1",
		"https://login.example/?to=http%3A%2F%2F127.0.0.1%3A8000%2Fcb&x": "https://login.example/?to=https%3A%2F%2Ftools.example.com%2Fcb&x",
		"https://login.example/?to=http%3a%2f%2flocalhost%3a9090":        gone,
		"/login?next=http://localhost:8000/mcp":                          "/login?next=https://tools.example.com/mcp",
		// Link and Refresh.
		`<http://127.0.0.1:8000/a>; rel="next", <https://x.example/b>; rel=prev, <//localhost:8000/c>; rel=x`: `</a>; rel="next", <https://x.example/b>; rel=prev, </c>; rel=x`,
		`</a>; anchor="http://127.0.0.1:8000/b"`: `</a>; anchor="/b"`, "5; url=http://127.0.0.1:8000/a": "5; url=/a", `5; URL='http://127.0.0.1:8000/a'`: `5; URL='/a'`,
	} {
		got, ok := leads().rewrite(said, true)
		if !ok {
			got = gone
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", said, got, want)
		}
	}
}

func TestWholeReferencesOfTheServer(t *testing.T) {
	for said, want := range map[string]string{
		`Bearer resource_metadata="http://127.0.0.1:8000/.well-known/x", scope="a"`: `Bearer resource_metadata="https://tools.example.com/.well-known/x", scope="a"`,
		`Bearer resource_metadata="https://login.example/x"`:                        `Bearer resource_metadata="https://login.example/x"`,
		`default="http://localhost:8000/r"`:                                         `default="https://tools.example.com/r"`,
		`Basic realm="127.0.0.1:8000"`:                                              `Basic realm="127.0.0.1:8000"`,
	} {
		if got, ok := leads().rewrite(said, false); !ok || got != want {
			t.Errorf("%q: got %q, %t, want %q", said, got, ok, want)
		}
	}
}

// A client may itself come by an address that looks like one of the pod's, as through a port-forward: that one is right.
func TestClientOnItsOwnLoopback(t *testing.T) {
	o := leads()
	o.host, o.scheme = "localhost:18080", "http"
	for said, want := range map[string]string{
		"http://localhost:18080/mcp/": "http://localhost:18080/mcp/", "http://127.0.0.1:8000/mcp/": "/mcp/", "http://localhost:8000/a?b=http://[::1]:8000/": "/a?b=http://localhost:18080/",
	} {
		if got, ok := o.rewrite(said, true); !ok || got != want {
			t.Errorf("%q: got %q, %t, want %q", said, got, ok, want)
		}
	}
}

// A header of the greatest length must not keep a processor busy.
func TestManyReferencesAreReadOnce(t *testing.T) {
	for _, unit := range []string{"//a ", "<http://localhost:8000/>,", "/", "http:", `"`} {
		value, began := strings.Repeat(unit, maxValue/len(unit)), time.Now()
		leads().rewrite(value, true)
		if took := time.Since(began); took > generous {
			t.Errorf("%q: %v", unit, took)
		}
	}
}

const (
	maxValue = 64 << 10
	generous = 10 * time.Second
)

func TestWhatMayTrail(t *testing.T) {
	for name, want := range map[string]bool{
		"X-Late": true, "Server-Timing": true, "Content-Digest": true, "Etag": true,
		"Mcp-Session-Id": false, "Mcp_session_id": false, "Mcp-Protocol-Version": false, "Mcp-Any": false, "Location": false, "Link": false, "Set-Cookie": false,
		"Www-Authenticate": false, "Content-Type": false, "Content-Encoding": false, "Access-Control-Allow-Origin": false, "X-Request-Id": false,
		"Authorization": false, "Cache-Control": false, "Content-Location": false,
	} {
		if got := mayTrail(name); got != want {
			t.Errorf("%s: got %t, want %t", name, got, want)
		}
	}
}

// An answer without anything to hide costs no memory.
func TestOrdinaryAnswerIsCleanedForNothing(t *testing.T) {
	x := &exchange{forwarder: New("127.0.0.1", time.Minute), client: &http.Request{Host: "localhost"}, request: Request{Upstream: gateapi.Upstream{Port: 8000}}}
	response := &http.Response{Header: http.Header{
		"Content-Type": {"application/json"}, "Content-Length": {"2"}, "Date": {"x"}, "Server": {"uvicorn"}, "Mcp-Session-Id": {"x"}, "Cache-Control": {"no-cache"},
	}}
	if n := testing.AllocsPerRun(100, func() { x.cleanAnswer(response) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
