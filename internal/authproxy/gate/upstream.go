package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

const (
	checkTimeout = 4 * time.Second // below the 5 s that the kubelet is told to wait
	checkFresh   = time.Second
)

var (
	errNotListening = errors.New("the server is not listening")
	errNoHealth     = errors.New("the server does not answer its health path")
)

// cached asks at most once per checkFresh; who comes meanwhile waits for the same answer.
type cached struct {
	mu   sync.Mutex
	at   time.Time
	last error
	ask  func(context.Context) error
}

func (c *cached) check() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.at.IsZero() && time.Since(c.at) < checkFresh {
		return c.last
	}
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	c.last = c.ask(ctx)
	c.at = time.Now()
	return c.last
}

type (
	listenCheck struct{ cached }
	serverCheck struct{ cached }
)

// newListenCheck asks whether the server accepts connections.
func newListenCheck(address func() string) *listenCheck {
	return &listenCheck{cached{ask: func(ctx context.Context) error { return dialServer(ctx, address()) }}}
}

// newServerCheck asks whether the server is well: a complete answer below 500 on its health path or, if it has none, a
// connection. The gate's own trouble (no descriptors, no memory) never counts against the server, because the kubelet
// would restart it for that.
func newServerCheck(address, healthPath func() string) *serverCheck {
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &serverCheck{cached{ask: func(ctx context.Context) error {
		if path := healthPath(); path != "" {
			return notOurs(askHealth(ctx, client, "http://"+address()+path))
		}
		return notOurs(dialServer(ctx, address()))
	}}}
}

func dialServer(ctx context.Context, address string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if errors.Is(err, syscall.ECONNRESET) { // It accepted, and reset before we could notice.
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errNotListening, err)
	}
	return conn.Close()
}

func askHealth(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoHealth, err)
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoHealth, err)
	}
	defer response.Body.Close()
	const enough = 1 << 20
	if _, err := io.CopyN(io.Discard, response.Body, enough); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", errNoHealth, err)
	}
	if response.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("%w: status %d", errNoHealth, response.StatusCode)
	}
	return nil
}

func notOurs(err error) error {
	for _, ours := range []error{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL, syscall.EACCES, syscall.EPERM,
	} {
		if errors.Is(err, ours) {
			return nil
		}
	}
	return err
}
