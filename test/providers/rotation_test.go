//go:build providers

package providers

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// provider is a real one that runs.
type provider interface {
	// access is a new access token for the sample's audience; other is one for another audience.
	access(t *testing.T) string
	other(t *testing.T) string
	// idToken is the ID token of somebody who logged in; empty if there are none.
	idToken(t *testing.T) string
	// rotate has the provider sign with a new key, beside which it publishes the old one.
	rotate(t *testing.T)
	// retire takes the old key out of what it publishes.
	retire(t *testing.T)
}

const (
	callers    = 4
	underLoad  = time.Minute
	rotateAt   = 15 * time.Second
	retireAt   = 35 * time.Second
	renewEvery = 2 * time.Second
	// longestLook is how long a gate may take to look at a set again of which its provider does not say how long it is fresh.
	longestLook = 6 * time.Minute
)

// try holds the sample's gate against the provider, then replaces its keys while clients call.
func (w *world) try(t *testing.T, sample string, p provider) {
	t.Helper()
	w.gate(t, sample)
	good := p.access(t)
	show(t, "access token", good)
	w.expect(t, sample, good, "200")
	if id := p.idToken(t); id != "" {
		show(t, "ID token", id)
		w.expect(t, sample, id, "401 wrong_type")
	}
	w.expect(t, sample, p.other(t), "401 wrong_audience")
	w.rotate(t, sample, p)
}

func (w *world) expect(t *testing.T, sample, token, want string) {
	t.Helper()
	if got, err := w.call(t.Context(), sample, token); got != want || err != nil {
		show(t, "token", token)
		t.Errorf("the gate answers %q, %v, want %q", got, err, want)
	}
}

// show tells header and claims of a token, without its signature.
func show(t *testing.T, what, token string) {
	t.Helper()
	for _, part := range strings.Split(token, ".")[:2] {
		text, err := base64.RawURLEncoding.DecodeString(part)
		must(t, err)
		t.Logf("%s: %s", what, text)
	}
}

// load is clients that call all the time, each with the newest token.
type load struct {
	token            atomic.Pointer[string]
	requests, failed atomic.Int64
	first            sync.Once
	failure          string
}

func (l *load) run(ctx context.Context, w *world, sample string) {
	for ctx.Err() == nil {
		got, err := w.call(ctx, sample, *l.token.Load())
		if ctx.Err() != nil {
			return
		}
		l.requests.Add(1)
		if got != "200" {
			l.failed.Add(1)
			l.first.Do(func() { l.failure = fmt.Sprintf("%s %v", got, err) })
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (w *world) rotate(t *testing.T, sample string, p provider) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var clients sync.WaitGroup
	l, began := &load{}, time.Now()
	old := p.access(t)
	l.token.Store(&old)
	for range callers {
		clients.Go(func() { l.run(ctx, w, sample) })
	}
	renew := func(until time.Duration) {
		for time.Since(began) < until {
			time.Sleep(renewEvery)
			fresh := p.access(t)
			l.token.Store(&fresh)
		}
	}
	renew(rotateAt)
	oldest := p.access(t)
	p.rotate(t)
	renew(retireAt)
	if keyOf(t, *l.token.Load()) == keyOf(t, oldest) {
		t.Error("the provider signs with the old key")
	}
	w.expect(t, sample, oldest, "200")
	p.retire(t)
	retired := time.Now()
	refused := w.untilRefused(t, sample, oldest, renew, began)
	renew(underLoad)
	stop()
	clients.Wait()
	line := fmt.Sprintf("%s: %d requests in %s, %d failed; the old key was refused %s after the provider took it out",
		sample, l.requests.Load(), time.Since(began).Round(time.Second), l.failed.Load(), refused.Sub(retired).Round(time.Second))
	t.Log(line)
	total(t, line)
	if l.failed.Load() > 0 || l.requests.Load() < 1000 {
		t.Errorf("%d requests failed; the first: %s", l.failed.Load(), l.failure)
	}
}

// untilRefused waits for the end of a key, while clients go on.
func (w *world) untilRefused(t *testing.T, sample, old string, renew func(time.Duration), began time.Time) time.Time {
	t.Helper()
	for deadline := time.Now().Add(longestLook); ; {
		renew(time.Since(began) + time.Second)
		got, err := w.call(t.Context(), sample, old)
		switch {
		case got == "401 unknown_key" || got == "401 expired":
			if got == "401 expired" {
				t.Errorf("the token of the old key expired before the key was gone")
			}
			return time.Now()
		case err != nil || got != "200":
			t.Fatalf("a token of the old key is answered %q, %v", got, err)
		case time.Now().After(deadline):
			t.Fatalf("a token of the old key is let in %s after the provider took the key out", longestLook)
		}
	}
}

func keyOf(t *testing.T, token string) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	must(t, err)
	var header struct{ Kid string }
	must(t, json.Unmarshal(text, &header))
	return header.Kid
}

func total(t *testing.T, line string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(*logs, "totals.txt"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	must(t, err)
	defer file.Close()
	_, err = fmt.Fprintln(file, line)
	must(t, err)
}
