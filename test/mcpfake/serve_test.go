package mcpfake_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// serve runs a fake on a port of its own, as its program does.
func serve(t *testing.T, options mcpfake.Options) string {
	t.Helper()
	fake, err := mcpfake.New(options)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- fake.Serve(listener) }()
	t.Cleanup(func() {
		_ = fake.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// ask sends one initialize request and reads at most 3 MiB until the connection ends or is silent for too long.
func ask(t *testing.T, addr, headers string, patience time.Duration) (string, error) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	body := `{"jsonrpc":"2.0","id":7,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}`
	_, err = fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: fake\r\nConnection: close\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s",
		headers, len(body), body)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(io.LimitReader(conn, 3<<20))
	return string(data), err
}

// TestRefusedWhileWriting: the answer that comes before the body was read costs a client that writes on its connection.
func TestRefusedWhileWriting(t *testing.T) {
	conn, err := net.Dial("tcp", serve(t, mcpfake.Options{Faults: "refuse-early"}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	const size = 64 << 20
	if _, err := fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: fake\r\nContent-Length: %d\r\n\r\n", size); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(conn, bytes.NewReader(make([]byte, size))); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("wrote all of it: %v", err)
	}
}
