//go:build soak

package soak

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// begun is as much of a body as a gate remembers of each (package body, HeadBytes), and one more KiB.
var begun = strings.Repeat(" ", 65<<10)

// bodyAttacks send bodies, or do not, and have no good token.
func bodyAttacks() []attack {
	return []attack{
		{name: "BodiesWithoutToken", run: func(ctx context.Context, s *siege) {
			s.hold(ctx, 3500, sendPieces(requestHead(10_000_000), begun))
		}},
		{name: "BodiesWithoutTokenOverTLS", tls: true, run: func(ctx context.Context, s *siege) {
			s.hold(ctx, 2500, sendPieces(requestHead(10_000_000), begun))
		}},
		{name: "BodiesThatNeverCome", run: func(ctx context.Context, s *siege) {
			s.hold(ctx, 9000, sendPieces("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"))
		}},
		{name: "ExpectedBodiesHeldBack", run: expectContinue},
		{name: "ChunkExtensions", run: chunkExtensions},
		{name: "PipelinedRequests", run: pipelined},
		{name: "GarbageTokens", run: garbageTokens},
		{name: "AdminRequestsHeld", run: func(ctx context.Context, s *siege) {
			half := "GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Junk: " + strings.Repeat("x", 31<<10)
			s.keep(ctx, 5000, s.gate.Config.AdminPort, dialPlain, func(int) talk { return sendPieces(half) })
		}},
	}
}

// expectContinue: whoever waits for "100 Continue" is asked for nothing by a gate that needs no body.
func expectContinue(ctx context.Context, s *siege) {
	good := requestHead(1_000_000, "Expect: 100-continue", s.bearer("waits"))
	s.holdEach(ctx, 4000, func(i int) talk {
		if i%2 == 0 {
			return sendPieces(requestHead(1_000_000, "Expect: 100-continue"))
		}
		return sendPieces(good)
	})
}

// chunkExtensions: of each byte of the body there are 3,000 that say nothing (RFC 9112 section 7.1.1).
func chunkExtensions(ctx context.Context, s *siege) {
	good := requestHead(-1, s.bearer("extends"))
	chunk := strings.Repeat("1;"+strings.Repeat("e", 3000)+"\r\n \r\n", 20)
	s.holdEach(ctx, 400, func(i int) talk {
		head := requestHead(-1)
		if i%2 == 0 {
			head = good
		}
		return func(ctx context.Context, conn net.Conn) string {
			answer := answerOf(conn)
			_, err := conn.Write([]byte(head))
			for ; err == nil && ctx.Err() == nil; wait(ctx, 20*time.Millisecond) {
				_, err = conn.Write([]byte(chunk))
			}
			return <-answer
		}
	})
}

// answerOf reads while something else writes.
func answerOf(conn net.Conn) <-chan string {
	answer := make(chan string, 1)
	go func() { answer <- firstLine(conn) }()
	return answer
}

// pipelined: requests follow one another, and nobody reads an answer.
func pipelined(ctx context.Context, s *siege) {
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	good := strings.Repeat(requestHead(len(body), s.bearer("pipelines"))+body, 100)
	bad := strings.Repeat(requestHead(len(body))+body, 300)
	s.holdEach(ctx, 1000, func(i int) talk {
		batch := good
		if i%2 == 0 {
			batch = bad
		}
		return unread([]byte(batch))
	})
}

// unread sends the same over and over, and reads nothing.
func unread(batch []byte) talk {
	return func(ctx context.Context, conn net.Conn) string {
		for ctx.Err() == nil {
			if _, err := conn.Write(batch); err != nil {
				return broken(err)
			}
			runtime.Gosched() // Good clients, who would be other machines, are in this process.
		}
		return "sent to the end"
	}
}

// garbageTokens are all different, name a key of the gate, and come with 20 KiB of other headers.
func garbageTokens(ctx context.Context, s *siege) {
	head, _, _ := strings.Cut(s.bearer("nobody"), ".")
	junk := "X-Junk: " + strings.Repeat("j", 20<<10)
	var made atomic.Int64
	s.hold(ctx, 200, s.ask(0, func() string {
		claims := fmt.Sprintf(`{"iss":%q,"aud":%q,"sub":"nobody","jti":"%d","exp":%d}`, issuerName, issuerName, made.Add(1), time.Now().Add(time.Hour).Unix())
		signature := make([]byte, 64)
		for i := range signature {
			signature[i] = byte(rand.Uint32())
		}
		encode := base64.RawURLEncoding.EncodeToString
		return requestHead(2, junk, strings.Join([]string{head, encode([]byte(claims)), encode(signature)}, ".")) + "{}"
	}))
}
