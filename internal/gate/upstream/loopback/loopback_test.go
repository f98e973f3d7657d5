package loopback_test

import (
	"context"
	"errors"
	"net"
	"strconv"
	"syscall"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream/loopback"
)

// listen gives the port of a listener on a host, of which no other loopback address has one.
func listen(t *testing.T, host string) string {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestDial(t *testing.T) {
	four, six := listen(t, "127.0.0.1"), listen(t, "::1")
	for name, c := range map[string]struct{ address, reaches string }{
		"a server on 127.0.0.1":              {"127.0.0.1:" + four, "127.0.0.1:" + four},
		"a server on ::1 alone":              {"127.0.0.1:" + six, "[::1]:" + six},
		"another host has no other loopback": {"127.0.0.2:" + six, ""},
	} {
		conn, err := loopback.DialContext(context.Background(), "tcp", c.address)
		if err != nil {
			if c.reaches != "" || !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if got := conn.RemoteAddr().String(); got != c.reaches {
			t.Errorf("%s: connected to %s, want %q", name, got, c.reaches)
		}
		conn.Close()
	}
}

func TestRefusalNamesTheAddressThatWasAsked(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().(*net.TCPAddr)
	listener.Close()
	_, err = loopback.DialContext(context.Background(), "tcp", address.String())
	var refused *net.OpError
	if !errors.As(err, &refused) || refused.Addr.String() != "127.0.0.1:"+strconv.Itoa(address.Port) || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v", err)
	}
}
