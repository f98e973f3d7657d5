package keysource

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
	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
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

// masterTimeout bounds one attempt to read or to make it, and masterPatience is how long one that failed stands: an API server
// in trouble is not asked by every server in turn.
const (
	masterTimeout  = 10 * time.Second
	masterPatience = 5 * time.Second
)

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

	mu       sync.Mutex
	at       time.Time
	known    []byte
	failedAt time.Time
	failed   error
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
	m.at, m.failedAt = time.Time{}, time.Time{}
}

func (m *ProbeMaster) read(ctx context.Context) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Now().Sub(m.at) < masterAge {
		return m.known, nil
	}
	if m.Now().Sub(m.failedAt) < masterPatience {
		return nil, m.failed
	}
	// Whoever else asks waits for it.
	ctx, cancel := context.WithTimeout(ctx, masterTimeout)
	defer cancel()
	secret := &corev1.Secret{}
	err := m.Live.Get(ctx, client.ObjectKey{Namespace: m.Namespace, Name: MasterSecretName}, secret)
	switch {
	case apierrors.IsNotFound(err):
		secret, err = m.create(ctx)
	case err == nil && len(secret.Data[MasterKey]) < keys.MasterBytes:
		secret.Data = newMaster()
		err = m.Writer.Update(ctx, secret, owned.FieldOwner)
	}
	if err != nil {
		m.failedAt, m.failed = m.Now(), fmt.Errorf("master key of the probe keys: Secret %s in namespace %s: %w", MasterSecretName, m.Namespace, err)
		return nil, m.failed
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
	return secret, m.Writer.Create(ctx, secret, owned.FieldOwner)
}

func newMaster() map[string][]byte {
	master := make([]byte, keys.MasterBytes)
	rand.Read(master)
	return map[string][]byte{MasterKey: master}
}
