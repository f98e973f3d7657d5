package mcpserver

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

const (
	// MasterSecretName is the Secret, in the operator's own namespace, from which the probe keys of all MCPServers are
	// derived. Whoever reads it can make a probe of any of them.
	MasterSecretName = "gatehouse-probe-master"
	// MasterKey is its data key.
	MasterKey = "master"
)

// masterAge is how long the master key is remembered. A change is told by an event long before.
const masterAge = 10 * time.Second

// ProbeMaster keeps the master key of the probe keys. It is made when it is first asked for, and made anew when it is
// gone: every probe key is another one then, and the gates are told.
type ProbeMaster struct {
	// Live reads past the cache.
	Live   client.Reader
	Writer client.Writer
	// Namespace is the operator's own; empty: it runs outside of the cluster, and there is no probe key.
	Namespace string
	// Now is the clock.
	Now func() time.Time

	mu    sync.Mutex
	at    time.Time
	known []byte
}

// Key gives the probe key of a server; false if the operator has no namespace to keep a master key in.
func (m *ProbeMaster) Key(ctx context.Context, server *v1alpha1.MCPServer) (keys.Private, bool, error) {
	if m == nil || m.Namespace == "" {
		return keys.Private{}, false, nil
	}
	master, err := m.read(ctx)
	if err != nil {
		return keys.Private{}, false, err
	}
	key, err := keys.Derive(master, desired.ProbeKeyName(server))
	return key, err == nil, err
}

// Forget has the master key read anew.
func (m *ProbeMaster) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = time.Time{}
}

func (m *ProbeMaster) read(ctx context.Context) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Now().Sub(m.at) < masterAge {
		return m.known, nil
	}
	secret := &corev1.Secret{}
	err := m.Live.Get(ctx, client.ObjectKey{Namespace: m.Namespace, Name: MasterSecretName}, secret)
	switch {
	case apierrors.IsNotFound(err):
		secret, err = m.create(ctx)
	case err == nil && len(secret.Data[MasterKey]) < keys.MasterBytes:
		secret.Data = newMaster()
		err = m.Writer.Update(ctx, secret, FieldOwner)
	}
	if err != nil {
		return nil, fmt.Errorf("master key of the probe keys: Secret %s in namespace %s: %w", MasterSecretName, m.Namespace, err)
	}
	m.known, m.at = secret.Data[MasterKey], m.Now()
	return m.known, nil
}

// create makes the Secret. Another operator may have been faster: then that one's counts, and the next attempt finds it.
func (m *ProbeMaster) create(ctx context.Context) (*corev1.Secret, error) {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: MasterSecretName, Namespace: m.Namespace,
			Labels: map[string]string{"app.kubernetes.io/name": "gatehouse", "app.kubernetes.io/managed-by": "gatehouse"},
		},
		Data: newMaster(),
	}
	return secret, m.Writer.Create(ctx, secret, FieldOwner)
}

func newMaster() map[string][]byte {
	master := make([]byte, keys.MasterBytes)
	rand.Read(master)
	return map[string][]byte{MasterKey: master}
}

// observeProbeKey asks for the probe key where a gate is to accept it.
func (r *Reconciler) observeProbeKey(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	if len(desired.Resolve(server).ProbeKeyProviders()) == 0 {
		return nil
	}
	key, found, err := r.Master.Key(ctx, server)
	if err != nil || !found {
		return err
	}
	public := key.Public()
	seen.probeKey = &public
	return nil
}
