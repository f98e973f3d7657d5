package gate

import (
	"maps"
	"math"
	"runtime/debug"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream/health"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

func (g *Gate) state() admin.State {
	current := g.store.Current()
	derived := g.secrets.Current()
	state := admin.State{
		Instance: g.instance, PodUID: g.options.PodUID, Version: g.options.Version,
		ConfigSHA256: current.ConfigSHA256, RevokedSHA256: current.RevokedSHA256,
		Keys: map[string][]string{}, KeysLoaded: current.LoadedAt, SelfTest: g.selfTestVerdict(),
		Time: g.options.Now(), TLS: g.certificate != nil, CertificateSHA256: g.certificate.SHA256(), CertificateExpires: g.certificate.Expires(),
		CanaryPort: g.canary.port.Load(), BareServer: g.bareServer.Result(), Fence: true, Terminating: g.drain.Ending(),
		Secrets: derived.IDs,
	}
	if leaf := g.certificate.Leaf(); leaf != nil {
		state.CertificateNotBefore = leaf.NotBefore
	}
	if current.Config.ProbeKey != nil {
		state.ProbeKey = current.Config.ProbeKey.ID
	}
	g.fillInLife(&state, current)
	for provider, set := range current.Keys {
		ids := []string{}
		for _, key := range set {
			ids = append(ids, key.ID)
		}
		state.Keys[provider] = ids
	}
	state.Fingerprints = g.fingerprints(derived.Fingerprints, current.Keys)
	state.Remote = g.remoteState(current.Config)
	if err := g.problem(); err != nil {
		state.LastReloadError = err.Error()
	}
	listeners, err := admin.ForeignListeners()
	if err != nil {
		g.options.Log.Error("cannot list the pod's listeners", "error", err.Error())
	}
	state.Listeners = listeners
	state.ServerAbsence, state.ServerListeners = health.Absence(g.upstreamAddress())
	return state
}

// fillInLife fills in what State says of the process and its work so far.
func (g *Gate) fillInLife(state *admin.State, current *snapshot.Snapshot) {
	state.ConfigSchema = strings.TrimSuffix(gateapi.ConfigFile, ".json")
	state.UptimeSeconds = int64(g.options.Now().Sub(g.began).Seconds())
	// A negative limit only asks for the one in force.
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		state.MemoryLimitBytes = limit
	}
	g.fillInFaultyKeys(state)
	state.OpenStreams = g.streams.Count()
	g.stats.FillIn(state, func(provider string) bool {
		_, configured := current.Keys[provider]
		return configured
	})
}

func (g *Gate) adminKeys() []admin.Key { return g.secrets.Current().Admin }

// fingerprints are those of the keys in force, in their order; nil without a secret. One of a key that has none is empty, as
// which nothing is published.
func (g *Gate) fingerprints(prints admin.Fingerprinter, inForce map[string][]keys.Public) map[string][]string {
	if prints == (admin.Fingerprinter{}) {
		return nil
	}
	out := map[string][]string{}
	for provider, set := range inForce {
		out[provider] = make([]string, len(set))
		for i, key := range set {
			fingerprint, err := prints.Of(provider, key)
			if err != nil {
				g.options.Log.Error("a key cannot be told of", "key", key.ID, "error", err.Error())
			}
			out[provider][i] = fingerprint
		}
	}
	return out
}

func (g *Gate) remoteState(config gateapi.Config) map[string]admin.RemoteKeys {
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

// fillInFaultyKeys fills in which keys are at fault.
func (g *Gate) fillInFaultyKeys(state *admin.State) {
	state.FaultyKeys = g.faultyKeys()
	for provider, faulty := range state.FaultyKeys {
		state.FaultyKeys[provider] = faulty[:min(len(faulty), maxFaulty)]
	}
}
