// Package health asks whether the server behind the gate listens and is well.
//
// It must not know who asks.
package health

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

	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream/loopback"
)

const (
	timeout = 4 * time.Second // below the 5 s that the kubelet is told to wait
	fresh   = time.Second
)

var (
	errNotListening = errors.New("the server is not listening")
	errNotTaken     = errors.New("the server did not take a connection in time")
	errNoHealth     = errors.New("the server does not answer its health path")
)

// cached asks at most once per fresh; who comes meanwhile waits for the same answer.
type cached struct {
	mu   sync.Mutex
	at   time.Time
	last error
	ask  func(context.Context) error
}

// Check returns what is wrong, nil if nothing is.
func (c *cached) Check() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.at.IsZero() && time.Since(c.at) < fresh {
		return c.last
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	c.last = c.ask(ctx)
	c.at = time.Now()
	return c.last
}

// Listening asks whether the server accepts connections.
type Listening struct{ cached }

// Server asks whether the server is well.
type Server struct{ cached }

// NewListening returns the check of a server at this address.
func NewListening(address func() string) *Listening {
	return &Listening{cached{ask: func(ctx context.Context) error { return Dial(ctx, address()) }}}
}

// NewServer returns the check of a server that is well if it gives a complete answer below 500 on its health path or, if it has none, a
// connection. The gate's own trouble (no descriptors, no memory) never counts against the server, because the kubelet
// would restart it for that.
func NewServer(address, healthPath func() string) *Server {
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DialContext: loopback.DialContext},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &Server{cached{ask: func(ctx context.Context) error {
		if path := healthPath(); path != "" {
			return notOurs(get(ctx, client, "http://"+address()+path))
		}
		return notOurs(Dial(ctx, address()))
	}}}
}

// Dial opens a connection to the server and closes it.
func Dial(ctx context.Context, address string) error {
	conn, err := loopback.DialContext(ctx, "tcp", address)
	if errors.Is(err, syscall.ECONNRESET) { // It accepted, and reset before we could notice.
		return nil
	}
	var late net.Error
	switch {
	case errors.As(err, &late) && late.Timeout(): // It may listen, with a full queue or on a busy node.
		return fmt.Errorf("%w: %w", errNotTaken, err)
	case err != nil:
		return fmt.Errorf("%w: %w", errNotListening, err)
	}
	return conn.Close()
}

func get(ctx context.Context, client *http.Client, url string) error {
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
