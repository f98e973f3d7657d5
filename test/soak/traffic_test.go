//go:build soak

package soak

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// traffic is steady: clients that ask all sorts of questions, and hold each answer against the rules of its moment.
type traffic struct {
	t      *testing.T
	port   int32
	rules  *timeline
	people []question // their tokens; the tool is chosen anew each time
	issuer map[string]token.Template

	mu sync.Mutex
	// sure answers had one right verdict, open ones more than one because files were just changing.
	sure, open int
	by         map[string]int // verdicts
	wrong      []string
}

// person makes somebody with a token of a key.
func (tr *traffic) person(key, subject string) question {
	tr.t.Helper()
	template := tr.issuer[key]
	template.Subject = subject
	raw, err := template.Good(time.Now())
	must(tr.t, err)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[1])
	must(tr.t, err)
	var claims struct{ JTI string }
	must(tr.t, json.Unmarshal(payload, &claims))
	return question{bearer: raw, key: key, jti: claims.JTI, sub: subject, kid: template.Key.Public().ID}
}

// run asks until ctx is done, on kept connections or on a new one each time.
func (tr *traffic) run(ctx context.Context, keepAlive bool) {
	client := newCaller("https", tr.port, keepAlive)
	defer client.close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		q := tr.people[rand.IntN(len(tr.people))]
		if rand.IntN(4) == 0 { // A token that the gate has not seen.
			q = tr.person(q.key, q.sub)
		}
		q.tool = []string{"read", "write"}[rand.IntN(2)]
		tr.ask(ctx, client, q, !keepAlive)
	}
}

func (tr *traffic) ask(ctx context.Context, client *caller, q question, fresh bool) {
	body, began := call(q.tool), time.Now()
	got, err := client.post(context.WithoutCancel(ctx), q.bearer, body)
	possible := tr.rules.during(began, time.Now())
	right := decisions(possible, q)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if len(right) == 1 {
		tr.sure++
	} else {
		tr.open++
	}
	tr.by[got.verdict]++
	complain := func(format string, args ...any) {
		tr.wrong = append(tr.wrong, fmt.Sprintf("%s of key %s, %s: ", q.sub, q.key, q.tool)+fmt.Sprintf(format, args...))
	}
	switch {
	case err != nil:
		complain("%v", err)
	case !slices.Contains(right, got.verdict):
		complain("got %s, want %v", got.verdict, right)
	case got.verdict == accepted && got.body != body:
		complain("got another's answer: %q", got.body)
	case fresh:
		shown := digestOf(got.shown.PeerCertificates[0].Raw)
		if !slices.ContainsFunc(possible, func(r mountedRules) bool { return r.shown == shown }) {
			complain("is shown another certificate")
		}
	}
}
