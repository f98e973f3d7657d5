package health

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The kubelet, and whoever else asks, must not be able to load the server with checks.
func TestChecksAreShared(t *testing.T) {
	var asked atomic.Int32
	bad := errors.New("not well")
	c := cached{ask: func(context.Context) error {
		asked.Add(1)
		return bad
	}}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := c.Check(); !errors.Is(err, bad) {
				t.Errorf("got %v", err)
			}
		})
	}
	all.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("the server was asked %d times", n)
	}
}

// A failing check makes the kubelet restart the server; that must not be for the gate's own trouble.
func TestOwnTroubleIsNotTheServers(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EADDRNOTAVAIL} {
		if err := notOurs(fmt.Errorf("%w: %w", errNotListening, os.NewSyscallError("socket", errno))); err != nil {
			t.Errorf("%v counts against the server", errno)
		}
	}
	for _, errno := range []syscall.Errno{syscall.ECONNREFUSED, syscall.ECONNRESET} {
		if err := notOurs(os.NewSyscallError("connect", errno)); err == nil {
			t.Errorf("%v does not count", errno)
		}
	}
}

// That no connection comes about in time does not tell that nothing listens.
func TestALateConnectionIsNoAbsence(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	over, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	if err := Dial(over, address); !errors.Is(err, errNotTaken) || errors.Is(err, errNotListening) {
		t.Errorf("out of time: %v", err)
	}
	listener.Close()
	if err := Dial(t.Context(), address); !errors.Is(err, errNotListening) {
		t.Errorf("nothing listens: %v", err)
	}
}
