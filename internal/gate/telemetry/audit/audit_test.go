package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/audit"
)

const patience = 20 * time.Second

var sample = audit.Record{
	Time: time.Date(2026, 11, 24, 13, 0, 0, 1_000, time.FixedZone("", 3600)), Outcome: "denied", Reason: "expired", Detail: "exp", Status: 401,
	Provider: "managed", Subject: "c3ViamVjdA", Source: "10.0.0.7", HTTPMethod: "POST", Method: "tools/call", Name: "forecast",
	RequestID: "r-1", ServerRequestID: "s-1", BytesIn: 12, BytesOut: 345, Took: 1500 * time.Microsecond,
}

// written gives what a Log writes of these records.
func written(t *testing.T, records ...audit.Record) string {
	t.Helper()
	var out bytes.Buffer
	log := audit.New(&out, `tools/"weather`)
	for _, record := range records {
		log.Write(record)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	log.Run(ctx)
	return out.String()
}

func TestLine(t *testing.T) {
	want := `{"time":"2026-11-24T12:00:00.000001Z","server":"tools/\"weather","outcome":"denied","reason":"expired","detail":"exp","status":401,` +
		`"provider":"managed","subject":"c3ViamVjdA","source":"10.0.0.7","httpMethod":"POST","method":"tools/call","name":"forecast",` +
		`"requestID":"r-1","serverRequestID":"s-1","bytesIn":12,"bytesOut":345,"seconds":0.001500}` + "\n"
	if got := written(t, sample, sample); got != want+want {
		t.Errorf("got\n%swant, twice,\n%s", got, want)
	}
}

// What clients say stays one line of plain ASCII, without what is left out of names. Package redact has the cases.
func TestWhatClientsSay(t *testing.T) {
	for text, want := range map[string]string{
		"tool":                             "tool",
		"a\"b\\c":                          "a\"b\\c",
		"a\n{\"outcome\":\"forwarded\"}":   "",
		"\x1b[2J\x7f\x00":                  "",
		"\u202egpj.exe":                    "",
		"größe 😀":                          "größe 😀",
		"bad \xff utf-8":                   "",
		strings.Repeat("x", 5000):          "",
		strings.Repeat("x", 128):           strings.Repeat("x", 128),
		strings.Repeat("x", 127) + "ä":     "",
		"https://files/a?token=s3cret&b=1": "https://files/a",
		"https://a:s3cret@files/a#s3cret":  "https://*@files/a",
		"":                                 "",
	} {
		record := sample
		record.Name = text
		line := written(t, record)
		if strings.Count(line, "\n") != 1 || strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(c rune) bool { return c < 0x20 || c > 0x7e }) {
			t.Errorf("%q is not one line of ASCII: %q", text, line)
		}
		var got struct{ Name, Outcome string }
		if err := json.Unmarshal([]byte(line), &got); err != nil || got.Name != want || got.Outcome != "denied" {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
	record := sample
	record.Method = "https://a:s3cret@files/a?s3cret"
	if line := written(t, record); !strings.Contains(line, `"method":"https://*@files/a","name"`) {
		t.Errorf("got %s", line)
	}
	record.HTTPMethod, record.Method = "GET /secret", strings.Repeat("m", 100)
	if line := written(t, record); !strings.Contains(line, `"httpMethod":"other","method":"`+strings.Repeat("m", 64)+`"`) {
		t.Errorf("got %s", line)
	}
}

// The longest line still fits what is set aside for one.
func TestLongestLine(t *testing.T) {
	// Two bytes that become six; what others than clients choose is ASCII.
	long, text, id := strings.Repeat("ä", 1000), strings.Repeat("x", 1000), strings.Repeat(`"`, 1000)
	line := written(t, audit.Record{
		Outcome: text, Reason: text, Detail: long, Provider: text, Subject: text, Source: text, HTTPMethod: long, Method: long, Name: long, RequestID: id,
		ServerRequestID: text,
	})
	if len(line) > 4<<10 || !json.Valid([]byte(line)) {
		t.Errorf("%d bytes", len(line))
	}
}

// stuck is a reader that takes nothing until it is told to.
type stuck struct {
	release chan struct{}
	mu      sync.Mutex
	got     bytes.Buffer
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.release
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got.Write(p)
}

func (s *stuck) lines() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Count(s.got.Bytes(), []byte("\n"))
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came true that %s", what)
		}
	}
}

func TestBlockedReaderBlocksNobody(t *testing.T) {
	out := &stuck{release: make(chan struct{})}
	log := audit.New(out, "s")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { log.Run(ctx); close(ended) }()
	const all = 10_000
	for range all { // More than there is room for.
		log.Write(sample)
	}
	dropped := log.Dropped()
	if dropped == 0 || dropped > all-500 {
		t.Errorf("%d of %d lines were dropped", dropped, all)
	}
	close(out.release)
	eventually(t, "all others are written", func() bool { return out.lines() == all-int(dropped) })
	log.Write(sample) // There is room again.
	cancel()
	<-ended
	if got := out.lines(); got != all-int(dropped)+1 || log.Dropped() != dropped {
		t.Errorf("%d lines, %d dropped", got, log.Dropped())
	}
}

func TestEndDoesNotWaitForTheReader(t *testing.T) {
	out := &stuck{release: make(chan struct{})}
	defer close(out.release)
	log := audit.New(out, "s")
	log.Write(sample)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ended := make(chan struct{})
	go func() { log.Run(ctx); close(ended) }()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("it hangs")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestLostLinesAreCounted(t *testing.T) {
	log := audit.New(broken{}, "s")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	log.Write(sample)
	log.Write(sample)
	log.Run(ctx)
	if log.Dropped() != 2 {
		t.Errorf("%d lines were dropped", log.Dropped())
	}
}

// A line does not lie around until many others have come.
func TestLinesComeSoon(t *testing.T) {
	out := &stuck{release: make(chan struct{})}
	close(out.release)
	log := audit.New(out, "s")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go log.Run(ctx)
	log.Write(sample)
	eventually(t, "one line is written", func() bool { return out.lines() == 1 })
}

func TestSubjectsHaveNames(t *testing.T) {
	secret := []byte("0123456789abcdef0123456789abcdef")
	subjects, err := audit.NewSubjects(secret)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, of := range [][2]string{{"p", "alice"}, {"p", "bob"}, {"q", "alice"}, {"pa", "lice"}} {
		name := subjects.Name(of[0], of[1])
		if len(name) != 22 || strings.Contains(name, "alice") || name != subjects.Name(of[0], of[1]) {
			t.Errorf("%v is named %q", of, name)
		}
		names[name] = true
	}
	if len(names) != 4 {
		t.Errorf("names are shared: %v", slices.Collect(maps.Keys(names)))
	}
	if got := subjects.Name("p", ""); got != "" {
		t.Errorf("nobody is named %q", got)
	}
	if got := new(audit.Subjects).Name("p", "alice"); got != "" {
		t.Errorf("without a secret: %q", got)
	}
	if _, err := audit.NewSubjects(nil); err == nil {
		t.Error("no secret was taken for one")
	}
}

func TestRequestID(t *testing.T) {
	made := regexp.MustCompile(`^[A-Z2-7]{26}$`)
	for _, c := range []struct {
		values []string
		taken  bool
	}{
		{[]string{"a"}, true}, {[]string{strings.Repeat("~", 128)}, true}, {[]string{`"!\`}, true},
		{nil, false}, {[]string{""}, false}, {[]string{strings.Repeat("x", 129)}, false}, {[]string{"a b"}, false},
		{[]string{"a\x7f"}, false}, {[]string{"ä"}, false}, {[]string{"\xff"}, false}, {[]string{"a", "b"}, false},
	} {
		got := audit.RequestID(http.Header{audit.RequestIDHeader: c.values})
		if c.taken && got != c.values[0] || !c.taken && !made.MatchString(got) {
			t.Errorf("%q: got %q", c.values, got)
		}
	}
	if first := audit.RequestID(nil); first == audit.RequestID(nil) {
		t.Error("two requests have one id")
	}
}

func BenchmarkWrite(b *testing.B) {
	log := audit.New(io.Discard, "tools/weather")
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go log.Run(ctx)
	subjects, err := audit.NewSubjects([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		record := sample
		record.Subject = subjects.Name("managed", "someone@example.com")
		log.Write(record)
	}
}
