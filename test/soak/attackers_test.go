//go:build soak

package soak

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

// again is how soon another connection takes the place of one that has ended.
const again = 500 * time.Millisecond

// talk says something on a connection, and returns what it got.
type talk func(ctx context.Context, conn net.Conn) string

// keep keeps count connections to a port busy until ctx is done; each gets its number, from 0.
func (s *siege) keep(ctx context.Context, count int, port int32, dial dialer, speak func(i int) talk) {
	var all sync.WaitGroup
	for i := range count {
		all.Go(func() {
			say := speak(i)
			for ; ctx.Err() == nil; wait(ctx, again) {
				conn, err := dial(ctx, pod.Loopback(port))
				if err != nil {
					if ctx.Err() == nil {
						s.tally("not connected: " + broken(err))
					}
					continue
				}
				hangUp := context.AfterFunc(ctx, func() { conn.Close() })
				got := say(ctx, conn)
				if ctx.Err() != nil {
					got = "held to the end"
				}
				s.tally(got)
				hangUp()
				conn.Close()
			}
		})
	}
	all.Wait()
}

// hold is keep for connections to the gate that all say the same, as the gate's scheme wants it.
func (s *siege) hold(ctx context.Context, count int, say talk) {
	s.holdEach(ctx, count, func(int) talk { return say })
}

func (s *siege) holdEach(ctx context.Context, count int, speak func(i int) talk) {
	dial := dialPlain
	if s.gate.Config.TLS {
		dial = dialTLS("http/1.1")
	}
	s.keep(ctx, count, s.gate.Config.Port, dial, speak)
}

type dialer func(ctx context.Context, address string) (net.Conn, error)

// dialPlain leaves nothing behind when the connection is closed: else the ports of loopback would run out.
func dialPlain(ctx context.Context, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: pod.Patience}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if connection, isTCP := conn.(*net.TCPConn); isTCP {
		err = connection.SetLinger(0)
	}
	return conn, err
}

func dialTLS(protocol string) dialer {
	return func(ctx context.Context, address string) (net.Conn, error) {
		conn, err := dialPlain(ctx, address)
		if err != nil {
			return nil, err
		}
		secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocol}})
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		return secure, nil
	}
}

// sendPieces sends the pieces, and waits for an answer and for the end of the connection.
func sendPieces(pieces ...string) talk {
	return func(_ context.Context, conn net.Conn) string {
		for _, piece := range pieces {
			if _, err := io.WriteString(conn, piece); err != nil {
				return firstLine(conn)
			}
		}
		return firstLine(conn)
	}
}

// ask sends requests one after another, each the next that is made, reads each answer to its end, and counts it.
func (s *siege) ask(pause time.Duration, next func() string) talk {
	return func(ctx context.Context, conn net.Conn) string {
		reader := bufio.NewReader(conn)
		for ; ; wait(ctx, pause) {
			if _, err := io.WriteString(conn, next()); err != nil {
				return broken(err)
			}
			status, err := readAnswer(reader)
			if err != nil {
				return broken(err)
			}
			s.tally(status)
		}
	}
}

// firstLine waits until the connection ends, and returns the status of the first answer, or how it ended without one.
func firstLine(conn net.Conn) string {
	reader := bufio.NewReaderSize(conn, 64)
	line, err := reader.ReadSlice('\n')
	if len(line) == 0 && err != nil {
		return broken(err)
	}
	got := statusCode(string(line))
	_, _ = io.Copy(io.Discard, reader)
	return got
}

// statusCode of a status line such as "HTTP/1.1 401 Unauthorized".
func statusCode(line string) string {
	if fields := strings.Fields(line); len(fields) > 1 && strings.HasPrefix(fields[0], "HTTP/") {
		return fields[1]
	}
	return "no HTTP answer"
}

// requestHead is the head of a POST, with further header lines; a negative length is chunked.
func requestHead(length int, lines ...string) string {
	framing := fmt.Sprintf("Content-Length: %d", length)
	if length < 0 {
		framing = "Transfer-Encoding: chunked"
	}
	all := append([]string{"POST /mcp HTTP/1.1", "Host: localhost", "Content-Type: application/json", framing}, lines...)
	return strings.Join(all, "\r\n") + "\r\n\r\n"
}

// bearer is the Authorization line of a good token.
func (s *siege) bearer(subject string) string {
	return "Authorization: Bearer " + mintFor(s.t, s.issuers[keys.ES256], subject)
}

// readAnswer reads one answer to its end, and returns its status.
func readAnswer(reader *bufio.Reader) (string, error) {
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return strconv.Itoa(response.StatusCode), err
}
