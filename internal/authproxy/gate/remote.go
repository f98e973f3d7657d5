package gate

import (
	"maps"
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
	g.metrics.WatchFaultyKeys(g.countFaultyKeys)
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

// maxFaulty bounds how many faulty keys of a provider are named.
const maxFaulty = 20

// faultyKeys are those of mounted files and of what was fetched, by provider.
func (g *Gate) faultyKeys() map[string][]string {
	all := maps.Clone(g.store.Current().Faulty)
	for _, status := range g.remote.Status() {
		if len(status.Faulty) > 0 {
			all[status.Provider] = status.Faulty
		}
	}
	return all
}

func (g *Gate) countFaultyKeys() map[string]int {
	counts := map[string]int{}
	for _, provider := range g.store.Current().Config.Providers {
		counts[provider.Name] = 0
	}
	for provider, faulty := range g.faultyKeys() {
		counts[provider] = len(faulty)
	}
	return counts
}

// tellFaulty fills in which keys are at fault.
func (g *Gate) tellFaulty(state *admin.State) {
	state.FaultyKeys = g.faultyKeys()
	for provider, faulty := range state.FaultyKeys {
		state.FaultyKeys[provider] = faulty[:min(len(faulty), maxFaulty)]
	}
}

// firstFetchUnderWay reports whether the keys of a provider have yet to come or to fail for the first time. Once none have,
// it is false for ever: a provider that is added to the configuration later takes no pod out of service.
func (g *Gate) firstFetchUnderWay() bool {
	if g.fetchedOnce.Load() {
		return false
	}
	for _, status := range g.remote.Status() {
		if status.LastGood.IsZero() && status.LastError == "" {
			return true
		}
	}
	g.fetchedOnce.Store(true)
	return false
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
