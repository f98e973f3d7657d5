package connection

import (
	"net"
	"testing"
	"time"
)

func TestConnection_IsAwaitedOnlyWhileTheGateReadsAndNothingHasCome(t *testing.T) {
	plain, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := Listener{plain}
	defer listener.Close()
	client, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	if isAwaited(conn) {
		t.Error("nobody reads, and it is awaited")
	}
	read := make(chan struct{})
	go func() {
		_, _ = conn.Read(make([]byte, 8))
		close(read)
	}()
	eventually(t, "it is awaited", func() bool { return isAwaited(conn) })
	if _, err = client.Write([]byte("first")); err != nil {
		t.Fatal(err)
	}
	<-read
	if isAwaited(conn) {
		t.Error("what came is being dealt with, and it is awaited")
	}
	if _, err = client.Write([]byte("second")); err != nil {
		t.Fatal(err)
	}
	// As if the goroutine that reads had no processor.
	watched, _ := conn.(*watchedConn)
	watched.reading.Store(true)
	eventually(t, "what came is seen", func() bool { return !isAwaited(conn) })
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for limit := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("never: %s", what)
		}
	}
}
