package upstream

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"syscall"
	"time"
)

// link is a connection to the server that may serve more than one exchange.
type link struct {
	witness

	address     string
	raw         syscall.RawConn
	reader      *bufio.Reader
	writer      *bufio.Writer
	headRoom    int // how many bytes of a head may still be read; negative outside of heads
	plain       bool
	deadlineSet bool // a deadline for reading is set
	// beforeWait is called before an answer's body is waited for.
	beforeWait func()
	// The server began to wait for another request between these two: when the last exchange began, and when its answer
	// had been read.
	began, idleSince time.Time
}

const linkBuffer = 4 << 10

func newLink(conn net.Conn, address string, trail *Trail) (*link, error) {
	tcp, isTCP := conn.(*net.TCPConn)
	if !isTCP {
		return nil, errors.New("the server's address is not TCP")
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	l := &link{witness: witness{tcp, trail}, address: address, raw: raw, headRoom: -1}
	l.reader, l.writer = bufio.NewReaderSize(l, linkBuffer), bufio.NewWriterSize(l, linkBuffer)
	return l, nil
}

// setReadDeadline bounds the time until an answer begins.
func (l *link) setReadDeadline(deadline time.Time) error {
	l.deadlineSet = true
	return l.SetDeadline(deadline)
}

// Read keeps the head of an answer within its bounds. The body may take its time; most are at hand by then.
func (l *link) Read(p []byte) (int, error) {
	switch {
	case l.headRoom == 0:
		return 0, errNotHTTP
	case l.headRoom > 0:
		n, err := l.witness.Read(p[:min(len(p), l.headRoom)])
		l.headRoom -= n
		return n, err
	}
	if l.deadlineSet {
		l.deadlineSet = false
		if err := l.SetReadDeadline(time.Time{}); err != nil {
			return 0, err
		}
	}
	if l.beforeWait != nil {
		l.beforeWait()
	}
	return l.witness.Read(p)
}

// readHead skips interim answers.
func (l *link) readHead(r *http.Request) (*http.Response, error) {
	defer func() { l.headRoom = -1 }()
	l.plain = true
	for seen := (interim{}); ; {
		l.headRoom = maxHeadBytes
		// An error will show again in ReadResponse.
		_, _ = l.reader.Peek(1)
		begin, _ := l.reader.Peek(l.reader.Buffered())
		l.plain = l.plain && isPlain(begin)
		response, err := http.ReadResponse(l.reader, r)
		if err != nil {
			return nil, err
		}
		if response.StatusCode < 100 || response.StatusCode >= 200 || response.StatusCode == http.StatusSwitchingProtocols {
			return response, nil
		}
		if err := seen.add(response.Header); err != nil {
			return nil, err
		}
	}
}

// reusable tells whether another exchange may follow on the connection, once the answer to r has been read to its end.
func (l *link) reusable(r *http.Request, response *http.Response) bool {
	return l.plain && !response.Close && response.ProtoMajor == 1 && response.ProtoMinor >= 1 && !l.trail.failedToWrite() &&
		wasRead(r, response)
}

// wasRead tells that the server has read the body of r. Not so, perhaps, where it refused, or expected none: what is left
// unread would be the next request on the connection, made by a client and answered to another.
func wasRead(r *http.Request, response *http.Response) bool {
	return r.ContentLength == 0 || r.Method == http.MethodPost && response.StatusCode < http.StatusBadRequest
}

// isQuiet tells that the server has neither closed the connection nor said anything unasked. It does not wait.
func (l *link) isQuiet() bool {
	quiet := false
	err := l.raw.Control(func(fd uintptr) {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		quiet = errors.Is(err, syscall.EAGAIN)
	})
	return err == nil && quiet
}

func (l *link) abort() { _ = l.Close() }
