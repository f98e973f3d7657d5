package attack

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// attack is one case.
type attack struct {
	// line names what it proves, in docs/standards.md.
	line, name string
	// raw is all that is sent, on a connection of its own.
	raw string
	// late is called when raw has been sent, and returns what is sent then. It may be nil.
	late func() string
	// slow cases wait for a time limit of the gate; all others are answered within a second.
	slow bool
	// answers are all that come back, in this order.
	answers []answer
	// seen judges the request that reached the server, and gives what is wrong with it.
	seen func(*http.Request) string
}

// outcome is what became of an attack.
type outcome struct {
	responses []*http.Response
	bodies    []string
	reached   int           // requests that got to the server
	waited    time.Duration // for the first byte of the answer
	err       error
}

// try runs all cases of one subject, one after the other: the server behind the gate counts.
func (s *site) try(t *testing.T, table []attack) {
	t.Helper()
	names := map[string]bool{}
	for _, a := range table {
		if name := a.line + " " + a.name; names[name] {
			t.Errorf("%s: there are two cases of this name", name)
		} else {
			names[name] = true
		}
		got := s.attempt(a)
		if got.err == nil && got.waited > time.Second && !a.slow {
			got = s.attempt(a) // The machine may have been busy once.
		}
		if problem := a.judge(s, got); problem != "" {
			t.Errorf("%s %s: %s", a.line, a.name, problem)
		}
		totals.count(a, got.err)
	}
}

func (s *site) attempt(a attack) outcome {
	before := s.server.visits.Load()
	got := exchange(s.address, a)
	got.reached = int(s.server.visits.Load()-before) - s.others
	return got
}

// exchange sends the bytes and reads as many answers as there should be; then the connection must end in peace.
func exchange(address string, a attack) outcome {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return outcome{err: err}
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(conn, a.raw)
		if a.late != nil && err == nil {
			_, err = io.WriteString(conn, a.late())
		}
		sent <- err
	}()
	got, began, in := outcome{}, time.Now(), bufio.NewReader(conn)
	_, got.err = in.Peek(1)
	got.waited = time.Since(began)
	for i := 0; i < len(a.answers) && got.err == nil; i++ {
		got.read(in, a.answers[i])
	}
	if errors.Is(got.err, io.EOF) && len(a.answers) == 0 {
		got.err = nil // Not a word was to come.
	}
	if got.err == nil {
		got.err = <-sent
	}
	if got.err == nil {
		got.err = expectEnd(conn, in)
	}
	return got
}

func (o *outcome) read(in *bufio.Reader, want answer) {
	request := &http.Request{Method: want.method}
	response, err := http.ReadResponse(in, request)
	if err != nil {
		o.err = err
		return
	}
	body, err := io.ReadAll(response.Body)
	o.responses, o.bodies, o.err = append(o.responses, response), append(o.bodies, string(body)), err
}

// expectEnd wants a FIN and nothing before it, once the client has no more to say.
func expectEnd(conn net.Conn, in *bufio.Reader) error {
	// The gate may have closed its end already; then there is nobody to say goodbye to.
	_ = conn.(*net.TCPConn).CloseWrite()
	rest, err := io.ReadAll(in)
	if err == nil && len(rest) > 0 {
		return fmt.Errorf("%.200q came behind the answer", rest)
	}
	return err
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func (a attack) judge(s *site, got outcome) string {
	switch {
	case isReset(got.err):
		return "the connection was reset: " + got.err.Error()
	case got.err != nil:
		return fmt.Sprintf("%v; so far: %d answers %q", got.err, len(got.responses), got.bodies)
	case got.waited > time.Second && !a.slow:
		return "twice, the answer took " + got.waited.String()
	case got.reached != a.served():
		return fmt.Sprintf("%d requests reached the server, not %d; answered %q", got.reached, a.served(), got.bodies)
	}
	for i, want := range a.answers {
		if problem := want.compare(s, got.responses[i], got.bodies[i]); problem != "" {
			return fmt.Sprintf("answer %d: %s", i+1, problem)
		}
	}
	if a.seen != nil {
		return a.seen(s.server.last.Load())
	}
	return ""
}

// served is how many requests may reach the server.
func (a attack) served() int {
	n := 0
	for _, want := range a.answers {
		if want.served {
			n++
		}
	}
	return n
}

// utf16 writes ASCII in UTF-16, big end first.
func utf16(text string) string {
	var out strings.Builder
	for _, c := range []byte(text) {
		out.WriteString("\x00" + string(rune(c)))
	}
	return out.String()
}

// refused tells that nothing of the case may reach the server.
func (a attack) refused() bool { return a.served() == 0 }

func (w answer) compare(s *site, response *http.Response, body string) string {
	header := response.Header
	if got, want := response.Proto+" "+response.Status, w.statusLine(); got != want {
		return fmt.Sprintf("status line %q, want %q: %.300s", got, want, body)
	}
	if got := header.Values("Gatehouse-Reason"); strings.Join(got, ",") != w.reason {
		return fmt.Sprintf("reason %q, want %q", got, w.reason)
	}
	if got, want := header.Values("Www-Authenticate"), w.challenges(s); !slices.Equal(got, want) {
		return fmt.Sprintf("challenges\n got  %q\n want %q", got, want)
	}
	if want := w.body(); body != want {
		return fmt.Sprintf("body\n got  %q\n want %q", body, want)
	}
	if w.reason != "" && (header.Get("Content-Type") != "application/json" || header.Get("Cache-Control") != "no-store") {
		return fmt.Sprintf("header %v", header)
	}
	if got := strings.Join(slices.Sorted(maps.Keys(response.Trailer)), " "); got != w.trailer {
		return fmt.Sprintf("behind the body comes %q, want %q", got, w.trailer)
	}
	for name, want := range w.header {
		if got := strings.Join(header.Values(name), " | "); got != want {
			return fmt.Sprintf("%s: %q, want %q", name, got, want)
		}
	}
	return ""
}
