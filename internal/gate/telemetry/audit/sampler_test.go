package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/audit"
)

// sampled is a Sampler with a clock, and what it gave.
type sampled struct {
	*audit.Sampler
	now       time.Time
	summaries []audit.Summary
	full      map[string]int // lines by source
}

func newSampled() *sampled {
	s := &sampled{now: sample.Time, full: map[string]int{}}
	s.Sampler = audit.NewSampler(func(sum audit.Summary) { s.summaries = append(s.summaries, sum) })
	return s
}

func (s *sampled) take(source, reason string) {
	prefix := netip.MustParsePrefix(source)
	if s.Take(prefix, reason, s.now) {
		s.full[source]++
	}
}

// leftOut gives what the summaries since the last call tell, by source and reason.
func (s *sampled) leftOut() map[string]int64 {
	out := map[string]int64{}
	for _, sum := range s.summaries {
		for _, c := range sum.LeftOut {
			source := ""
			if sum.Source.IsValid() {
				source = sum.Source.String()
			}
			out[source+" "+c.Reason] += c.Count
		}
	}
	s.summaries = nil
	return out
}

func TestSampler(t *testing.T) {
	const one, two, subnet = "10.0.0.1/32", "10.0.0.2/32", "2001:db8::/64"
	s := newSampled()
	for range 3000 {
		s.take(one, "missing_token")
	}
	for range audit.FirstLines {
		s.take(two, "missing_token")
		s.take(subnet, "missing_token")
	}
	s.take(one, "bad_signature") // another reason has its own lines
	if want := map[string]int{one: audit.FirstLines + 1, two: audit.FirstLines, subnet: audit.FirstLines}; !maps.Equal(s.full, want) {
		t.Errorf("in full: %v, want %v", s.full, want)
	}
	if s.Tick(s.now.Add(audit.Window - 1)); len(s.summaries) > 0 {
		t.Errorf("summed up too early: %v", s.summaries)
	}
	s.now = s.now.Add(audit.Window)
	s.Tick(s.now)
	if len(s.summaries) != 1 || s.summaries[0].Since != sample.Time || s.summaries[0].Time != s.now {
		t.Errorf("got %+v", s.summaries)
	}
	if got, want := s.leftOut(), map[string]int64{one + " missing_token": 3000 - audit.FirstLines}; !maps.Equal(got, want) {
		t.Errorf("left out: %v, want %v", got, want)
	}
	// Who goes on has one line; who was within the budget, or of whom nobody heard, begins anew.
	clear(s.full)
	for range 20 {
		s.take(one, "missing_token")
		s.take(two, "missing_token")
	}
	if want := map[string]int{one: audit.OneLine, two: audit.FirstLines}; !maps.Equal(s.full, want) {
		t.Errorf("in the next window: %v, want %v", s.full, want)
	}
	s.Flush(s.now)
	if got, want := s.leftOut(), map[string]int64{one + " missing_token": 20 - audit.OneLine, two + " missing_token": 20 - audit.FirstLines}; !maps.Equal(got, want) {
		t.Errorf("left out: %v, want %v", got, want)
	}
	if s.Flush(s.now); len(s.summaries) > 0 {
		t.Errorf("told twice: %v", s.summaries)
	}
}

// A window also ends by the next request, and when the clock is set back.
func TestSamplerEndsItsWindow(t *testing.T) {
	for name, d := range map[string]time.Duration{"later": audit.Window, "much later": 24 * time.Hour, "a clock that was set back": -24 * time.Hour} {
		s := newSampled()
		for range 2 * audit.FirstLines {
			s.take("10.0.0.1/32", "expired")
		}
		s.now = s.now.Add(d)
		s.take("10.0.0.2/32", "expired")
		if got := s.leftOut()["10.0.0.1/32 expired"]; got != audit.FirstLines {
			t.Errorf("%s: %d are told to be left out", name, got)
		}
	}
	quiet := audit.NewSampler(nil)
	for range 2 * audit.FirstLines {
		quiet.Take(netip.Prefix{}, "expired", sample.Time)
	}
	quiet.Flush(sample.Time) // nobody listens
}

// Many sources are bounded together, in lines and in memory, and nothing is lost from the counts.
func TestSamplerOfManySources(t *testing.T) {
	s := newSampled()
	const sources, each = 4000, 3
	for i := range sources {
		for range each {
			s.take(fmt.Sprintf("10.1.%d.%d/32", i/256, i%256), "missing_token")
		}
	}
	writtenLines := 0
	for _, n := range s.full {
		writtenLines += n
	}
	s.Flush(s.now)
	summaries := len(s.summaries)
	var leftOut int64
	for _, n := range s.leftOut() {
		leftOut += n
	}
	if writtenLines != audit.AllLines || summaries > audit.MaxSources+1 || writtenLines+int(leftOut) != sources*each {
		t.Errorf("%d written, %d left out of %d, in %d summaries", writtenLines, leftOut, sources*each, summaries)
	}
}

// A load balancer that asks every 5 s, from six sources, costs few lines.
func TestSamplerOfALoadBalancer(t *testing.T) {
	s := newSampled()
	for range 12 * 60 {
		for i := range 6 {
			s.take(fmt.Sprintf("10.0.0.%d/32", i), "missing_token")
		}
		s.now = s.now.Add(5 * time.Second)
		s.Tick(s.now)
	}
	lines := len(s.summaries)
	for _, n := range s.full {
		lines += n
	}
	// Ten lines at first, and then in each five minutes a line and a summary for each.
	if want := 6 * (audit.FirstLines + 11*audit.OneLine + 12); lines != want {
		t.Errorf("%d lines in an hour, want %d", lines, want)
	}
}

func TestSummaryLine(t *testing.T) {
	var out bytes.Buffer
	log := audit.New(&out, "tools/weather")
	log.WriteSummary(audit.Summary{
		Since: sample.Time.Add(-audit.Window), Time: sample.Time, Source: netip.MustParsePrefix("10.0.0.7/32"),
		LeftOut: []audit.Count{{"missing_token", 2990}, {"expired", 1}},
	})
	log.WriteSummary(audit.Summary{Source: netip.MustParsePrefix("2001:db8::/64"), LeftOut: []audit.Count{{"public", 1}}})
	log.WriteSummary(audit.Summary{LeftOut: []audit.Count{{"public", 1}}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	log.Run(ctx)
	lines := strings.SplitAfter(out.String(), "\n")
	if want := `{"time":"2026-11-24T12:00:00.000001Z","server":"tools/weather","outcome":"suppressed","source":"10.0.0.7",` +
		`"since":"2026-11-24T11:55:00.000001Z","count":2991,"reasons":{"missing_token":2990,"expired":1}}` + "\n"; lines[0] != want {
		t.Errorf("got  %swant %s", lines[0], want)
	}
	for i, source := range map[int]string{1: `"source":"2001:db8::/64"`, 2: `"source":""`} {
		if !strings.Contains(lines[i], source) || !json.Valid([]byte(lines[i])) {
			t.Errorf("got %s", lines[i])
		}
	}
}

// Strangers have room of their own in the buffer: with a reader that takes nothing, none of their lines costs one about a
// caller.
func TestStrangersCostNoLineAboutACaller(t *testing.T) {
	count := func(strangers int) (callers, others int) {
		out := &stuck{release: make(chan struct{})}
		log := audit.New(out, "s")
		stranger := sample
		stranger.Provider, stranger.Subject = "", ""
		for range strangers {
			log.Write(stranger)
			log.WriteSummary(audit.Summary{LeftOut: []audit.Count{{"expired", 1}}})
		}
		for range 2000 {
			log.Write(sample)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		close(out.release)
		log.Run(ctx)
		lines := slices.Collect(strings.Lines(out.got.String()))
		for _, line := range lines {
			if strings.Contains(line, `"provider":"managed"`) {
				callers++
			}
		}
		return callers, len(lines) - callers
	}
	alone, _ := count(0)
	beside, others := count(10_000)
	if alone < 500 || beside != alone || others == 0 || others > 2000 {
		t.Errorf("%d lines about callers have room alone, %d beside %d of strangers", alone, beside, others)
	}
}

func BenchmarkSampler(b *testing.B) {
	s := audit.NewSampler(nil)
	source := netip.MustParsePrefix("10.0.0.7/32")
	b.ReportAllocs()
	for b.Loop() {
		s.Take(source, "missing_token", sample.Time)
	}
}
