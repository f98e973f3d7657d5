//go:build soak

package soak

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"time"
)

// headerAttacks do not get as far as a request.
func headerAttacks() []attack {
	return []attack{
		{name: "HeadersThatStall", run: func(ctx context.Context, s *siege) {
			s.hold(ctx, 2000, sendPieces("POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Junk: "+strings.Repeat("x", 31<<10)))
		}},
		{name: "ManySmallHeadersThatStall", run: func(ctx context.Context, s *siege) {
			s.hold(ctx, 2000, sendPieces("POST /mcp HTTP/1.1\r\nHost: localhost\r\n"+strings.Repeat("a:\r\n", 31<<10/4)))
		}},
		{name: "HeadersThatTrickle", run: func(ctx context.Context, s *siege) {
			s.hold(ctx, 6000, headersThatTrickle)
		}},
		{name: "HandshakesHalfDone", tls: true, run: handshakesHalfDone},
		{name: "TLSConnectionsWithoutRequest", tls: true, run: func(ctx context.Context, s *siege) {
			s.hold(ctx, 4000, sendPieces())
		}},
	}
}

func headersThatTrickle(ctx context.Context, conn net.Conn) string {
	answer := answerOf(conn)
	_, err := io.WriteString(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\n")
	for ; err == nil && ctx.Err() == nil; wait(ctx, time.Second) {
		_, err = io.WriteString(conn, "a: b\r\n")
	}
	return <-answer
}

// handshakesHalfDone: a client hello or half of one, and then nothing.
func handshakesHalfDone(ctx context.Context, s *siege) {
	hello := clientHello(s.t.Context())
	if hello == "" {
		s.t.Error("there is no client hello")
		return
	}
	s.keep(ctx, 4000, s.gate.Config.Port, dialPlain, func(i int) talk {
		if i%2 == 0 {
			return sendPieces(hello)
		}
		return sendPieces(hello[:len(hello)/2])
	})
}

// clientHello is the first record (RFC 8446 section 5.1) that a client sends.
func clientHello(ctx context.Context) string {
	ours, theirs := net.Pipe()
	defer ours.Close()
	go tls.Client(theirs, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx) //nolint:errcheck // It is given up.
	head := make([]byte, 5)
	if _, err := io.ReadFull(ours, head); err != nil {
		return ""
	}
	rest := make([]byte, binary.BigEndian.Uint16(head[3:]))
	if _, err := io.ReadFull(ours, rest); err != nil {
		return ""
	}
	return string(head) + string(rest)
}
