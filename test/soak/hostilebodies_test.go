//go:build soak

package soak

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

// bodyShape is a body that comes slowly.
type bodyShape struct {
	name        string
	size, early int // bytes: of the JSON, and of the white space that comes before anything changes
	// first: all of the JSON comes before anything changes, and only white space after it.
	first bool
}

var bodyShapes = []bodyShape{
	{name: "small", size: 2 << 10, early: 100},
	{name: "small, JSON first", size: 2 << 10, first: true},
	{name: "large, late", size: 200 << 10, early: 100},
	{name: "large, 100 KiB early", size: 200 << 10, early: 100 << 10},
	{name: "large, JSON first", size: 200 << 10, first: true},
}

// What keeps a caller out while its body is on its way.
const (
	nothingHappens = "nothing"
	tokenExpires   = "the token expires"
	subjectRevoked = "the subject is revoked"
	keyRemoved     = "the key is removed"
)

// A body that is kept alive by white space until its token has expired or was revoked is refused when it would be used: the
// server never gets it.
func TestHostileBodies(t *testing.T) {
	costs := &table{title: "Bodies that trickle until their caller is no longer let in", rows: [][]any{{
		"protocol", "rules", "body", "meanwhile", "answer", "the server got", "answered after the change",
	}}}
	t.Cleanup(func() { costs.write(t) })
	for _, http2 := range []bool{false, true} {
		for _, ruled := range []bool{false, true} {
			protocol, rules := map[bool]string{false: "HTTP/1.1", true: "HTTP/2"}[http2], map[bool]string{false: "none", true: "some"}[ruled]
			t.Run(fmt.Sprintf("%s,rules=%s", strings.ReplaceAll(protocol, "/", ""), rules), func(t *testing.T) {
				b := newBodies(t, http2, ruled)
				for _, one := range b.run() {
					costs.rows = append(costs.rows, []any{protocol, rules, one.shape.name, one.cause, one.verdict, b.received(one), one.took})
					b.judge(one)
				}
			})
		}
	}
}

// bodies is a gate to which bodies come slowly, and what its server has received.
type bodies struct {
	t       *testing.T
	gate    *pod.Gate
	http2   bool
	issuers map[string]token.Template // by what happens to their callers

	changed time.Time // when all that changes was in force

	mu  sync.Mutex
	got map[string]string // "its head" or "all of it", by trickle.name
}

func newBodies(t *testing.T, http2, ruled bool) *bodies {
	t.Helper()
	b := &bodies{t: t, http2: http2, got: map[string]string{}, issuers: map[string]token.Template{}}
	b.gate = newGate(t, "gate", serve(t, b.receive))
	c := &b.gate.Config
	c.TLS, c.Providers[0].ClockSkewSeconds = http2, 0
	if ruled {
		c.Authorization = policy(true)
	}
	b.gate.WriteConfig(t)
	b.gate.MountCertificate(t)
	for _, cause := range []string{nothingHappens, tokenExpires, subjectRevoked, keyRemoved} {
		b.issuers[cause] = newIssuer(t)
	}
	b.writeKeys("")
	b.gate.Start(t)
	return b
}

// trickleHeader names a trickle to the server.
const trickleHeader = "X-Trickle"

func (b *bodies) receive(w http.ResponseWriter, r *http.Request) {
	name := r.Header.Get(trickleHeader)
	b.note(name, "its head")
	if _, err := io.Copy(io.Discard, r.Body); err == nil {
		b.note(name, "all of it")
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}")
}

func (b *bodies) note(name, what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got[name] = what
}

func (b *bodies) received(one *trickle) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if what, got := b.got[one.name]; got {
		return what
	}
	return "nothing"
}

func (b *bodies) writeKeys(without string) {
	b.t.Helper()
	var set []keys.Public
	for cause, template := range b.issuers {
		if cause != without {
			set = append(set, template.Key.Public())
		}
	}
	b.gate.WriteKeys(b.t, providerName, set...)
}

// run sends all bodies side by side: their white space, then the changes, and when those are in force, the rest.
func (b *bodies) run() (all []*trickle) {
	b.t.Helper()
	changed := make(chan struct{})
	var sending sync.WaitGroup
	for _, cause := range slices.Sorted(maps.Keys(b.issuers)) {
		template := b.issuers[cause]
		if cause == tokenExpires {
			template.Lifetime = 3 * time.Second
		}
		for _, shape := range bodyShapes {
			one := &trickle{name: shape.name + ", " + cause, shape: shape, cause: cause, bearer: mint(b.t, template, cause), begun: make(chan struct{})}
			all = append(all, one)
			sending.Go(func() { one.send(b, changed) })
			<-one.begun
		}
	}
	pod.Mount(b.t, b.gate.Dir, gateapi.RevokedFile, []byte("sub:"+subjectRevoked+"\n"))
	b.writeKeys(keyRemoved)
	for _, one := range all {
		if one.cause != nothingHappens {
			b.mustBeOut(one)
		}
	}
	b.changed = time.Now()
	close(changed)
	sending.Wait()
	return all
}

// mustBeOut waits until a whole request with the same token is refused.
func (b *bodies) mustBeOut(one *trickle) {
	b.t.Helper()
	client := one.client(b)
	defer client.close()
	pod.Eventually(b.t, one.cause, func() bool {
		ctx, cancel := context.WithTimeout(b.t.Context(), pod.Patience)
		defer cancel()
		got, err := client.post(ctx, one.bearer, call("read"))
		return err == nil && strings.HasPrefix(got.verdict, "401")
	})
}
