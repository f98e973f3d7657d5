package publication

import (
	"fmt"
	"maps"
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// FindKeys finds those that gates use, of each configuration: pods of an earlier template may have another one than the
// spec's, and keep it.
func (p *Version) FindKeys(brought map[string][]keys.Public) error {
	p.Keys = map[string][]keys.Public{}
	for _, file := range slices.Sorted(maps.Keys(p.Config.Data)) {
		config, err := gateapi.ParseConfig([]byte(p.Config.Data[file]))
		if err != nil {
			continue // It is of another schema.
		}
		for _, provider := range config.Providers {
			if err := p.addKeys(provider, brought[provider.Name]); err != nil {
				return err
			}
		}
	}
	return nil
}

// addKeys adds those that gates use of a provider: what is published for it, or what users have brought.
func (p *Version) addKeys(provider gateapi.Provider, brought []keys.Public) error {
	for _, file := range provider.KeyFiles() {
		text, isMade := p.Lists.Data[file]
		if !isMade {
			continue
		}
		set, err := keys.ParsePublic([]byte(text))
		if err != nil {
			return fmt.Errorf("read the keys that are published for provider %s: %w", provider.Name, err)
		}
		p.Keys[provider.Name] = append(p.Keys[provider.Name], verify.Usable(provider, set.Keys)...)
	}
	if len(provider.Keys.Files) > 0 {
		p.Keys[provider.Name] = append(p.Keys[provider.Name], verify.Usable(provider, brought)...)
	}
	return nil
}
