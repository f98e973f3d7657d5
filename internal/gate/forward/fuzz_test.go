package forward_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// longestFuzzed is what loopback carries in one packet: bytes that come behind an answer are there when its end is seen.
const longestFuzzed = 32 << 10

// FuzzAnswer has a server say anything. Whichever way was taken, the client gets an answer that is whole, or one that
// visibly is not, and the same one; and whoever comes next never gets any of it.
func FuzzAnswer(f *testing.F) {
	for _, text := range serverAnswers {
		f.Add([]byte(text), true)
		f.Add([]byte(text), false)
	}
	f.Fuzz(func(t *testing.T, text []byte, closes bool) {
		if len(text) > longestFuzzed {
			return
		}
		records := map[string]string{}
		for way, forwarder := range ways {
			sc := scene{client: []string{post(ping)}, server: saysAndLingers(string(text), closes)}
			s := newStage(t, forwarder(), sc.server)
			seen, end := s.play(sc)
			isWholeOrBroken(t, seen, end)
			records[way] = s.record(sc, seen, end)
			s.nobodyElseGets(closes)
		}
		if short, long := records["short or long"], records["long"]; short != long {
			t.Errorf("on the one way\n%s\non the other\n%s", short, long)
		}
	})
}

// serverAnswers are answers of the kinds that the scenes have.
var serverAnswers = []string{
	"", "HTTP/1.", ok, ok + "\r\nhello", "220 mail.example ESMTP\r\n\r\n", clean + clean,
	ok + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
	ok + "Content-Length: 2\r\n\r\n{}POISON",
	ok + "Content-Length: 50\r\n\r\nhello",
	ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}{",
	"HTTP/1.1 200 OK\nContent-Length: 2\nA: b\n\n{}",
	ok + "A: b\r\n c\r\nContent-Length : 2\r\n\r\n{}",
	chunked + "\r\n2\r\n{}\r\n0\r\n\r\n" + clean,
	chunked + "Content-Length: 7\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n",
	chunked + "Trailer: X-Late\r\n\r\n2\r\n{}\r\n0\r\nX-Late: yes\r\n\r\n",
	chunked + "\r\n9\r\nhello",
	chunked + "\r\n2\r\n{}\r\nzz\r\n\r\n",
	events + "\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n",
	events + "\r\n6\r\ndata: \r\n",
	"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}",
	"HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\nPOISON",
	"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
	"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok + "Content-Length: 2\r\n\r\n{}",
	"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nGatehouse-Reason: forged\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
}

// saysAndLingers says one thing and closes: at once, or when the connection would not be used any more.
func saysAndLingers(text string, closes bool) part {
	return func(p *peer) {
		for p.request() {
			said := p.stage.next(text)
			p.send(said)
			if closes && said != clean {
				return
			}
			_ = p.SetReadDeadline(time.Now().Add(lingers))
		}
	}
}

// lingers is longer than connections wait for their next exchange; see package upstream.
const lingers = 60 * time.Millisecond

// isWholeOrBroken: one answer that everybody reads the same way, and nothing behind it; or one that ends before its end.
func isWholeOrBroken(t *testing.T, seen []byte, end error) {
	t.Helper()
	reader := bufio.NewReader(bytes.NewReader(seen))
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatalf("no answer: %v: %q, %v", err, seen, end)
	}
	defer response.Body.Close()
	if response.StatusCode < 200 || response.ContentLength < 0 && len(response.TransferEncoding) == 0 {
		t.Errorf("an answer without an end: %q", seen)
	}
	if _, err := io.ReadAll(response.Body); err != nil {
		return // Whoever reads it knows.
	}
	if rest, _ := io.ReadAll(reader); len(rest) > 0 || end != nil {
		t.Errorf("behind the answer come %q, %v: %q", rest, end, seen)
	}
}

// nobodyElseGets asks once more. While the server closes connections at any time, it may be in vain.
func (s *stage) nobodyElseGets(closes bool) {
	s.t.Helper()
	if !closes {
		s.isClean()
		return
	}
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	seen, err := s.play(scene{client: []string{post(ping)}})
	isAnswer := strings.HasPrefix(string(seen), ok) && strings.HasSuffix(string(seen), "\r\n\r\nclean")
	if !isAnswer && !strings.HasPrefix(string(seen), "HTTP/1.1 502 ") || err != nil {
		s.t.Errorf("whoever came next got %q, %v", seen, err)
	}
}
