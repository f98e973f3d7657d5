//go:build soak

package soak

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

// Frame types and flags (RFC 9113 section 6).
const (
	dataFrame, headersFrame, resetFrame, settingsFrame   = 0, 1, 3, 4
	pingFrame, goAwayFrame, windowFrame, continuedFrame  = 6, 7, 8, 9
	endStreamFlag, ackFlag, endHeadersFlag, paddedFlag   = 1, 1, 4, 8
	initialWindowSetting, firstWindow, frameLimit, h2All = 4, 65_535, 16 << 10, 100
)

func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	size := len(payload)
	head := []byte{byte(size >> 16), byte(size >> 8), byte(size), kind, flags}
	return append(binary.BigEndian.AppendUint32(head, stream), payload...)
}

// block is a field block of literals that nobody remembers (RFC 7541 section 6.2.2), of names and values in turn.
func block(fields ...string) (out []byte) {
	for i := 0; i+1 < len(fields); i += 2 {
		out = append(out, 0)
		out = appendText(appendText(out, fields[i]), fields[i+1])
	}
	return out
}

// appendText is a string literal without Huffman code (RFC 7541 sections 5.1 and 5.2).
func appendText(out []byte, text string) []byte {
	const prefix = 1<<7 - 1
	if len(text) < prefix {
		return append(append(out, byte(len(text))), text...)
	}
	out = append(out, prefix)
	rest := len(text) - prefix
	for ; rest >= 1<<7; rest >>= 7 {
		out = append(out, byte(rest)|1<<7)
	}
	return append(append(out, byte(rest)), text...)
}

// postBlock is a POST to the endpoint, with further fields.
func postBlock(fields ...string) []byte {
	return block(append([]string{":method", "POST", ":scheme", "https", ":path", "/mcp", ":authority", "localhost",
		"content-type", "application/json"}, fields...)...)
}

// http2Conn is a client that sends any frames. It obeys the connection's window, which ends what ignores it.
type http2Conn struct {
	net.Conn

	mu      sync.Mutex
	changed *sync.Cond
	next    uint32 // ID of the next stream
	open    int    // streams that the other side has not ended
	window  int    // what may be sent on the connection
	end     string // how the connection ended; empty while it has not
}

// newHTTP2Conn sends the preface with settings, and reads what comes until the connection ends.
func newHTTP2Conn(conn net.Conn, settings []byte) *http2Conn {
	c := &http2Conn{Conn: conn, next: 1, window: firstWindow}
	c.changed = sync.NewCond(&c.mu)
	_, _ = c.Write(append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(settingsFrame, 0, 0, settings)...)) // The next Write tells.
	return c
}

// read reads frames until the connection ends, and returns how.
func (c *http2Conn) read() {
	reader, end := bufio.NewReader(c.Conn), ""
	for head := make([]byte, 9); end == ""; {
		if _, err := io.ReadFull(reader, head); err != nil {
			end = broken(err)
			break
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(reader, payload); err != nil {
			end = broken(err)
			break
		}
		end = c.take(head[3], head[4], binary.BigEndian.Uint32(head[5:]), payload)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end = end
	c.changed.Broadcast()
}

// take notes what a frame says; end is set where it says that the connection ends.
func (c *http2Conn) take(kind, flags byte, stream uint32, payload []byte) (end string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case kind == goAwayFrame && len(payload) >= 8:
		return fmt.Sprintf("GOAWAY %d", binary.BigEndian.Uint32(payload[4:]))
	case kind == windowFrame && stream == 0 && len(payload) == 4:
		c.window += int(binary.BigEndian.Uint32(payload))
	case kind == resetFrame, (kind == dataFrame || kind == headersFrame) && flags&endStreamFlag != 0:
		c.open--
	case kind == settingsFrame && flags&ackFlag == 0:
		go c.Write(frame(settingsFrame, ackFlag, 0, nil)) //nolint:errcheck // The next one that writes learns of it.
	}
	c.changed.Broadcast()
	return ""
}

// begin opens a stream once there are fewer than h2All; the ID is 0 when the connection has ended.
func (c *http2Conn) begin(flags byte, fields []byte) (stream uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.open >= h2All && c.end == "" {
		c.changed.Wait()
	}
	if c.end != "" {
		return 0
	}
	stream = c.next
	c.next += 2
	c.open++
	if _, err := c.Write(frame(headersFrame, flags|endHeadersFlag, stream, fields)); err != nil {
		return 0
	}
	return stream
}

// send sends data within the connection's window; a stream's window it does not watch.
func (c *http2Conn) send(stream uint32, flags byte, payload []byte) bool {
	c.mu.Lock()
	for c.window < len(payload) && c.end == "" {
		c.changed.Wait()
	}
	c.window -= len(payload)
	ended := c.end != ""
	c.mu.Unlock()
	if ended {
		return false
	}
	_, err := c.Write(frame(dataFrame, flags, stream, payload))
	return err == nil
}

// over returns how the connection ended, once it has.
func (c *http2Conn) over() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.end == "" {
		c.changed.Wait()
	}
	return c.end
}

// holdHTTP2 keeps connections busy; each talk begins behind the preface.
func (s *siege) holdHTTP2(ctx context.Context, count int, settings []byte, speak func(ctx context.Context, c *http2Conn)) {
	s.keep(ctx, count, s.gate.Config.Port, dialTLS("h2"), func(int) talk {
		return func(ctx context.Context, conn net.Conn) string {
			c := newHTTP2Conn(conn, settings)
			var reading sync.WaitGroup
			reading.Go(c.read)
			speak(ctx, c)
			conn.Close()
			reading.Wait()
			return c.over()
		}
	})
}
