package attack

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/http2/hpack"
)

// field is a header of HTTP/2, or a pseudo-header, as it is on the wire.
type field struct{ name, value string }

// Frame types and flags (RFC 9113 section 6).
const (
	dataFrame, headersFrame, resetFrame, settingsFrame, pingFrame, awayFrame, windowFrame = 0, 1, 3, 4, 6, 7, 8

	endStream, endHeaders, acknowledged = 1, 4, 1
	// longestFrame is what every peer takes.
	longestFrame = 16 << 10
)

var (
	errStreamReset = errors.New("the stream was reset")
	errGoneAway    = errors.New("the connection was given up")
)

// connection speaks HTTP/2 without the manners of a client library: any text may be a header's name or value.
type connection struct {
	*tls.Conn

	stream  uint32
	encoded bytes.Buffer
	encoder *hpack.Encoder
	decoder *hpack.Decoder
}

func dialHTTP2(address string) (*connection, error) {
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		return nil, err
	}
	c := &connection{Conn: conn, stream: 1, decoder: hpack.NewDecoder(4096, nil)}
	c.encoder = hpack.NewEncoder(&c.encoded)
	_, err = c.Write(append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(settingsFrame, 0, 0, nil)...))
	return c, err
}

// frame writes a frame (RFC 9113 section 4.1).
func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	head := make([]byte, 9, 9+len(payload))
	binary.BigEndian.PutUint32(head, uint32(len(payload))<<8)
	head[3], head[4] = kind, flags
	binary.BigEndian.PutUint32(head[5:], stream)
	return append(head, payload...)
}

func (c *connection) encode(fields []field) []byte {
	c.encoded.Reset()
	for _, f := range fields {
		_ = c.encoder.WriteField(hpack.HeaderField{Name: f.name, Value: f.value}) // A buffer takes all.
	}
	return bytes.Clone(c.encoded.Bytes())
}

// ask sends a request and gives the answer to it. Trailers that are nil are not sent.
func (c *connection) ask(fields []field, body string, trailers []field) (*http.Response, string, error) {
	_ = c.SetDeadline(time.Now().Add(patience))
	stream := c.stream
	c.stream += 2
	ends := func(last bool) byte {
		if last {
			return endStream
		}
		return 0
	}
	out := frame(headersFrame, endHeaders|ends(body == "" && trailers == nil), stream, c.encode(fields))
	for rest := body; rest != ""; {
		part := rest[:min(len(rest), longestFrame)]
		rest = rest[len(part):]
		out = append(out, frame(dataFrame, ends(rest == "" && trailers == nil), stream, []byte(part))...)
	}
	if trailers != nil {
		out = append(out, frame(headersFrame, endHeaders|endStream, stream, c.encode(trailers))...)
	}
	if _, err := c.Write(out); err != nil {
		return nil, "", err
	}
	return c.answer(stream)
}

// answer reads frames until the stream ends.
func (c *connection) answer(stream uint32) (*http.Response, string, error) {
	response, body := &http.Response{Header: http.Header{}, Trailer: http.Header{}}, strings.Builder{}
	for {
		kind, flags, of, payload, err := c.readFrame()
		switch {
		case err != nil:
			return response, body.String(), err
		case kind == awayFrame:
			return response, body.String(), errGoneAway
		case kind == resetFrame && of == stream:
			return response, body.String(), errStreamReset
		case kind == headersFrame:
			if err := c.fill(response, payload, of == stream); err != nil {
				return response, "", err
			}
		case kind == dataFrame:
			body.Write(payload)
			var more [4]byte
			if binary.BigEndian.PutUint32(more[:], uint32(len(payload))); len(payload) > 0 {
				_, _ = c.Write(frame(windowFrame, 0, 0, more[:]))
			}
		case kind == settingsFrame && flags&acknowledged == 0:
			_, _ = c.Write(frame(settingsFrame, acknowledged, 0, nil))
		case kind == pingFrame && flags&acknowledged == 0:
			_, _ = c.Write(frame(pingFrame, acknowledged, 0, payload))
		}
		if of == stream && (kind == headersFrame || kind == dataFrame) && flags&endStream != 0 {
			return response, body.String(), nil
		}
	}
}

func (c *connection) readFrame() (kind, flags byte, stream uint32, payload []byte, err error) {
	var head [9]byte
	if _, err = io.ReadFull(c, head[:]); err != nil {
		return
	}
	payload = make([]byte, binary.BigEndian.Uint32(head[:])>>8)
	_, err = io.ReadFull(c, payload)
	return head[3], head[4], binary.BigEndian.Uint32(head[5:]) &^ (1 << 31), payload, err
}

// fill reads a head, or trailers behind one. What is of another stream has to be decoded all the same.
func (c *connection) fill(response *http.Response, block []byte, wanted bool) error {
	fields, err := c.decoder.DecodeFull(block)
	if !wanted {
		return err
	}
	into := response.Header
	if response.StatusCode != 0 {
		into = response.Trailer
	}
	for _, f := range fields {
		if f.Name == ":status" {
			_, err = fmt.Sscan(f.Value, &response.StatusCode)
			response.Proto, response.Status = "HTTP/2.0", f.Value+" "+http.StatusText(response.StatusCode)
			continue
		}
		into.Add(f.Name, f.Value)
	}
	return err
}
