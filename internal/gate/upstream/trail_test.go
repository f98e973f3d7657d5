package upstream

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// A server that says no and resets has said something: it must be heard although writing fails.
func TestAnswerIsReadAfterAFailedWrite(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	connected, closed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(closed)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		<-connected
		_, _ = io.WriteString(conn, "HT")
		_ = conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	}()
	trail := &Trail{}
	dialed, err := dial(t.Context(), listener.Addr().String(), trail)
	if err != nil {
		t.Fatal(err)
	}
	defer dialed.Close()
	conn := &witness{dialed, trail}
	close(connected)
	<-closed
	for trail.written == nil {
		if n, err := conn.Write(make([]byte, 1<<10)); n != 1<<10 || err != nil {
			t.Fatalf("write: %d, %v", n, err)
		}
	}
	got, err := io.ReadAll(conn)
	if string(got) != "HT" || !errors.Is(err, syscall.ECONNRESET) && err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if kind := trail.Kind(); kind != gateapi.ReasonUpstreamReset {
		t.Errorf("the failure is called %s", kind)
	}
}
