// Package snapshot keeps what the gate decides by: configuration and keys as one immutable value behind one atomic
// pointer. A request holds the snapshot it was judged by; nobody ever sees half of a change.
//
// It reads mounted directories as the kubelet writes them, once a second, because inotify does not tell reliably about
// the kubelet's symbolic links. It must not know what a request is.
package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/authorize"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Snapshot is what the gate decides by at one moment. It is never changed.
type Snapshot struct {
	Config authproxy.Config
	// ConfigSHA256 is the digest of the configuration file, in hex.
	ConfigSHA256 string
	// Keys are those that may be used, by provider; a provider without any is there with an empty slice.
	Keys     map[string][]keys.Public
	Verifier *verify.Verifier
	// Policy is Config.Authorization, ready to judge.
	Policy *authorize.Policy
	// Site is what challenges say of the server.
	Site deny.Site
}

func newSnapshot(raw []byte, config authproxy.Config, loaded map[string][]keys.Public, now func() time.Time) *Snapshot {
	sum := sha256.Sum256(raw)
	s := &Snapshot{
		Config: config, ConfigSHA256: hex.EncodeToString(sum[:]), Keys: map[string][]keys.Public{},
		Verifier: verify.New(config, loaded, now), Site: site(config),
		Policy: authorize.New(config.Authorization),
	}
	for _, provider := range config.Providers {
		s.Keys[provider.Name] = verify.Usable(provider, loaded[provider.Name])
	}
	return s
}

func site(config authproxy.Config) deny.Site {
	out := deny.Site{
		Realm: config.Server.Namespace + "/" + config.Server.Name,
		Scope: strings.Join(config.Authorization.RequiredScopes, " "),
	}
	if config.ResourceMetadata != nil {
		out.Metadata = config.ResourceMetadata.URL(config.Upstream.Path)
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
