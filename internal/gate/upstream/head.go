package upstream

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
)

// interim counts the 1xx answers before an answer. None is passed on: they are hints, and MCP has no use for them.
type interim struct{ count, bytes int }

var errInterim = errors.New("the server sent too many interim answers")

func (i *interim) add(header http.Header) error {
	const maxCount, maxBytes = 5, 16 << 10
	i.count++
	for name, values := range header {
		for _, value := range values {
			i.bytes += len(name) + len(value)
		}
	}
	if i.count > maxCount || i.bytes > maxBytes {
		return errInterim
	}
	return nil
}

// judgeHead refuses heads that net/http lets through, but that cannot be passed on as they were meant.
func judgeHead(response *http.Response, trail *Trail) error {
	if response.StatusCode == http.StatusSwitchingProtocols {
		trail.note(func() { trail.upgrade = true })
		return errUpgrade
	}
	if response.StatusCode < http.StatusContinue {
		return errNotHTTP
	}
	for name := range response.Header {
		// "Content-Length : 2" frames the answer for some and not for others (RFC 9112 section 5.1).
		if strings.ContainsAny(name, " \t") {
			return errNotHTTP
		}
	}
	return nil
}

// isPlain tells that everybody would find the end of an answer at the same place: its head is whole within begin, each
// line ends in CRLF, none is folded, and its length is given in one way only. net/http is more lenient.
func isPlain(begin []byte) bool {
	head, _, whole := bytes.Cut(begin, []byte("\r\n\r\n"))
	if !whole {
		return false
	}
	chunked, counted := false, false
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		if len(line) == 0 || line[0] == ' ' || line[0] == '\t' || bytes.IndexByte(line, '\n') >= 0 || bytes.IndexByte(line, '\r') >= 0 {
			return false
		}
		chunked = chunked || hasPrefixFold(line, "transfer-encoding")
		counted = counted || hasPrefixFold(line, "content-length")
	}
	return !chunked || !counted
}

func hasPrefixFold(line []byte, prefix string) bool {
	return len(line) >= len(prefix) && bytes.EqualFold(line[:len(prefix)], []byte(prefix))
}
