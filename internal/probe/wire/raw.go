package wire

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

// SendRaw is send with a head that net/http does not write as a client.
func (s *Sender) SendRaw(request *http.Request, id string, write func(*http.Request, io.Writer) error) Answer {
	var seen recorder
	var conn net.Conn
	defer func() {
		if conn != nil {
			_ = conn.Close()
		}
	}()
	transport := s.transport(&seen)
	return s.exchange(func(request *http.Request) (*http.Response, error) {
		dial, port := transport.DialContext, "80"
		if request.URL.Scheme == "https" {
			dial, port = transport.DialTLSContext, "443"
		}
		address := request.URL.Host
		if request.URL.Port() == "" {
			address = net.JoinHostPort(request.URL.Hostname(), port)
		}
		var err error
		if conn, err = dial(request.Context(), "tcp", address); err != nil {
			return nil, err
		}
		stop := context.AfterFunc(request.Context(), func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
		defer stop()
		return speak(conn, request, write)
	}, &seen, request, func(response *http.Response) ([]byte, bool) { return readBody(response, id) })
}

// WriteHTTP10 writes the request in HTTP/1.0.
func WriteHTTP10(request *http.Request, to io.Writer) error {
	var written bytes.Buffer
	if err := request.Write(&written); err != nil {
		return err
	}
	_, err := to.Write(bytes.Replace(written.Bytes(), []byte(" HTTP/1.1\r\n"), []byte(" HTTP/1.0\r\n"), 1))
	return err
}

func speak(conn net.Conn, request *http.Request, write func(*http.Request, io.Writer) error) (*http.Response, error) {
	var written bytes.Buffer
	if err := write(request, &written); err != nil {
		return nil, err
	}
	if _, err := conn.Write(written.Bytes()); err != nil {
		return nil, err
	}
	return http.ReadResponse(bufio.NewReader(io.LimitReader(conn, MaxHeaderBytes+maxResultBytes)), request)
}
