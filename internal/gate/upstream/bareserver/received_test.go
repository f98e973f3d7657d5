package bareserver_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream/bareserver"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// oneAnswer is the URL of a server that gives one answer and is gone; without an answer it is gone from the beginning.
func oneAnswer(t *testing.T, answer string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	if answer == "" {
		listener.Close()
	} else {
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				listener.Close()
				_, _ = fmt.Fprint(conn, answer)
			}
		}()
	}
	return "http://" + listener.Addr().String() + "/mcp"
}

// TestOnlyAQuestionThatWasReceivedMakesAServerExit: one that is gone before it was asked, or after it has answered as a server
// does, has ended for another reason.
func TestOnlyAQuestionThatWasReceivedMakesAServerExit(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		want   bareserver.Result
	}{
		"gone before it was asked":    {"", bareserver.Unclear},
		"gone after a refusal":        {"HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", bareserver.Unclear},
		"gone after an odd answer":    {"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", bareserver.Exits},
		"gone in the middle of one":   {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", bareserver.Exits},
		"gone without any, but asked": {" ", bareserver.Exits},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := oneAnswer(t, c.answer)
			once := bareserver.NewOnce(gateapi.BareServerOnce, t.TempDir(), slog.New(slog.DiscardHandler))
			once.Run(t.Context(), bareserver.Server{
				Well: func() bool { return true }, Endpoint: func() string { return url },
				Dial: func(context.Context) error { return errRefused },
			})
			if got := once.Result(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
