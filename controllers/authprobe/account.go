package authprobe

import (
	"context"
	"fmt"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// accountTokenLifetime is the shortest that the API server grants.
	accountTokenLifetime = 10 * time.Minute
	// accountTokenRest is what a token must still have of it to be used.
	accountTokenRest = 2 * time.Minute
	// accountPause is how long a refusal is believed.
	accountPause = 5 * time.Minute
)

// Account is the operator's own ServiceAccount, whose tokens try providers of type Cluster: the API server signs them as it
// does those of clients.
type Account struct {
	Client client.Client
	// Namespace and Name are the operator's; without one of them there are no tokens.
	Namespace, Name string
	// Now is the clock.
	Now func() time.Time

	mu    sync.Mutex
	known map[string]granted
}

// granted is what the API server said about an audience; raw is empty if it gave no token.
type granted struct {
	raw   string
	until time.Time
}

// token gives a token for an audience; "" if the operator has no account. A failure is told once, and then remembered for a
// while as no token.
func (a *Account) token(ctx context.Context, audience string) (string, error) {
	if a == nil || a.Namespace == "" || a.Name == "" {
		return "", nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if known := a.known[audience]; a.Now().Before(known.until) {
		return known.raw, nil
	}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		Audiences: []string{audience}, ExpirationSeconds: ptr.To(int64(accountTokenLifetime / time.Second)),
	}}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: a.Namespace, Name: a.Name}}
	got := granted{until: a.Now().Add(accountPause)}
	err := a.Client.SubResource("token").Create(ctx, account, request)
	if err != nil {
		err = fmt.Errorf("ask for a token of ServiceAccount %s in namespace %s: %w", a.Name, a.Namespace, err)
	} else {
		got.raw, got.until = request.Status.Token, request.Status.ExpirationTimestamp.Add(-accountTokenRest)
	}
	if a.known == nil {
		a.known = map[string]granted{}
	}
	a.prune()
	a.known[audience] = got
	return got.raw, err
}

// prune forgets what is of no more use: servers come and go.
func (a *Account) prune() {
	for audience, known := range a.known {
		if !a.Now().Before(known.until) {
			delete(a.known, audience)
		}
	}
}
