package mcpfake_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

const (
	jwtShaped = "Authorization: Bearer e30.e30.c2ln\r\n"
	malformed = "Authorization: Bearer not-a-valid-jwt-token\r\n"
	halfHead  = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
)

// start serves a fake on a real socket and gives its address.
func start(t *testing.T, options mcpfake.Options) (*mcpfake.Server, string) {
	t.Helper()
	fake, err := mcpfake.New(options)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	return fake, server.Listener.Addr().String()
}

// exchange sends one initialize request over a connection of its own and reads until the connection ends.
func exchange(t *testing.T, addr, headers string) (string, error) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	body := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}`
	_, err = fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: fake\r\nConnection: close\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s",
		headers, len(body), body)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(conn)
	return string(data), err
}

// TestFaultsOnTheWire: what a client sees of each fault, and that requests outside of its trigger are answered well.
func TestFaultsOnTheWire(t *testing.T) {
	const well = "HTTP/1.1 200 OK\r\n"
	tests := []struct {
		faults, headers string
		prefix          string // of what is read
		length          int    // of what is read, 0 for any
		err             error
	}{
		{faults: "", prefix: well},
		{faults: "none", prefix: well},
		{faults: "open", prefix: well},
		{faults: "reset-no-token", err: syscall.ECONNRESET},
		{faults: "reset-no-token", headers: malformed, prefix: well},
		{faults: "reset-malformed", prefix: well},
		{faults: "reset-malformed", headers: malformed, err: syscall.ECONNRESET},
		{faults: "reset-malformed", headers: "Authorization: Bearer a.b\r\n", err: syscall.ECONNRESET},
		{faults: "reset-malformed", headers: "Authorization: Bearer a.b.!\r\n", err: syscall.ECONNRESET},
		{faults: "reset-malformed", headers: jwtShaped, prefix: well},
		{faults: "any-bearer", prefix: "HTTP/1.1 401 Unauthorized\r\n"},
		{faults: "any-bearer", headers: "Authorization: Basic eDp5\r\n", prefix: "HTTP/1.1 401 Unauthorized\r\n"},
		{faults: "any-bearer", headers: "Authorization: bearer x\r\n", prefix: well},
		{faults: "any-bearer", headers: malformed, prefix: well},
		{faults: "reset-no-token,any-bearer", err: syscall.ECONNRESET},
		{faults: " reset-no-token , any-bearer ", headers: malformed, prefix: well},
		{faults: "eof", headers: jwtShaped, prefix: "", length: 0},
		{faults: "garbage", headers: jwtShaped, prefix: "SSH-2.0-", length: 23},
		{faults: "half", headers: jwtShaped, prefix: halfHead, length: len(halfHead) + 40},
		{faults: "status=503", headers: jwtShaped, prefix: "HTTP/1.1 503 Service Unavailable\r\n"},
	}
	for _, test := range tests {
		t.Run(test.faults+" "+test.headers, func(t *testing.T) {
			fake, addr := start(t, mcpfake.Options{Faults: test.faults})
			got, err := exchange(t, addr, test.headers)
			if !errors.Is(err, test.err) || !strings.HasPrefix(got, test.prefix) {
				t.Errorf("read %q, %v; want %q..., %v", got, err, test.prefix, test.err)
			}
			if wantsAll := test.length != 0 || test.prefix == ""; wantsAll && len(got) != test.length {
				t.Errorf("read %d bytes, want %d: %q", len(got), test.length, got)
			}
			if requests := fake.Requests(); requests.WithAuthorization+requests.WithoutAuthorization != 1 {
				t.Errorf("counted %+v", requests)
			}
			if status := get(t, addr, "/health"); status != http.StatusOK {
				t.Errorf("/health answers %d", status)
			}
		})
	}
}

func get(t *testing.T, addr, path string) int {
	t.Helper()
	response, err := http.Get("http://" + addr + path)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// TestHang: the connection stays open and silent until the client leaves, and then is given up.
func TestHang(t *testing.T) {
	fake, err := mcpfake.New(mcpfake.Options{Faults: "hang"})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fake.ServeHTTP(w, r)
		close(done)
	}))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "POST /mcp HTTP/1.1\r\nHost: fake\r\nContent-Length: 0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if n, err := conn.Read(make([]byte, 1)); n != 0 || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("read %d bytes, %v", n, err)
	}
	_ = conn.Close()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Error("the connection is kept although the client has left")
	}
}

func TestCrash(t *testing.T) {
	codes := make(chan int, 2)
	_, addr := start(t, mcpfake.Options{Faults: "crash-no-token", Exit: func(code int) { codes <- code }})
	if _, err := exchange(t, addr, jwtShaped); err != nil || len(codes) != 0 {
		t.Errorf("with a token: %d exits, %v", len(codes), err)
	}
	_, _ = exchange(t, addr, "")
	select {
	case code := <-codes:
		if code != 1 {
			t.Errorf("exit code %d", code)
		}
	default:
		t.Error("it did not exit")
	}
}

// TestStart: what faults of the start do before the port opens.
func TestStart(t *testing.T) {
	prepare := func(faults string, env map[string]string, ctx context.Context) error {
		fake, err := mcpfake.New(mcpfake.Options{Faults: faults})
		if err != nil {
			t.Fatal(err)
		}
		return fake.Prepare(ctx, func(name string) (string, bool) { value, ok := env[name]; return value, ok })
	}
	var missing *mcpfake.MissingEnvError
	for _, env := range []map[string]string{nil, {"CATALOG_URL": ""}} {
		err := prepare("exit-without-env=CATALOG_URL", env, t.Context())
		if !errors.As(err, &missing) || missing.Name != "CATALOG_URL" || !strings.Contains(err.Error(), "CATALOG_URL") {
			t.Errorf("%v: %v", env, err)
		}
	}
	if err := prepare("exit-without-env=CATALOG_URL", map[string]string{"CATALOG_URL": "x"}, t.Context()); err != nil {
		t.Error(err)
	}
	if err := prepare("slow-start=1ms", nil, t.Context()); err != nil {
		t.Error(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := prepare("slow-start=1h", nil, cancelled); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	for want, options := range map[string]mcpfake.Options{
		`unknown fault "bla"`:         {Faults: "bla"},
		`unknown fault ""`:            {Faults: "=3"},
		"write status=NNN":            {Faults: "status"},
		"write slow-start=DURATION":   {Faults: "slow-start="},
		"write eof":                   {Faults: "eof=1"},
		"from 200 to 599":             {Faults: "status=99"},
		"the status must be a number": {Faults: "status=ok"},
		"must be like 4s":             {Faults: "slow-start=4"},
		`unknown dialect "x"`:         {Dialect: "x"},
		`unknown answer "x"`:          {Answer: "x"},
		`path "mcp"`:                  {Path: "mcp"},
		`path "/health"`:              {Path: "/health"},
		"stream interval -1s":         {StreamInterval: -time.Second},
	} {
		if _, err := mcpfake.New(options); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", options, err, want)
		}
	}
}

func TestUsageNamesEveryFault(t *testing.T) {
	usage := mcpfake.Usage()
	names := append(mcpfake.Faults(), "status=NNN", "slow-start=DURATION", "exit-without-env=NAME", "no-token", "nth=N")
	for _, name := range names {
		if !strings.Contains(usage, "\n"+name) {
			t.Errorf("%s is missing in\n%s", name, usage)
		}
	}
}
