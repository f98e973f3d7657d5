package attack

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// readRequest is a request as a strict server reads it (RFC 9112), or as it was judged.
type readRequest struct {
	method, target string
	header         http.Header
	body           string
	// incomplete: the connection ended within the body, so that a server must not act on it (RFC 9112 section 8); or the
	// client did not end its own.
	incomplete bool
}

// strictServer reads HTTP/1.1 in the one way that the standard leaves, and nothing else. What it could not read so is a
// problem.
type strictServer struct {
	mu       sync.Mutex
	requests []readRequest
	problems []string
}

func newStrictServer(tb testing.TB) (*strictServer, *guardedServer) {
	tb.Helper()
	listener := listen(tb)
	tb.Cleanup(func() { listener.Close() })
	s := &strictServer{}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s, &guardedServer{address: listener.Addr()}
}

func (s *strictServer) serve(conn net.Conn) {
	defer conn.Close()
	for in := bufio.NewReader(conn); ; {
		request, err := readStrictly(in)
		if errors.Is(err, io.EOF) {
			return
		}
		request.incomplete = errors.Is(err, io.ErrUnexpectedEOF)
		s.mu.Lock()
		s.requests = append(s.requests, request)
		if err != nil && !request.incomplete {
			s.problems = append(s.problems, err.Error())
		}
		s.mu.Unlock()
		if err != nil {
			return
		}
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(served), served)
	}
}

// take gives what has been read since the last time.
func (s *strictServer) take() ([]readRequest, []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.requests, s.problems = nil, nil }()
	return s.requests, s.problems
}

// readStrictly gives io.EOF where no request begins.
func readStrictly(in *bufio.Reader) (readRequest, error) {
	line, err := in.ReadString('\n')
	if err != nil && line == "" {
		return readRequest{}, io.EOF
	}
	words := strings.Split(strings.TrimSuffix(line, "\r\n"), " ")
	if !strings.HasSuffix(line, "\r\n") || len(words) != 3 || words[2] != "HTTP/1.1" || !isToken(words[0]) || !isVisible(words[1]) || words[1][0] != '/' {
		return readRequest{}, fmt.Errorf("request line %q", line)
	}
	r := readRequest{method: words[0], target: words[1], header: http.Header{}}
	for {
		line, err := in.ReadString('\n')
		name, value, found := strings.Cut(strings.TrimSuffix(line, "\r\n"), ": ")
		switch {
		case line == "\r\n":
			return r, r.readBody(in)
		case err != nil || !strings.HasSuffix(line, "\r\n") || !found && !strings.HasSuffix(line, ":\r\n") || !isToken(strings.TrimSuffix(name, ":")) ||
			strings.ContainsAny(value, "\r\n\x00") || value != strings.Trim(value, " \t"):
			return r, fmt.Errorf("header line %q", line)
		}
		key := http.CanonicalHeaderKey(strings.TrimSuffix(name, ":"))
		r.header[key] = append(r.header[key], value)
	}
}

// readBody wants one length, or chunks without anything behind them.
func (r *readRequest) readBody(in *bufio.Reader) error {
	lengths, codings := r.header["Content-Length"], r.header["Transfer-Encoding"]
	switch {
	case len(lengths)+len(codings) > 1:
		return fmt.Errorf("lengths %q, codings %q", lengths, codings)
	case len(lengths) == 1:
		length, err := strconv.ParseUint(lengths[0], 10, 31)
		if err != nil || strconv.FormatUint(length, 10) != lengths[0] {
			return fmt.Errorf("length %q", lengths[0])
		}
		return r.readPart(in, int(length))
	case len(codings) == 1 && codings[0] != "chunked":
		return fmt.Errorf("coding %q", codings[0])
	case len(codings) == 1:
		return r.readChunks(in)
	}
	return nil
}

func (r *readRequest) readChunks(in *bufio.Reader) error {
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return io.ErrUnexpectedEOF
		}
		size, err := strconv.ParseUint(strings.TrimSuffix(line, "\r\n"), 16, 31)
		if err != nil {
			return fmt.Errorf("chunk size %q", line)
		}
		if err := r.readPart(in, int(size)); err != nil {
			return err
		}
		end := make([]byte, 2)
		if _, err := io.ReadFull(in, end); err != nil {
			return io.ErrUnexpectedEOF
		}
		if string(end) != "\r\n" {
			return fmt.Errorf("end of a chunk or trailer: %q", end)
		}
		if size == 0 {
			return nil
		}
	}
}

// readPart adds so many bytes to the body, or as many as there are.
func (r *readRequest) readPart(in *bufio.Reader, size int) error {
	part := make([]byte, size)
	n, err := io.ReadFull(in, part)
	r.body += string(part[:n])
	if err != nil {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func isToken(text string) bool {
	return text != "" && strings.Trim(text, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func isVisible(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' || c == '#' })
}
