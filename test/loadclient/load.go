package loadclient

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Caller asks the same again and again.
type Caller struct {
	Name string `json:"name"`
	// Workers ask at the same time; each waits IntervalMillis between two requests.
	Workers        int `json:"workers"`
	IntervalMillis int `json:"intervalMillis"`
	// Keep: each worker keeps one connection. Otherwise every request has its own.
	Keep    bool    `json:"keep,omitempty"`
	Request Request `json:"request"`
	// Token is the name of a token that was handed over. It is sent with each request, and none is put before it is there.
	Token string `json:"token,omitempty"`
	// HoldSeconds is how long a worker sends the same token before it takes the newest, as a client does that uses a token
	// until it is about to expire. 0: the newest for each request.
	HoldSeconds int `json:"holdSeconds,omitempty"`
	// Want is text that the body of every answer has to hold.
	Want string `json:"want,omitempty"`
}

// Report says how the requests of each caller ended.
type Report map[string]Counts

// Counts counts the requests of one caller by how they ended: a status such as "200", the same with " without WANT"
// where the body lacks it, or a Failure.
type Counts struct {
	Ended map[string]int `json:"ended"`
	// Odd tells about the first ten that differ from the very first answer.
	Odd []string `json:"odd,omitempty"`

	usual string
}

const maxOdd = 10

// Load is a set of callers at work.
type Load struct {
	tokens *Tokens
	mu     sync.Mutex
	counts map[string]*Counts
}

// Start sets the callers to work until the context ends, with the newest of the tokens.
func Start(ctx context.Context, callers []Caller, tokens *Tokens) *Load {
	l := &Load{counts: map[string]*Counts{}, tokens: tokens}
	for _, caller := range callers {
		l.counts[caller.Name] = &Counts{Ended: map[string]int{}}
		for range caller.Workers {
			go l.work(ctx, caller)
		}
	}
	return l
}

// Report tells how things stand.
func (l *Load) Report() Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	report := Report{}
	for name, counts := range l.counts {
		copied := Counts{Ended: map[string]int{}, Odd: append([]string(nil), counts.Odd...)}
		for how, n := range counts.Ended {
			copied.Ended[how] = n
		}
		report[name] = copied
	}
	return report
}

func (l *Load) work(ctx context.Context, caller Caller) {
	transport := newTransport(caller.Keep)
	defer transport.CloseIdleConnections()
	interval := time.Duration(caller.IntervalMillis) * time.Millisecond
	// Workers that begin at once would go on in step.
	pause := time.Duration(rand.Int64N(int64(interval) + 1))
	held := heldToken{tokens: l.tokens, caller: caller}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = interval
		begun := time.Now()
		request, ready := held.request(begun)
		if !ready {
			continue
		}
		answer := ask(ctx, transport, request)
		if ctx.Err() != nil {
			return // cut by us
		}
		l.count(caller, answer, begun)
	}
}

func (l *Load) count(caller Caller, answer Answer, begun time.Time) {
	how := string(answer.Failure)
	if answer.Failure == "" {
		how = strconv.Itoa(answer.Status)
		if !strings.Contains(answer.Body, caller.Want) {
			how += " without " + caller.Want
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	counts := l.counts[caller.Name]
	counts.Ended[how]++
	if counts.usual == "" {
		counts.usual = how
	}
	if how != counts.usual && len(counts.Odd) < maxOdd {
		counts.Odd = append(counts.Odd, fmt.Sprintf("%s, after %s: %s %s %.300s", begun.UTC().Format(time.RFC3339Nano),
			time.Since(begun).Round(time.Millisecond), how, answer.Error, answer.Body))
	}
}

// Total is the number of requests that have ended.
func (c Counts) Total() int {
	sum := 0
	for _, n := range c.Ended {
		sum += n
	}
	return sum
}
