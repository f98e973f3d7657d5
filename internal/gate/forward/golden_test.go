package forward_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http/httputil"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// record is what a scene came to, in a form that does not depend on the day, on ports, or on how bytes were cut into
// chunks and packets.
func (s *stage) record(sc scene, seen []byte, end error) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out strings.Builder
	fmt.Fprintf(&out, "=== %s\nclient sees:\n%s  %s\n", sc.name, quote(joinChunks(seen)), endOf(end))
	for _, raw := range s.requests {
		if seen := quote(joinChunks([]byte(raw))); seen == usual {
			out.WriteString("server sees the usual request\n")
		} else {
			out.WriteString("server sees:\n" + seen)
		}
	}
	for _, failure := range s.failures {
		reason := "none of the gate's"
		if failure.Denial != nil {
			reason = string(failure.Denial.Reason)
		}
		fmt.Fprintf(&out, "failure %q, answer: %s\n", failure.Kind, reason)
	}
	return out.String()
}

// usual is what the server gets of post(ping).
var usual = quote([]byte("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + itoa(len(ping)) + "\r\nX-Forwarded-For: 127.0.0.1\r\n" +
	"X-Forwarded-Host: localhost\r\nX-Forwarded-Proto: http\r\n\r\n" + ping))

func endOf(err error) string {
	switch {
	case err == nil:
		return "closed"
	case isReset(err):
		return "reset"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "still open"
	default:
		return err.Error()
	}
}

var volatile = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`(?m)^Date: .*\r\n`), "Date: *\r\n"},
	{regexp.MustCompile(`(?m)^Host: (127\.0\.0\.1:\d+|localhost)\r\n`), "Host: SERVER\r\n"},
	// Without keep-alive the server is told so; that is not a difference in what is asked.
	{regexp.MustCompile(`([A-Z]+) (.*) HTTP/1\.1\r\n((?:.+\r\n)*)Connection: close\r\n`), "$1 $2 HTTP/1.1\r\n$3"},
}

// joinChunks makes one chunk of the chunks of each message, as far as they are well-formed.
func joinChunks(raw []byte) []byte {
	head, rest, found := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !found {
		return raw
	}
	out := append(bytes.Clone(head), "\r\n\r\n"...)
	if !bytes.Contains(head, []byte("Transfer-Encoding: chunked")) {
		return append(out, rest...)
	}
	source := bufio.NewReader(bytes.NewReader(rest))
	content, err := io.ReadAll(httputil.NewChunkedReader(source))
	if len(content) > 0 {
		out = fmt.Appendf(out, "%x\r\n%s\r\n", len(content), content)
	}
	if err == nil {
		out = append(out, "0\r\n"...)
	}
	left, _ := io.ReadAll(source)
	return append(out, joinChunks(left)...)
}

// quote writes each line as a Go string; long ones are cut.
func quote(raw []byte) string {
	text := string(raw)
	for _, v := range volatile {
		text = v.pattern.ReplaceAllString(text, v.with)
	}
	var out strings.Builder
	repeated, last := 0, ""
	for line := range strings.SplitAfterSeq(text+"\x00", "\n") {
		if line == last {
			repeated++
			continue
		}
		if repeated > 0 {
			fmt.Fprintf(&out, "  ... %d times more\n", repeated)
		}
		repeated, last = 0, line
		line = strings.TrimSuffix(line, "\x00")
		const longest = 600
		switch {
		case line == "":
		case len(line) > longest:
			sum := sha256.Sum256([]byte(line))
			fmt.Fprintf(&out, "  %q... %d bytes, SHA-256 %s\n", line[:30], len(line), hex.EncodeToString(sum[:8]))
		default:
			fmt.Fprintf(&out, "  %q\n", line)
		}
	}
	return out.String()
}

// compareGolden compares with testdata/NAME.golden, scene by scene.
func compareGolden(t *testing.T, name string, records []string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		must(t, os.WriteFile(file, []byte(strings.Join(records, "")), 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	byName := map[string]string{}
	for text := range strings.SplitSeq("\n"+string(want), "\n=== ") {
		first, _, _ := strings.Cut(text, "\n")
		byName[first] = strings.TrimSpace("=== " + text)
	}
	for _, record := range records {
		first, _, _ := strings.Cut(strings.TrimPrefix(record, "=== "), "\n")
		if got := strings.TrimSpace(record); got != byName[first] {
			t.Errorf("got\n%s\nwant\n%s", got, byName[first])
		}
		delete(byName, first)
	}
	delete(byName, "")
	for left := range byName {
		t.Errorf("%s has a scene that is not played: %s", file, left)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

func itoa16(n int) string { return strconv.FormatInt(int64(n), 16) }
