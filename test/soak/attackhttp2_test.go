//go:build soak

package soak

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

const http2Connections = 24

// http2Attacks need HTTP/2, which a gate speaks over TLS.
func http2Attacks() []attack {
	attacks := []attack{
		{name: "HTTP2BodiesWithoutToken", run: http2Bodies},
		{name: "HTTP2BodiesWithToken", run: http2BodiesWithToken},
		{name: "HTTP2SmallFramesZeroWindow", run: smallFrames},
		{name: "HTTP2RapidReset", run: rapidReset},
		{name: "HTTP2UnfinishedHeaders", run: unfinishedHeaders},
		{name: "HTTP2ControlFrames", run: controlFrames},
	}
	for i := range attacks {
		attacks[i].tls = true
	}
	return attacks
}

func http2Bodies(ctx context.Context, s *siege) {
	http2Begin(ctx, s, postBlock("content-length", "10000000"))
}

func http2BodiesWithToken(ctx context.Context, s *siege) {
	http2Begin(ctx, s, postBlock("content-length", "4000000", "authorization", s.authorization("h2")))
}

// authorization is the value of that header, with a good token.
func (s *siege) authorization(subject string) string {
	return "Bearer " + mintFor(s.t, s.issuers[keys.ES256], subject)
}

// http2Begin opens as many streams as it may, and sends the first 64 KB of each body.
func http2Begin(ctx context.Context, s *siege, fields []byte) {
	piece := bytes.Repeat([]byte(" "), frameLimit)
	s.holdHTTP2(ctx, http2Connections, nil, func(ctx context.Context, c *http2Conn) {
		for ctx.Err() == nil {
			stream := c.begin(0, fields)
			for range firstWindow / frameLimit {
				if stream == 0 || !c.send(stream, 0, piece) {
					return
				}
			}
		}
	})
}

// smallFrames: a body comes in frames of one byte and 255 of padding, and the answer, which is large, finds no window.
func smallFrames(ctx context.Context, s *siege) {
	noWindow := binary.BigEndian.AppendUint32([]byte{0, initialWindowSetting}, 0)
	fields := postBlock("authorization", s.authorization("small"), strings.ToLower(answerHeader), answerLarge)
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	s.holdHTTP2(ctx, http2Connections, noWindow, func(ctx context.Context, c *http2Conn) {
		for ctx.Err() == nil {
			stream := c.begin(0, fields)
			for i := range len(body) {
				flags := byte(paddedFlag)
				if i == len(body)-1 {
					flags |= endStreamFlag
				}
				padded := append([]byte{255, body[i]}, make([]byte, 255)...)
				if stream == 0 || !c.send(stream, flags, padded) {
					return
				}
			}
		}
	})
}

// rapidReset opens streams of requests that the gate has to judge, and resets each at once.
func rapidReset(ctx context.Context, s *siege) {
	fields := postBlock("authorization", s.authorization("resets"), "content-length", "100")
	s.holdHTTP2(ctx, http2Connections, nil, func(ctx context.Context, c *http2Conn) {
		for stream := uint32(1); ctx.Err() == nil; stream += 2 {
			pair := append(frame(headersFrame, endHeadersFlag, stream, fields), frame(resetFrame, 0, stream, []byte{0, 0, 0, 8})...)
			if _, err := c.Write(pair); err != nil {
				return
			}
		}
	})
}

// unfinishedHeaders: 31 KiB of a field block, whose end does not come.
func unfinishedHeaders(ctx context.Context, s *siege) {
	fields := postBlock("x-junk", strings.Repeat("j", 31<<10))
	s.holdHTTP2(ctx, 1500, nil, func(_ context.Context, c *http2Conn) {
		first, rest := fields[:frameLimit], fields[frameLimit:]
		if _, err := c.Write(frame(headersFrame, 0, 1, first)); err != nil {
			return
		}
		if _, err := c.Write(frame(continuedFrame, 0, 1, rest[:len(rest)-1])); err != nil {
			return
		}
		c.over()
	})
}

// controlFrames want answers, which nobody reads: settings are set, and pings are sent.
func controlFrames(ctx context.Context, s *siege) {
	frames := bytes.Repeat(append(frame(pingFrame, 0, 0, make([]byte, 8)), frame(settingsFrame, 0, 0, nil)...), 1000)
	s.keep(ctx, http2Connections, s.gate.Config.Port, dialTLS("h2"), func(int) talk {
		return func(ctx context.Context, conn net.Conn) string {
			newHTTP2Conn(conn, nil)
			return unread(frames)(ctx, conn)
		}
	})
}
