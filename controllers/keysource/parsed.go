package keysource

import (
	"context"
	"errors"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/terminal"
)

// maxParsed bounds the memory that parsed takes: above it everything is forgotten, and read again.
const maxParsed = 4096

// Parsed remembers the keys of Secrets by their version: to name a shared secret is slow on purpose, and a server is
// reconciled often. The zero value is empty.
type Parsed struct {
	mu    sync.Mutex
	known map[parsedKey]parsedSet
}

type parsedKey struct {
	uid     types.UID
	version string
	key     string
	format  v1alpha1.KeyFormat
}

type parsedSet struct {
	set keys.Set
	err error
}

// parse reads the keys of one data key.
func (p *Parsed) parse(secret *corev1.Secret, key string, format v1alpha1.KeyFormat) (keys.Set, error) {
	id := parsedKey{secret.UID, secret.ResourceVersion, key, format}
	if known, found := p.find(id); found {
		return known.set, known.err
	}
	// Without the lock: other servers must not wait for it. The same key may be parsed twice.
	set, err := parseKeys(secret.Data[key], format)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= maxParsed {
		p.known = map[parsedKey]parsedSet{}
	}
	p.known[id] = parsedSet{set, err}
	return set, err
}

func (p *Parsed) find(id parsedKey) (parsedSet, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, found := p.known[id]
	return known, found
}

// KeyReader reads the keys that users bring for whoever tries them, as this controller does for status.
type KeyReader struct {
	// Live reads past the cache.
	Live client.Reader

	parsed Parsed
}

// Keys are those of all the data keys that a provider of type Secret names, each bound to its algorithm. What is wrong with
// the Secret comes as a problem, for people.
func (k *KeyReader) Keys(ctx context.Context, namespace string, provider desired.Provider) (set []keys.Public, wrong string, err error) {
	brought := Reader{Live: k.Live, Parsed: &k.parsed, Namespace: namespace, Into: &Objects{}}
	set, err = brought.Keys(ctx, provider, "keys.secret")
	var told *terminal.Error
	if errors.As(err, &told) {
		return nil, told.Message, nil
	}
	return set, "", err
}

func parseKeys(data []byte, format v1alpha1.KeyFormat) (keys.Set, error) {
	switch format {
	case v1alpha1.FormatSharedSecret:
		return keys.ParseSharedSecret(data)
	case v1alpha1.FormatPEM:
		return keys.ParsePEM(data)
	default:
		return keys.ParsePublic(data)
	}
}
