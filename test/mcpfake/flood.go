package mcpfake

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// floods are the faults that send more than anybody can want.
func floods() []fault {
	return []fault{
		{name: "huge-head", seen: 27, when: "always", effect: "200 with a header of 2 MiB", request: sending(okHead + "X-Huge: " + strings.Repeat("x", 2<<20) + "\r\n" + emptyBody)},
		{name: "huge-body", argument: "MEGABYTES", seen: 27, when: "always", effect: "200 with a body of so many MiB of JSON that does not end well", request: hugeBody},
		{name: "gzip-bomb", seen: 27, when: "always", effect: "200 with 64 MiB of zeros in 64 KB of gzip, although nobody offered to take it", request: gzipBomb},
		{name: "endless-sse", seen: 27, when: "always", effect: "200 with an event stream of comments that never ends", request: endless(okEvents, ": still here\n\n")},
		{name: "endless-1xx", seen: 31, when: "always", effect: "103 again and again, and never an answer", request: endless("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")},
	}
}

const okEvents = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"

func hugeBody(argument string) (answerer, error) {
	megabytes, err := strconv.ParseInt(argument, 10, 32)
	if err != nil || megabytes < 1 {
		return nil, fmt.Errorf("the size must be a number of megabytes")
	}
	part := bytes.Repeat([]byte("["), 1<<20)
	return func(w http.ResponseWriter, _ *http.Request, _ func(int)) fate {
		w.Header().Set("Content-Type", jsonType)
		for range megabytes {
			if _, err := w.Write(part); err != nil {
				break
			}
		}
		return answered
	}, nil
}

func gzipBomb(string) (answerer, error) {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	zeros := make([]byte, 1<<20)
	for range 64 {
		_, _ = writer.Write(zeros)
	}
	_ = writer.Close()
	return func(w http.ResponseWriter, _ *http.Request, _ func(int)) fate {
		w.Header().Set("Content-Type", jsonType)
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
		return answered
	}, nil
}

// endless sends head, and then part until the client leaves.
func endless(head, part string) func(string) (answerer, error) {
	many := strings.Repeat(part, 64)
	return with(func(w http.ResponseWriter, r *http.Request) {
		conn := hijack(w, r)
		defer func(conn net.Conn) { _ = conn.Close() }(conn)
		for _, err := io.WriteString(conn, head); err == nil; {
			_, err = io.WriteString(conn, many)
		}
	})
}
