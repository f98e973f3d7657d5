package admin

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"
)

const patience = time.Minute // for what must happen at some time; nothing is timed

// startBounded serves on loopback with small limits, and returns the address.
func startBounded(t *testing.T, limit, perSource int, handler http.Handler) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(handler, nil)
	go server.Serve(newBounded(listener, limit, perSource)) //nolint:errcheck // Ends with the test.
	t.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

// from dials from an address of its own.
func from(t *testing.T, source, address string) net.Conn {
	t.Helper()
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(source), 0)), Timeout: patience}
	conn, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func ask(t *testing.T, conn net.Conn, path string) (status int, err error) {
	t.Helper()
	if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: gate\r\n\r\n"); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

func probed(quiesce func(context.Context)) http.Handler {
	return Handler(Routes{
		Ready: func() error { return nil }, Server: func() error { return nil }, Quiesce: quiesce,
		Metrics: http.NotFoundHandler(), State: http.NotFoundHandler(),
	})
}

// Whoever holds connections, idle or waiting for /quiesce, does not keep the kubelet out: its probes, and the hook of the
// server's container that it waits for.
func TestCrowdDoesNotKeepTheKubeletOut(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	waiting := make(chan struct{}, 100)
	// The gate may notice late that the kubelet has closed a connection: a crowd's share is more than all of the kubelet's.
	address := startBounded(t, 32, 16, probed(func(ctx context.Context) {
		waiting <- struct{}{}
		select {
		case <-release:
		case <-ctx.Done():
		}
	}))
	hook := from(t, "127.0.0.2", address)
	if _, err := io.WriteString(hook, "GET /quiesce HTTP/1.1\r\nHost: gate\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-waiting
	for _, source := range []string{"127.0.0.3", "127.0.0.4", "127.0.0.5"} {
		for range 20 {
			crowd := from(t, source, address)
			if _, err := io.WriteString(crowd, "GET /quiesce HTTP/1.1\r\nHost: gate\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
		}
		probe := from(t, "127.0.0.2", address)
		if status, err := ask(t, probe, "/livez"); status != http.StatusOK || err != nil {
			t.Errorf("beside the crowd of %s the kubelet gets %d, %v", source, status, err)
		}
		probe.Close() // The kubelet keeps no connection.
	}
	close(release)
	response, err := http.ReadResponse(bufio.NewReader(hook), nil)
	if err != nil {
		t.Fatalf("the hook was cut off: %v", err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the hook gets %d", response.StatusCode)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bound := newBounded(listener, 8, 4)
	t.Cleanup(func() { bound.Close() })
	var accepted []net.Conn
	open := func(source string, count int) {
		for range count {
			from(t, source, listener.Addr().String())
			conn, err := bound.Accept()
			if err != nil {
				t.Fatal(err)
			}
			accepted = append(accepted, conn)
		}
	}
	counts := func() (all, most int) {
		bound.mu.Lock()
		defer bound.mu.Unlock()
		for _, connections := range bound.sources {
			most = max(most, connections.Len())
		}
		return bound.open, most
	}
	open("127.0.0.2", 1)
	open("127.0.0.3", 20)
	if all, most := counts(); all != 5 || most != 4 {
		t.Errorf("of one source %d of %d are open, want 4 of 5", most, all)
	}
	open("127.0.0.4", 4)
	open("127.0.0.5", 4)
	if all, most := counts(); all != 8 || most > 4 {
		t.Errorf("%d are open, %d of one source", all, most)
	}
	if bound.sources[netip.MustParseAddr("127.0.0.2")].Len() != 1 {
		t.Error("the source with one connection lost it")
	}
	for range 2 { // A server may close twice.
		for _, conn := range accepted {
			conn.Close()
		}
	}
	if all, _ := counts(); all != 0 || len(bound.sources) != 0 {
		t.Errorf("all are closed, and %d count, of %d sources", all, len(bound.sources))
	}
}

// /quiesce waits longer than an answer may take, and is answered all the same.
func TestQuiesceOutlivesTheWriteTimeout(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	expired := make(chan struct{})
	server := NewServer(probed(func(context.Context) { <-expired }), nil)
	server.WriteTimeout = 50 * time.Millisecond
	go server.Serve(listener) //nolint:errcheck // Ends with the test.
	t.Cleanup(func() { server.Close() })
	time.AfterFunc(2*server.WriteTimeout, func() { close(expired) })
	if status, err := ask(t, from(t, "127.0.0.2", listener.Addr().String()), "/quiesce"); status != http.StatusOK || err != nil {
		t.Errorf("got %d, %v", status, err)
	}
}

func TestScrapesAreBounded(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}, 10), make(chan struct{})
	address := startBounded(t, 100, 100, Handler(Routes{
		Ready: func() error { return nil }, Server: func() error { return nil }, Quiesce: func(context.Context) {},
		Metrics: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			entered <- struct{}{}
			<-release
		}),
		State: http.NotFoundHandler(),
	}))
	done := make(chan int, maxScrapes)
	for range maxScrapes {
		conn := from(t, "127.0.0.2", address)
		go func() {
			status, _ := ask(t, conn, "/metrics")
			done <- status
		}()
		<-entered
	}
	if status, err := ask(t, from(t, "127.0.0.2", address), "/metrics"); status != http.StatusServiceUnavailable || err != nil {
		t.Errorf("one more scrape gets %d, %v", status, err)
	}
	if status, err := ask(t, from(t, "127.0.0.2", address), "/livez"); status != http.StatusOK || err != nil {
		t.Errorf("/livez gets %d, %v", status, err)
	}
	close(release)
	for range maxScrapes {
		if status := <-done; status != http.StatusOK {
			t.Errorf("a scrape within the limit gets %d", status)
		}
	}
}
