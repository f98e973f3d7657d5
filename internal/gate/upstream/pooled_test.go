package upstream

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// countingConn counts what is written at once.
type countingConn struct {
	net.Conn

	writes int
}

func (c *countingConn) Write(p []byte) (int, error) {
	c.writes++
	return c.Conn.Write(p)
}

// Two writes are two system calls here, and two wake-ups of the server.
func TestRequestWithABodyOfAnyKind_IsWrittenAtOnce(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		defer far.Close()
		r, err := http.ReadRequest(bufio.NewReader(far))
		if err == nil {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(far, "HTTP/1.1 204 No Content\r\n\r\n")
		}
	}()
	conn := &countingConn{Conn: near}
	l := &link{witness: witness{conn, &Trail{}}, headRoom: -1}
	l.reader, l.writer = bufio.NewReader(l), bufio.NewWriter(l)
	body := io.NopCloser(io.LimitReader(strings.NewReader("{}"), 2))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://server/mcp", body)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 2
	p := NewPooled(time.Minute, 0)
	response, err := p.exchange(l, r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if conn.writes != 1 {
		t.Errorf("written in %d parts", conn.writes)
	}
}
