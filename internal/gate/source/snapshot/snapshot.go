// Package snapshot keeps what the gate decides by: configuration and keys as one immutable value behind one atomic
// pointer. A request holds the snapshot it was judged by; nobody ever sees half of a change.
//
// It reads mounted directories as the kubelet writes them, once a second, because inotify does not tell reliably about
// the kubelet's symbolic links. It must not know what a request is.
package snapshot

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/ratelimit"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/metadata"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Snapshot is what the gate decides by at one moment. It is never changed.
type Snapshot struct {
	Config gateapi.Config
	// ConfigSHA256 is the digest of the configuration file, in hex.
	ConfigSHA256 string
	// Keys are those that may be used, by provider; a provider without any is there with an empty slice.
	Keys map[string][]keys.Public
	// Faulty names the keys in mounted files that are at fault and not used, each with the reason, by provider. A provider
	// without any is not there.
	Faulty map[string][]string
	// LoadedAt is when the keys in force were read or fetched, by provider: the newest of them. A provider without any is
	// not there.
	LoadedAt map[string]time.Time
	// RevokedSHA256 is the digest of the list of revocations, in hex. It is empty if there is none, or none that could be
	// read to its end.
	RevokedSHA256 string
	// RevocationsUnknown: there is a list, and none of it that could be read to its end since the start.
	RevocationsUnknown bool
	Verifier           *verify.Verifier
	// Policy is Config.Authorization, ready to judge.
	Policy *authz.Policy
	// Site is what challenges say of the server.
	Site deny.Site
	// Sources tells where requests come from.
	Sources *ratelimit.Sources
	// Metadata is what the server publishes of itself; nil if nothing.
	Metadata *metadata.Document
}

// newSnapshot also gives the keys that are loaded for nothing, as "provider/key".
func newSnapshot(config configuration, ring *keyring, revoked revocations) (s *Snapshot, unused map[string]bool) {
	s = &Snapshot{
		Config: config.Config, ConfigSHA256: config.sha256, RevokedSHA256: revoked.sha256, Site: site(config.Config),
		Keys: map[string][]keys.Public{}, Faulty: map[string][]string{}, LoadedAt: map[string]time.Time{},
		Metadata: metadata.New(config.Config), Sources: ratelimit.NewSources(config.Limits.ClientIP),
		Policy: authz.New(config.Authorization),
	}
	unused = map[string]bool{}
	for _, provider := range config.Providers {
		loaded, at := ring.of(provider)
		usable := verify.Usable(provider, loaded)
		s.Keys[provider.Name] = usable
		if faulty := ring.faulty(provider); len(faulty) > 0 {
			s.Faulty[provider.Name] = faulty
		}
		if len(usable) > 0 {
			s.LoadedAt[provider.Name] = at
		}
		for _, key := range loaded {
			if !slices.ContainsFunc(usable, func(used keys.Public) bool { return used.ID == key.ID }) {
				unused[provider.Name+"/"+key.ID] = true
			}
		}
	}
	s.Verifier = verify.New(config.Config, ring.source.PodUID, s.Keys, revoked.List, ring.source.Now)
	return s, unused
}

// SameRules reports whether what a caller may ask for is judged alike by both snapshots.
func (s *Snapshot) SameRules(other *Snapshot) bool {
	return s == other || reflect.DeepEqual(s.Config.Authorization, other.Config.Authorization)
}

func site(config gateapi.Config) deny.Site {
	out := deny.Site{
		Realm: config.Server.Namespace + "/" + config.Server.Name,
		Scope: strings.Join(config.Authorization.RequiredScopes, " "),
	}
	if config.ResourceMetadata != nil {
		out.Metadata = config.ResourceMetadata.URL()
	}
	return out
}

// HasKeys tells whether anybody can enter at all.
func (s *Snapshot) HasKeys() bool {
	for _, set := range s.Keys {
		if len(set) > 0 {
			return true
		}
	}
	return false
}
