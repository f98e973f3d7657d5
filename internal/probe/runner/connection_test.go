package runner_test

import (
	"context"
	"errors"
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// TestConnectionAttempt: what a failed attempt means, by its error. A reset right after accept can surface here.
func TestConnectionAttempt(t *testing.T) {
	during := func(call string, errno syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError(call, errno)}
	}
	tests := []struct {
		name    string
		err     error
		outcome probe.Outcome
		kind    probe.Kind
	}{
		{"refused", during("connect", syscall.ECONNREFUSED), probe.Refused, probe.Unreachable},
		{"reset", during("connect", syscall.ECONNRESET), probe.Reset, probe.Broken},
		{"host unreachable", during("connect", syscall.EHOSTUNREACH), probe.NoRoute, probe.Unreachable},
		{"network unreachable", during("connect", syscall.ENETUNREACH), probe.NoRoute, probe.Unreachable},
		{"no such name", &net.OpError{Op: "dial", Err: &net.DNSError{Name: "gate", IsNotFound: true}}, probe.NoRoute, probe.Unreachable},
		{"timed out by the kernel", during("connect", syscall.ETIMEDOUT), probe.ConnectTimeout, probe.Unreachable},
		{"out of files", during("socket", syscall.EMFILE), probe.NotTried, probe.Inconclusive},
		{"anything else", errors.New("connection reset by peer"), probe.NotTried, probe.Inconclusive},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dial := func(context.Context, string, string) (net.Conn, error) { return nil, test.err }
			report := run(t, runner.Options{Dial: dial}, probe.Target{
				URL: "http://192.0.2.1:8080/mcp", Providers: []probe.Provider{{Tokens: template(t)}}, Exact: true, Timeout: patience,
			})
			got := firstResult(t, report, probe.Valid)
			if got.Outcome != test.outcome || verdicts.Of(report).Kind != test.kind {
				t.Errorf("%+v, verdict %+v", got, verdicts.Of(report))
			}
		})
	}
}

// TestUnreachableEndsTheRound: the other cases are shown as not tried, and nothing is dialled for them.
func TestUnreachableEndsTheRound(t *testing.T) {
	var dials atomic.Int32
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		dials.Add(1)
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closedPort := listener.Addr().String()
	_ = listener.Close()
	report := run(t, runner.Options{Dial: dial}, probe.Target{
		URL: "http://" + closedPort + "/mcp", Providers: []probe.Provider{{Tokens: template(t)}}, Exact: true, Timeout: patience,
	})
	if dials.Load() != 1 || len(report.Results) < 20 {
		t.Fatalf("%d connection attempts, %d results", dials.Load(), len(report.Results))
	}
	for i, result := range report.Results {
		want := probe.NotTried
		if i == 0 {
			want = probe.Refused
		}
		if result.Outcome != want || result.Seen == "" {
			t.Errorf("%d: %+v, want %s", i, result, want)
		}
	}
	if verdict := verdicts.Of(report); verdict.Kind != probe.Unreachable || verdict.Outcome != probe.Refused {
		t.Errorf("%+v", verdict)
	}
}

// TestConnectTimeout: nobody answers the attempt.
func TestConnectTimeout(t *testing.T) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
	}
	report := run(t, runner.Options{Dial: dial}, probe.Target{
		URL: "http://192.0.2.1:8080/mcp", Providers: []probe.Provider{{Tokens: template(t)}}, Exact: true, Timeout: hurry,
	})
	if got := firstResult(t, report, probe.Valid); got.Outcome != probe.ConnectTimeout {
		t.Errorf("%+v", got)
	}
}

// listen serves every connection of a port with a function.
func listen(t *testing.T, serve func(*net.TCPConn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				serve(conn.(*net.TCPConn))
			}()
		}
	}()
	return "http://" + listener.Addr().String() + "/mcp"
}

// TestNoHTTPAtAll: ports behind which something else lives, from the first packet on.
func TestNoHTTPAtAll(t *testing.T) {
	plain := template(t)
	fake, err := mcpfake.New(mcpfake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	overTLS := httptest.NewTLSServer(fake)
	defer overTLS.Close()
	notTLS := httptest.NewServer(fake)
	defer notTLS.Close()
	tests := []struct {
		name, url string
		outcome   probe.Outcome
		timeout   bool
	}{
		{"reset after accept", listen(t, resetting), probe.Reset, false},
		{"hang after accept", listen(t, hanging), probe.Timeout, true},
		{"banner first", listen(t, func(conn *net.TCPConn) { _, _ = conn.Write([]byte("220 smtp ready\r\n")); hanging(conn) }), probe.NotHTTP, false},
		{"certificate of nobody", strings.Replace(overTLS.URL, "http:", "https:", 1) + "/mcp", probe.TLS, false},
		{"TLS to a plain port", strings.Replace(notTLS.URL, "http:", "https:", 1) + "/mcp", probe.TLS, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			timeout := patience
			if test.timeout {
				timeout = hurry
			}
			report := run(t, runner.Options{}, probe.Target{URL: test.url, Providers: []probe.Provider{{Tokens: plain}}, Exact: true, Timeout: timeout})
			if got := firstResult(t, report, probe.Valid); got.Outcome != test.outcome {
				t.Errorf("%+v, want %s", got, test.outcome)
			}
			if kind := verdicts.Of(report).Kind; kind != probe.Broken {
				t.Errorf("verdict %s", kind)
			}
		})
	}
}

// TestSilenceEndsTheRound: a port that takes connections and says nothing costs two time limits, not one per case.
func TestSilenceEndsTheRound(t *testing.T) {
	var accepted atomic.Int32
	url := listen(t, func(conn *net.TCPConn) { accepted.Add(1); hanging(conn) })
	report := run(t, runner.Options{}, probe.Target{URL: url, Providers: []probe.Provider{{Tokens: template(t)}}, Exact: true, Timeout: hurry})
	if accepted.Load() != 2 || len(report.Results) < 20 || report.Results[2].Outcome != probe.NotTried {
		t.Errorf("%d connections, %+v", accepted.Load(), report.Results)
	}
}

// TestCancelled: a round that its caller ends, at once or by a deadline of its own, is no evidence.
func TestCancelled(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	defer cancel()
	late, cancelLate := context.WithTimeout(t.Context(), hurry)
	defer cancelLate()
	for name, ctx := range map[string]context.Context{"cancelled": cancelled, "deadline of the caller": late} {
		t.Run(name, func(t *testing.T) {
			url := listen(t, func(conn *net.TCPConn) { cancel(); hanging(conn) })
			report, err := runner.New(runner.Options{}).Run(ctx, probe.Target{URL: url, Providers: []probe.Provider{{Tokens: template(t)}}, Exact: true, Timeout: patience})
			if err != nil {
				t.Fatal(err)
			}
			for _, result := range report.Results {
				if result.Outcome != probe.NotTried {
					t.Errorf("%+v", result)
				}
			}
			if kind := verdicts.Of(report).Kind; kind != probe.Inconclusive || len(report.Results) < 20 {
				t.Errorf("%s, %+v", kind, report.Results)
			}
		})
	}
}
