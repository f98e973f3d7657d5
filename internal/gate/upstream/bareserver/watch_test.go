package bareserver_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream/bareserver"
)

var errRefused = &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}

// late is a connection attempt that its deadline ends, which is what a full backlog and a busy machine look like.
func late(ctx context.Context) error {
	<-ctx.Done()
	return &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
}

// after calls first until so much time has passed, and then.
func after(d time.Duration, first, then func(context.Context) error) func(context.Context) error {
	begun := time.Now()
	return func(ctx context.Context) error {
		if time.Since(begun) < d {
			return first(ctx)
		}
		return then(ctx)
	}
}

func TestOnlyARefusedConnectionIsAnExit(t *testing.T) {
	listens := func(context.Context) error { return nil }
	refuses := func(context.Context) error { return errRefused }
	timesOut := func(context.Context) error { return &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded} }
	for name, c := range map[string]struct {
		asked bareserver.Result
		dial  func() func(context.Context) error
		want  bareserver.Result
	}{
		"refused at once":                          {bareserver.Resets, func() func(context.Context) error { return refuses }, bareserver.Exits},
		"refused while it ends":                    {bareserver.Resets, func() func(context.Context) error { return after(4*time.Second, listens, refuses) }, bareserver.Exits},
		"refused much later":                       {bareserver.Resets, func() func(context.Context) error { return after(6*time.Second, listens, refuses) }, bareserver.Resets},
		"never refused":                            {bareserver.Resets, func() func(context.Context) error { return listens }, bareserver.Resets},
		"not connected by the end of the watch":    {bareserver.Resets, func() func(context.Context) error { return late }, bareserver.Resets},
		"the last look meets the end of the watch": {bareserver.Resets, func() func(context.Context) error { return after(5*time.Second-time.Millisecond, listens, late) }, bareserver.Resets},
		"every look times out":                     {bareserver.Resets, func() func(context.Context) error { return timesOut }, bareserver.Resets},
		"no descriptors":                           {bareserver.Resets, func() func(context.Context) error { return func(context.Context) error { return syscall.EMFILE } }, bareserver.Resets},
		"refused after an odd answer":              {bareserver.Unclear, func() func(context.Context) error { return refuses }, bareserver.Exits},
		"refused long after an odd answer":         {bareserver.Unclear, func() func(context.Context) error { return after(2*time.Second, listens, refuses) }, bareserver.Unclear},
		"refused after a refusal":                  {bareserver.Refuses, func() func(context.Context) error { return refuses }, bareserver.Refuses},
		"refused after a result":                   {bareserver.Open, func() func(context.Context) error { return refuses }, bareserver.Open},
		"refused after silence":                    {bareserver.Hangs, func() func(context.Context) error { return refuses }, bareserver.Hangs},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := bareserver.Watch(t.Context(), c.asked, c.dial()); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
			})
		})
	}
}

// The kernel drops connection attempts to a listener whose backlog is full; nothing answers them.
func TestAFullBacklogIsNoExit(t *testing.T) {
	t.Parallel()
	address := fullListener(t)
	dialed := 0
	got := bareserver.Watch(t.Context(), bareserver.Unclear, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			conn.Close()
			return nil
		}
		dialed++
		if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a full backlog gives %v", err)
		}
		return err
	})
	if got != bareserver.Unclear || dialed == 0 {
		t.Errorf("got %s after %d attempts that timed out", got, dialed)
	}
}

// fullListener listens, never accepts, and has as many connections waiting as it takes.
func fullListener(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*syscall.SockaddrInet4).Port))
	for range 8 {
		conn, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Fatal("the backlog does not fill")
	return ""
}

// Healthy servers are asked twenty times each while every core is busy, and nothing false is said of one.
func TestHealthyServersUnderLoad(t *testing.T) {
	busy(t)
	in := says(200, "application/json", result)
	for name, c := range map[string]struct {
		none, bad http.HandlerFunc
		want      bareserver.Result
	}{
		"401":            {says(401, "", ""), says(401, "", ""), bareserver.Refuses},
		"401 and 403":    {says(401, "", ""), says(403, "", ""), bareserver.Refuses},
		"any bearer":     {says(401, "", ""), in, bareserver.AnyBearer},
		"open":           {in, in, bareserver.Open},
		"JSON-RPC error": {says(200, "application/json", `{"error":{"code":-32001}}`), says(401, "", ""), bareserver.Refuses},
		"404":            {says(404, "", ""), says(404, "", ""), bareserver.Unclear},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var starts sync.WaitGroup
			for range 20 {
				starts.Go(func() {
					server := httptest.NewServer(to(c.none, c.bad))
					defer server.Close()
					address := server.Listener.Addr().String()
					got, _ := bareserver.Ask(t.Context(), server.URL+"/mcp")
					got = bareserver.Watch(t.Context(), got, func(ctx context.Context) error {
						conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
						if err != nil {
							return fmt.Errorf("dial: %w", err)
						}
						return conn.Close()
					})
					if got != c.want {
						t.Errorf("got %s, want %s", got, c.want)
					}
				})
			}
			starts.Wait()
		})
	}
}

// busy keeps every core busy until the test ends.
func busy(t *testing.T) {
	t.Helper()
	var done atomic.Int32
	t.Cleanup(func() { done.Store(1) })
	for range 2 * runtime.GOMAXPROCS(0) {
		go func() {
			for done.Load() == 0 {
				runtime.Gosched()
			}
		}()
	}
}
