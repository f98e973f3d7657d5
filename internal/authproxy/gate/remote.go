package gate

import (
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/remote"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/verify"
)

// fetchKeys prepares for providers whose keys are remote; Run fetches.
func (g *Gate) fetchKeys() {
	g.remote = remote.NewGroup(remote.Options{
		KeysDir: g.options.KeysDir, Now: g.options.Now, Judge: g.options.JudgeKeyAddress, Log: g.options.Log,
		Changed: func() { g.store.Poll() },
		Fetched: func(provider string, result remote.Result) { g.metrics.KeysFetched(provider, string(result)) },
	})
	g.metrics.WatchKeyAge(g.keyAges)
}

// remoteKeys gives the store what has been fetched.
func (g *Gate) remoteKeys(provider authproxy.Provider) snapshot.RemoteSet {
	set, revision := g.remote.Keys(provider)
	return snapshot.RemoteSet{Keys: set, Revision: revision}
}

func (g *Gate) remoteState(config authproxy.Config) map[string]admin.RemoteKeys {
	out := map[string]admin.RemoteKeys{}
	for _, status := range g.remote.Status() {
		out[status.Provider] = admin.RemoteKeys{LastGood: status.LastGood, LastError: status.LastError}
	}
	for _, provider := range config.Providers {
		if told, fetched := out[provider.Name]; fetched && provider.Keys.Remote != nil {
			told.MaxStaleSeconds = provider.Keys.Remote.MaxStaleSeconds
			out[provider.Name] = told
		}
	}
	return out
}

func (g *Gate) keyAges() map[string]time.Duration {
	ages := map[string]time.Duration{}
	for _, status := range g.remote.Status() {
		if !status.LastGood.IsZero() {
			ages[status.Provider] = g.options.Now().Sub(status.LastGood)
		}
	}
	return ages
}

// keyHasCome has the key fetched that is not known, within bounds. If it has come, the visit goes on by the snapshot
// that has it.
func (v *visit) keyHasCome(candidate verify.Candidate) bool {
	if !v.gate.remote.Want(v.request.Context(), candidate.Provider(), candidate.KeyID()) {
		return false
	}
	v.snapshot = v.gate.store.Current()
	return true
}
