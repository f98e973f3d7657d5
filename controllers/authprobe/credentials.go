package authprobe

import (
	"context"
	"crypto/rand"
	"fmt"
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
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// probeSubject is who the prober says it is, otherSubject who tries to enter its session, and tokenLifetime how long its
// tokens open anything.
const (
	probeSubject  = "gatehouse-probe"
	otherSubject  = "gatehouse-probe-other"
	tokenLifetime = time.Minute
)

// credentials are what the operator needs to try a server's lock.
type credentials struct {
	// control tells that the operator can mint tokens that must be let in, those of provider.
	control  bool
	provider probe.Provider
	skew     time.Duration
	admin    admin.Key
	// kids are the ids of the keys that the gate must have loaded, by provider. An empty list stands for any.
	kids map[string][]string
	ids  probeid.Key
}

// credentials reads the server's Secrets. Nil means that they are not there, or not usable, yet; the condition
// KeysReady says so.
func (r *Reconciler) credentials(ctx context.Context, server *v1alpha1.MCPServer) (*credentials, error) {
	private, err := r.secretData(ctx, server, desired.KeysSecretName(server))
	if err != nil {
		return nil, err
	}
	shared, err := r.secretData(ctx, server, desired.GateSecretName(server))
	if err != nil {
		return nil, err
	}
	key, err := admin.NewKey(shared[authproxy.SecretFile])
	if err != nil {
		return nil, nil //nolint:nilerr // a Secret that is not what it must be is put right by its controller
	}
	ids, err := probeid.NewKey(shared[authproxy.SecretFile])
	if err != nil {
		return nil, nil //nolint:nilerr // as above
	}
	provider, managed := desired.Resolve(server).Managed()
	if !managed {
		return &credentials{admin: key, ids: ids}, nil
	}
	set, err := rotation.Decode(private[authproxy.KeysFile(provider.Name)], private[desired.RotationFile(provider.Name)], r.Now())
	if err != nil {
		return nil, nil //nolint:nilerr // the condition KeysReady tells what is wrong with the Secret
	}
	published := set.Published()
	return &credentials{
		admin: key, ids: ids, control: true, kids: map[string][]string{provider.Name: due(set, r.Now())},
		skew: time.Duration(provider.ClockSkewSeconds) * time.Second,
		provider: probe.Provider{
			Name: provider.Name, MaxTokenLifetime: time.Duration(provider.MaxTokenLifetimeSeconds) * time.Second,
			OtherCaller: map[string]any{"sub": otherSubject}, Retired: set.Refused(),
			Tokens: entitled(token.Template{
				Key: published[0], Issuer: desired.ManagedIssuer(server), Audience: desired.ManagedIssuer(server),
				Subject: probeSubject, Lifetime: tokenLifetime,
			}, server),
		},
	}, nil
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
func (c credentials) requestID(pod corev1.Pod) func() string {
	return func() string {
		var random [probeid.RandomBytes]byte
		rand.Read(random[:])
		return c.ids.New(string(pod.UID), random)
	}
}
