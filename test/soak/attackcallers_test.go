//go:build soak

package soak

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

const (
	// fullBody is the longest body that a gate takes by default.
	fullBody = 4 << 20
	// manyCallers each have a good token of their own.
	manyCallers = 300
)

// callerAttacks have good tokens.
func callerAttacks() []attack {
	return []attack{
		{name: "SlowReadersOfLargeAnswers", run: slowReaders},
		{name: "BodiesOfOneCaller", run: func(ctx context.Context, s *siege) {
			s.hold(ctx, 2000, sendPieces(requestHead(fullBody, s.bearer("one")), begun))
		}},
		{name: "BodiesOfManyCallers", crowd: true, run: func(ctx context.Context, s *siege) {
			s.holdEach(ctx, 10*manyCallers, func(i int) talk {
				return sendPieces(requestHead(fullBody, s.bearer(fmt.Sprint("caller-", i%manyCallers))), begun)
			})
		}},
		{name: "BigClaimsAndSessions", run: bigClaims},
		{name: "StreamsOfManyCallers", crowd: true, run: streamsOfMany},
		{name: "NewTokensOfManyCallers", run: newTokens},
	}
}

// slowReaders ask for large answers, and read a few bytes of them every second.
func slowReaders(ctx context.Context, s *siege) {
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	s.holdEach(ctx, 1000, func(i int) talk {
		ask := requestHead(len(body), answerHeader+": "+answerLarge, s.bearer(fmt.Sprint("reader-", i%10))) + body
		return func(ctx context.Context, conn net.Conn) string {
			if connection, isTCP := conn.(*net.TCPConn); isTCP {
				_ = connection.SetReadBuffer(4 << 10)
			}
			if _, err := io.WriteString(conn, ask); err != nil {
				return broken(err)
			}
			few := make([]byte, 64)
			first, err := conn.Read(few)
			for ; err == nil && ctx.Err() == nil; wait(ctx, time.Second) {
				_, err = conn.Read(make([]byte, 64))
			}
			if first == 0 {
				return broken(err)
			}
			return statusCode(string(few[:first]))
		}
	})
}

// bigClaims: every request has another good token of nearly 8 KiB, another caller, and a session of 16 KiB.
func bigClaims(ctx context.Context, s *siege) {
	var made atomic.Int64
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	s.hold(ctx, 8, s.ask(time.Millisecond, func() string {
		template := s.issuers[keys.ES256].With(map[string]any{"groups": strings.Repeat("g", 2700)})
		bearer := mintFor(s.t, template, fmt.Sprint(strings.Repeat("s", 1300), made.Add(1)))
		return requestHead(len(body), "Authorization: Bearer "+bearer, "Mcp-Session-Id: "+strings.Repeat("i", 16<<10)) + body
	}))
}

// newTokens: as many good tokens as there is time for, each of another caller with a name of 1,300 letters.
func newTokens(ctx context.Context, s *siege) {
	var made atomic.Int64
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	s.hold(ctx, 8, s.ask(time.Millisecond, func() string {
		return requestHead(len(body), s.bearer(fmt.Sprint(strings.Repeat("s", 1300), made.Add(1)))) + body
	}))
}

// streamsOfMany: callers open as many streams as they may, and read no event.
func streamsOfMany(ctx context.Context, s *siege) {
	const each, callers = 64, 30
	s.holdEach(ctx, each*callers, func(i int) talk {
		open := fmt.Sprintf("GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n%s\r\n\r\n", s.bearer(fmt.Sprint("caller-", i/each)))
		return sendPieces(open)
	})
}
