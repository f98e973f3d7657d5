package mcpfake_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

const secret = "a-secret-of-the-server's-own-and-long-enough"

// testMode is what a client sees of one fault.
type testMode struct {
	fault, headers string
	// prefix begins what is read, part stands somewhere in it, and it has at least atLeast bytes.
	prefix, part string
	atLeast      int
	// end is how the connection ends: nil in order, os.ErrDeadlineExceeded not at all.
	end error
}

const (
	http200 = "HTTP/1.1 200 OK\r\n"
	http401 = "HTTP/1.1 401 Unauthorized\r\n"
	http403 = "HTTP/1.1 403 Forbidden\r\n"
	http500 = "HTTP/1.1 500 Internal Server Error\r\n"
	result  = `"id":7,"result":{"capabilities"`
	basic   = "Authorization: Basic eDp5\r\n"
	stale   = "Authorization: Bearer e30.eyJleHAiOjF9.c2ln\r\n" // {"exp":1}
)

func modes() []testMode {
	return []testMode{
		{fault: "refuse", headers: jwtShaped, prefix: http401, part: "bearer token is required"},
		{fault: "any-bearer", prefix: http401},
		{fault: "any-bearer", headers: malformed, prefix: http200, part: result},
		{fault: "fallback", headers: basic, prefix: http401},
		{fault: "fallback", prefix: http200, part: result},
		{fault: "jwt=" + secret, prefix: http401},
		{fault: "jwt=" + secret, headers: malformed, prefix: http403, part: "could not be verified"},
		{fault: "jwt=" + secret, headers: jwtShaped, prefix: http403},
		{fault: "jwt=" + secret, headers: stale, prefix: http403},
		{fault: "jwt=" + secret, headers: signed(`{"sub":"x","exp":99999999999}`), prefix: http200, part: result},
		{fault: "jwt=" + secret, headers: signed(`{"sub":"x","exp":1}`), prefix: http403},
		{fault: "jwt-strict=" + secret, headers: signed(`{"sub":"x","exp":99999999999}`), prefix: http403, part: "unsupported fields"},
		{fault: "jwt-strict=" + secret, headers: signed(`{"id":"x","exp":99999999999}`), prefix: http200, part: result},
		{fault: "status=415", prefix: "HTTP/1.1 415 Unsupported Media Type\r\n"},
		{fault: "wrong-origin", prefix: http403, part: "Invalid Origin"},
		{fault: "busy=429", prefix: "HTTP/1.1 429 Too Many Requests\r\n", part: "Retry-After: 1\r\n"},
		{fault: "redirect=307:http://192.0.2.1/mcp", prefix: "HTTP/1.1 307 Temporary Redirect\r\n", part: "Location: http://192.0.2.1/mcp\r\n"},
		{fault: "refuse-html", prefix: http401, part: "<html>"},
		{fault: "refuse-empty", prefix: http401, part: "Content-Length: 0\r\n"},
		{fault: "refuse-terse", prefix: http401, part: `{"error":"no"}`},
		{fault: "refuse-trace", prefix: http401, part: "Traceback", atLeast: 13000},
		{fault: "refuse-echo", headers: malformed, prefix: http401, part: "not-a-valid-jwt-token"},
		{fault: "error-trace", prefix: http500, part: "Traceback", atLeast: 13000},
		{fault: "error-json", prefix: http500, part: `{"error":`},
		{fault: "refuse-early", prefix: http401, part: "{}"},
		{fault: "open", prefix: http200, part: result},
		{fault: "open@nth=1,refuse", prefix: http200, part: result},
		{fault: "open@nth=2,refuse", prefix: http401},
		{fault: "rpc-error", prefix: http200, part: `"id":7,"error":{"code":-32001,"message":"unauthorized`},
		{fault: "tool-error", prefix: http200, part: `"isError":true`},
		{fault: "empty", prefix: http200, part: "Content-Length: 0\r\n"},
		{fault: "html", prefix: http200, part: "It works!"},
		{fault: "login-page", prefix: http200, part: `type="password"`},
		{fault: "accepted", prefix: "HTTP/1.1 202 Accepted\r\n", part: "Content-Length: 0\r\n"},
		{fault: "not-json", prefix: http200, part: "{'jsonrpc'"},
		{fault: "wrong-type", prefix: http200, part: "Content-Type: text/plain\r\n"},
		{fault: "wrong-type", prefix: http200, part: result},
		{fault: "wrong-id", prefix: http200, part: `"id":0,"result":{"capabilities"`},
		{fault: "clock=-100000h", prefix: http200, part: " 2015 "},
		{fault: "reset", headers: jwtShaped, end: syscall.ECONNRESET},
		{fault: "reset-no-token", end: syscall.ECONNRESET},
		{fault: "reset-malformed", headers: malformed, end: syscall.ECONNRESET},
		{fault: "eof"},
		{fault: "panic"},
		{fault: "hang", end: errSilent},
		{fault: "head-hang", prefix: "HTTP/1.1 200 OK\r\nContent-Ty", end: errSilent},
		{fault: "body-hang", prefix: halfHead, atLeast: len(halfHead) + 40, end: errSilent},
		{fault: "drip=50ms", prefix: "HT", end: errSilent},
		{fault: "drip=0s", prefix: http200, part: "\r\n\r\n{}"},
		{fault: "half", prefix: halfHead, atLeast: len(halfHead) + 40},
		{fault: "half-chunk", prefix: http200, part: "\r\n\r\n64\r\n{"},
		{fault: "bad-chunk", prefix: http200, part: "\r\n\r\nzz\r\n"},
		{fault: "two-lengths", prefix: http200, part: "Content-Length: 7\r\nContent-Length: 2\r\n"},
		{fault: "twice", prefix: http401, part: "{}" + http200},
		{fault: "refuse-reset", prefix: http401, part: "{}", end: syscall.ECONNRESET},
		{fault: "garbage", prefix: "SSH-2.0-"},
		{fault: "http09", prefix: "<html>"},
		{fault: "no-continue", prefix: http200, part: result},
		{fault: "no-continue", headers: "Expect: 100-continue\r\n", end: errSilent},
		{fault: "huge-head", prefix: http200, part: "\r\n\r\n{}", atLeast: 2 << 20},
		{fault: "huge-body=2", prefix: http200, atLeast: 2 << 20},
		{fault: "gzip-bomb", prefix: http200, part: "Content-Encoding: gzip\r\n", atLeast: 60000},
		{fault: "endless-sse", prefix: http200, part: ": still here\n\n", atLeast: 3 << 20},
		{fault: "endless-1xx", prefix: "HTTP/1.1 103 Early Hints\r\n", atLeast: 3 << 20},
		{fault: "reset-unread", end: syscall.ECONNRESET},
		{fault: "accept-hang", end: errSilent},
		{fault: "banner", prefix: "SSH-2.0-"},
		{fault: "tls", prefix: "\x15\x03"},
		{fault: "h2c", prefix: "\x00\x00\x00\x04", part: "\x07"},
		{fault: "crash", part: "7"},
		{fault: "crash-no-token", part: "7"},
		{fault: "crash-malformed", headers: malformed, part: "7"},
		{fault: "oom=1", prefix: http200, part: result},
		{fault: "flap=1h", prefix: http200, part: result},
	}
}

// TestModesOnTheWire: what each fault of requests and of the port shows to a client.
func TestModesOnTheWire(t *testing.T) {
	for _, mode := range modes() {
		t.Run(mode.fault+" "+mode.headers, func(t *testing.T) {
			t.Parallel()
			exits := make(chan int, 1)
			patience := 20 * time.Second
			if errors.Is(mode.end, errSilent) {
				patience = 300 * time.Millisecond
			}
			addr := serve(t, mcpfake.Options{Faults: mode.fault, Exit: func(code int) { exits <- code; panic(http.ErrAbortHandler) }})
			got, err := ask(t, addr, mode.headers, patience)
			if strings.HasPrefix(mode.fault, "crash") {
				if code := <-exits; code != 1 || got != "" {
					t.Errorf("exit code %d, read %q", code, got)
				}
				return
			}
			if !errors.Is(err, mode.end) || (mode.end == nil && mode.prefix == "" && got != "") {
				t.Errorf("read %.200q, %v, want %v", got, err, mode.end)
			}
			if !strings.HasPrefix(got, mode.prefix) || !strings.Contains(got, mode.part) || len(got) < mode.atLeast {
				t.Errorf("read %d bytes %.300q, want %q ... %q", len(got), got, mode.prefix, mode.part)
			}
		})
	}
}

// TestEveryModeIsShown: a fault that is in no table is one that nobody has seen.
func TestEveryModeIsShown(t *testing.T) {
	shown := []string{"exit-after", "die-after", "slow-start", "no-listen", "exit-at-start", "exit-without-env"} // TestStart, TestEnd
	for _, mode := range modes() {
		name, _, _ := strings.Cut(strings.SplitN(mode.fault, "@", 2)[0], "=")
		shown = append(shown, name)
	}
	for _, name := range mcpfake.Faults() {
		if !slices.Contains(shown, name) {
			t.Errorf("%s is not shown", name)
		}
	}
	t.Logf("%d modes on the wire, %d rows", len(mcpfake.Faults()), len(modes()))
}
