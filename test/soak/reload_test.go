//go:build soak

package soak

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

// streamEnds is how long a stream may stay open under rules by which its caller would not get in.
const streamEnds = 5 * time.Second

// Files change under traffic and open streams. Every answer is the right one by the files of its moment.
func TestReloadUnderLoad(t *testing.T) {
	r := newReload(t)
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() { r.run(ctx, i%4 != 0) })
	}
	changes := 0
	for end := time.Now().Add(lasting(time.Minute)); changes == 0 || time.Now().Before(end); {
		for _, step := range r.steps() {
			t.Log(step.name)
			step.change()
			r.holdStreams()
			changes++
			time.Sleep(300 * time.Millisecond) // The traffic meets the rules, and nothing but them.
		}
	}
	r.noStreamBroke()
	stop()
	clients.Wait()
	for i, text := range r.wrong {
		if i < 20 {
			t.Error(text)
		}
	}
	(&table{title: "Reload under load: eight clients and streams while files change", rows: [][]any{
		{"changes", "answers", "of which while files changed", "by verdict", "wrong", "streams cut", "longest until cut", "longest until in force"},
		{changes, r.sure + r.open, r.open, inOrder(r.by), len(r.wrong), r.cut, r.longestCut, r.longestReload},
	}}).write(t)
	for _, verdict := range []string{accepted, "401 unknown_key", "401 revoked", "403 forbidden"} {
		if r.by[verdict] == 0 {
			t.Errorf("no answer was %s: %v", verdict, r.by)
		}
	}
	if r.cut == 0 {
		t.Error("no stream was cut")
	}
}

func inOrder(counts map[string]int) string {
	var parts []string
	for _, verdict := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s: %d", verdict, counts[verdict]))
	}
	return strings.Join(parts, ", ")
}

// reload is a gate whose files change.
type reload struct {
	*traffic

	gate                      *pod.Gate
	secret                    []byte
	streams                   []*userStream
	cut                       int
	written                   time.Time // when the last change began
	longestCut, longestReload time.Duration
}

const steady, guest = "steady", "guest" // names of keys

func newReload(t *testing.T) *reload {
	t.Helper()
	r := &reload{gate: newGate(t, "gate", serve(t, echo)), secret: pod.NewSecret()}
	r.traffic = &traffic{
		t: t, port: r.gate.Config.Port, rules: &timeline{}, by: map[string]int{},
		issuer: map[string]token.Template{steady: newIssuer(t), guest: newIssuer(t)},
	}
	r.people = []question{r.person(steady, "alice"), r.person(steady, "bob"), r.person(guest, "carol"), r.person(guest, "dave")}
	r.gate.Config.TLS = true
	r.gate.Config.Limits.FailuresPerSecond, r.gate.Config.Limits.FailureBurst = 0, 0 // Refusals are what is wanted here.
	r.gate.Config.Authorization = policy(true)
	r.gate.WriteConfig(t)
	r.gate.WriteSecret(t, r.secret)
	first := mountedRules{keys: map[string]bool{steady: true}, revoked: map[string]bool{}, writing: true, shown: r.gate.MountCertificate(t)}
	r.writeKeys(first)
	r.writeRevoked(first)
	r.rules.change(first)
	r.gate.Start(t, "--audit", "off")
	r.settle()
	r.holdStreams()
	return r
}

// policy: a rule that names tools leaves all others to nobody.
func policy(writing bool) gateapi.Authorization {
	rules := []gateapi.Rule{{Tools: []string{"read"}}}
	if writing {
		rules = append(rules, gateapi.Rule{Tools: []string{"write"}})
	}
	return gateapi.Authorization{Rules: rules}
}

func (r *reload) writeKeys(now mountedRules) {
	r.t.Helper()
	var set []keys.Public
	for name := range now.keys {
		set = append(set, r.issuer[name].Key.Public())
	}
	r.gate.WriteKeys(r.t, providerName, set...)
}

func (r *reload) writeRevoked(now mountedRules) {
	r.t.Helper()
	pod.Mount(r.t, r.gate.Dir, gateapi.RevokedFile, revokedFile(now))
}

func revokedFile(now mountedRules) []byte {
	return []byte("# what is revoked\n" + strings.Join(slices.Sorted(maps.Keys(now.revoked)), "\n") + "\n")
}

// settle waits until the gate says that all is in force as it was written last.
func (r *reload) settle() {
	r.t.Helper()
	now, config := r.rules.current(), r.gate.ConfigText(r.t)
	ids := []string{}
	for name := range now.keys {
		ids = append(ids, r.issuer[name].Key.Public().ID)
	}
	slices.Sort(ids)
	r.until("the gate follows", func(state admin.State) bool {
		return slices.Equal(slices.Sorted(slices.Values(state.Keys[providerName])), ids) && state.ConfigSHA256 == digestOf(config) &&
			state.RevokedSHA256 == digestOf(revokedFile(now)) && state.CertificateSHA256 == now.shown && state.LastReloadError == ""
	})
	r.rules.settle()
}

func (r *reload) until(what string, holds func(admin.State) bool) {
	r.t.Helper()
	pod.Eventually(r.t, what, func() bool {
		state, err := stateOf(r.t, r.gate, r.secret)
		return err == nil && holds(state)
	})
}
