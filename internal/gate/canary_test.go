package gate_test

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
)

// The canary takes a connection, whatever comes over it, and says nothing.
func TestCanaryNeverSpeaks(t *testing.T) {
	canary, err := new(net.ListenConfig).Listen(t.Context(), "tcp", ":0")
	must(t, err)
	port := canary.Addr().(*net.TCPAddr).Port
	address := net.JoinHostPort("127.0.0.1", canary.Addr().String()[strings.LastIndex(canary.Addr().String(), ":")+1:])
	s := newSite(t, serveHTTP(t, echo), func(_ *site, o *gate.Options) { o.CanaryListener = canary })
	silent, err := new(net.Dialer).DialContext(t.Context(), "tcp", address) // It comes before the others and holds nobody up.
	must(t, err)
	defer silent.Close()
	for _, said := range []string{"", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "\x16\x03\x01\x00", strings.Repeat("x", 1<<20)} {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		must(t, err)
		must(t, conn.SetDeadline(time.Now().Add(patience)))
		// It may close while we speak.
		_, _ = io.WriteString(conn, said)
		heard, err := io.ReadAll(conn)
		if len(heard) > 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("to %.10q the canary said %q, %v", said, heard, err)
		}
		conn.Close()
	}
	state, err := s.state(podUID)
	must(t, err)
	foreign := slices.ContainsFunc(state.Listeners, func(l admin.Listener) bool { return int(l.Port) == port })
	if int(state.CanaryPort) != port || foreign {
		t.Errorf("canaryPort is %d, want %d; among the foreign listeners: %v", state.CanaryPort, port, foreign)
	}
	s.stop()
	if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address); err == nil {
		conn.Close()
		t.Error("the canary outlives its gate")
	}
}

// Somebody else's listener there costs knowledge, not service.
func TestGateWithoutItsCanary(t *testing.T) {
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", ":0")
	must(t, err)
	defer taken.Close()
	s := prepareSite(t, serveHTTP(t, echo))
	s.config.CanaryPort = int32(taken.Addr().(*net.TCPAddr).Port)
	s.writeConfig()
	s.start()
	state, err := s.state(podUID)
	must(t, err)
	if got := s.post(s.token()); got.status != 200 || state.CanaryPort != 0 || !strings.Contains(s.log.String(), "no canary") {
		t.Errorf("got %d, canaryPort %d", got.status, state.CanaryPort)
	}
}
