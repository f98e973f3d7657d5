package authprobe

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/probeid"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/turnover"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// tokenLifetime is how long tokens of the prober open anything.
const tokenLifetime = authproxy.ProbeTokenLifetime

// credentials are what the operator needs to try a server's lock.
type credentials struct {
	admin admin.Key
	// former is of the gate's secret before that, while gates are to change to the present one; else its zero value.
	former admin.Key
	ids    probeid.Key
	// forwards tells that the server gets the tokens that clients are let in with.
	forwards bool
	// controls are the good tokens that are to be had; the first gives the control of a round.
	controls []control
	// untried are the providers of which none is to be had.
	untried []wanting
	// kids are the ids of the keys that the gate must have loaded, by provider. An empty list stands for any.
	kids map[string][]string
	// probeKey is the id of the probe key that the gate must accept; empty: none.
	probeKey string
}

// origin says where a good token comes from. They are in the order in which one is chosen for the control of a round: what
// the operator signs itself can be spoilt in every way.
type origin int

const (
	managedKey origin = iota
	sharedSecret
	byProbeKey
	broughtToken
	accountToken
)

// control is a good token of a provider, or the key to mint it.
type control struct {
	probe.Provider
	// of is the provider's name in the spec: one that is tried in two ways goes by two names in a round.
	of   string
	from origin
}

// wanting is a provider of which no good token is to be had, and why.
type wanting struct{ provider, why string }

// credentials reads the server's Secrets, and what the operator has itself. Nil means that they are not there, or not
// usable, yet; the condition KeysReady says so.
func (r *Reconciler) credentials(ctx context.Context, server *v1alpha1.MCPServer) (*credentials, error) {
	private, err := r.secretData(ctx, server, desired.KeysSecretName(server))
	if err != nil {
		return nil, err
	}
	shared, err := r.secretData(ctx, server, desired.GateSecretName(server))
	if err != nil {
		return nil, err
	}
	use := &credentials{kids: map[string][]string{}}
	if use.admin, err = admin.NewKey(shared[authproxy.SecretFile]); err != nil {
		return nil, nil //nolint:nilerr // a Secret that is not what it must be is put right by its controller
	}
	if use.ids, err = probeid.NewKey(shared[authproxy.SecretFile]); err != nil {
		return nil, nil //nolint:nilerr // as above
	}
	if set, found := turnover.Decode(shared, r.Now(), admin.SecretID); found && set.Phase == turnover.Switched {
		if use.former, err = admin.NewKey(set.Previous.Secret); err != nil {
			return nil, err
		}
	}
	gather := gathering{r: r, server: server, settings: desired.Resolve(server), use: use}
	use.forwards = gather.settings.ForwardAuthorization
	if provider, managed := gather.settings.Managed(); managed {
		set, err := rotation.Decode(private[authproxy.KeysFile(provider.Name)], private[desired.RotationFile(provider.Name)], r.Now())
		if err != nil {
			return nil, nil //nolint:nilerr // the condition KeysReady tells what is wrong with the Secret
		}
		gather.managed(provider, set)
	}
	if err := gather.others(ctx); err != nil {
		return nil, err
	}
	slices.SortStableFunc(use.controls, func(a, b control) int { return cmp.Compare(a.from, b.from) })
	return use, nil
}

// secretData is empty while the Secret is not there, or not ours.
func (r *Reconciler) secretData(ctx context.Context, server *v1alpha1.MCPServer, name string) (map[string][]byte, error) {
	var secret corev1.Secret
	err := r.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: name}, &secret)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read Secret %s: %w", name, err)
	}
	if !metav1.IsControlledBy(&secret, server) {
		return nil, nil
	}
	return secret.Data, nil
}

// requestID makes ids by which the pod's gate can tell our requests from those of clients, once it has answered them. To
// anybody else they are random.
func (c credentials) requestID(pod corev1.Pod, now func() time.Time) func() string {
	return c.requestIDs(probeid.Pod(string(pod.UID)), now)
}

// serviceRequestID is requestID for who asks at the Service, where any gate of the server may answer.
func (c credentials) serviceRequestID(now func() time.Time) func() string {
	return c.requestIDs(probeid.AnyPod(), now)
}

func (c credentials) requestIDs(to probeid.Audience, now func() time.Time) func() string {
	return func() string {
		var random [probeid.RandomBytes]byte
		rand.Read(random[:])
		return c.ids.New(to, now(), random)
	}
}

// against are the controls that a gate can be tried with: it has keys of their provider, and the probe key that is to sign
// for some. Whatever it lacks is told by behind, and is no failure of the lock.
func (c credentials) against(state admin.State) []control {
	var out []control
	for _, with := range c.controls {
		if !isServed(state, with.of) || with.from == byProbeKey && state.ProbeKey != c.probeKey {
			continue
		}
		if with.from == byProbeKey {
			with.Tokens = with.Tokens.With(map[string]any{authproxy.ProbePodClaim: state.PodUID})
		}
		out = append(out, with)
	}
	return out
}

// onlyManaged leaves the Managed provider's control alone; false if there is none, because nothing is to be signed.
func (c credentials) onlyManaged() (credentials, bool) {
	c.controls = slices.DeleteFunc(slices.Clone(c.controls), func(with control) bool { return with.from != managedKey })
	return c, len(c.controls) == 1
}

// digest changes with every key and token.
func (c credentials) digest() string {
	var parts []string
	for _, with := range c.controls {
		parts = append(parts, with.Name, with.Tokens.Key.ID(), with.Bearer)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:])
}

// signersOf names the keys that sign in a round, and the configuration of the gate that judges; empty where none signs.
func signersOf(providers []probe.Provider, judge admin.State) string {
	if len(providers) == 0 {
		return ""
	}
	ids := []string{judge.ConfigSHA256}
	for _, provider := range providers {
		ids = append(ids, provider.Name+"="+provider.Tokens.Key.ID())
	}
	return strings.Join(ids, ",")
}
