package gate

import (
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/remote"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// prepareRemoteKeys prepares for providers whose keys are remote; Run fetches.
func (g *Gate) prepareRemoteKeys() {
	g.remote = remote.NewGroup(remote.Options{
		KeysDir: g.options.KeysDir, Now: g.options.Now, Judge: g.options.JudgeKeyAddress, Log: g.options.Log,
		Changed: func() { g.store.Poll() },
		Fetched: func(provider string, result remote.Result) { g.metrics.KeysFetched(provider, string(result)) },
	})
	g.metrics.WatchKeyAge(g.keyAges)
	g.metrics.WatchFaultyKeys(g.countFaultyKeys)
}

// remoteKeys gives the store what has been fetched.
func (g *Gate) remoteKeys(provider gateapi.Provider) snapshot.RemoteSet {
	set, revision := g.remote.Keys(provider)
	return snapshot.RemoteSet{Keys: set, Revision: revision}
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

func (g *Gate) keyAges() map[string]time.Duration {
	ages := map[string]time.Duration{}
	for _, status := range g.remote.Status() {
		if !status.LastGood.IsZero() {
			ages[status.Provider] = g.options.Now().Sub(status.LastGood)
		}
	}
	return ages
}
