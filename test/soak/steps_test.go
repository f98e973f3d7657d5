//go:build soak

package soak

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

// fileStep is one change of files.
type fileStep struct {
	name   string
	change func()
}

func (r *reload) steps() []fileStep {
	bob, carol := r.people[1], r.people[2]
	return []fileStep{
		{"a key comes", r.changing(func(next *mountedRules) { next.keys[guest] = true }, r.writeKeys)},
		{"a token is revoked", r.changing(func(next *mountedRules) { next.revoked["jti:"+bob.jti] = true }, r.writeRevoked)},
		{"a subject is revoked", r.changing(func(next *mountedRules) { next.revoked["sub:carol"] = true }, r.writeRevoked)},
		{"a broken configuration", r.breaking(gateapi.ConfigFile, `{"port": 1, "open": true}`)},
		{"a key is revoked, and the subject is not any more", r.changing(func(next *mountedRules) {
			delete(next.revoked, "sub:carol")
			next.revoked["kid:"+carol.kid] = true
		}, r.writeRevoked)},
		{"a broken list of revocations", r.breaking(gateapi.RevokedFile, "everybody\n")},
		{"nothing is revoked", r.changing(func(next *mountedRules) { clear(next.revoked) }, r.writeRevoked)},
		{"a tool is forbidden", r.changing(func(next *mountedRules) { next.writing = false }, r.writePolicy)},
		{"broken keys", r.breaking(gateapi.KeysFile(providerName), `{"keys": [`)},
		{"a tool is allowed", r.changing(func(next *mountedRules) { next.writing = true }, r.writePolicy)},
		{"another certificate", r.swapCertificate},
		{"a broken certificate", r.breaking(gateapi.TLSCertFile, rand.Text())},
		{"a key goes", r.changing(func(next *mountedRules) { delete(next.keys, guest) }, r.writeKeys)},
	}
}

func (r *reload) writePolicy(now mountedRules) {
	r.t.Helper()
	r.gate.Config.Authorization = policy(now.writing)
	r.gate.WriteConfig(r.t)
}

// changing changes the rules, writes what follows from them, and waits until it is in force.
func (r *reload) changing(change func(*mountedRules), write func(mountedRules)) func() {
	return func() {
		r.t.Helper()
		next := r.rules.current()
		change(&next)
		r.follow(next, func() { write(next) })
	}
}

func (r *reload) swapCertificate() {
	r.t.Helper()
	certificate, key, digest := pod.NewCertificate(r.t)
	next := r.rules.current()
	next.shown = digest
	r.follow(next, func() {
		pod.Mount(r.t, r.gate.Dir, gateapi.TLSKeyFile, key)
		pod.Mount(r.t, r.gate.Dir, gateapi.TLSCertFile, certificate)
	})
}

func (r *reload) follow(next mountedRules, write func()) {
	r.t.Helper()
	r.written = time.Now()
	r.rules.change(next)
	write()
	r.settle()
	r.longestReload = max(r.longestReload, time.Since(r.written))
}

// breaking spoils a file until the gate has said so, and mends it. The rules stay what they were.
func (r *reload) breaking(name, text string) func() {
	return func() {
		r.t.Helper()
		good, err := os.ReadFile(filepath.Join(r.gate.Dir, name))
		must(r.t, err)
		pod.Mount(r.t, r.gate.Dir, name, []byte(text))
		r.until("the gate complains of "+name, func(state admin.State) bool { return state.LastReloadError != "" })
		time.Sleep(300 * time.Millisecond) // The traffic meets what was good before.
		pod.Mount(r.t, r.gate.Dir, name, good)
		r.until("the gate has "+name+" again", func(state admin.State) bool { return state.LastReloadError == "" })
	}
}
