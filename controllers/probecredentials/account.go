package probecredentials

import (
	"context"
	"fmt"
	"maps"
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
	if known := a.recall(audience); a.Now().Before(known.until) {
		return known.raw, nil
	}
	// An audience is one server's, and a server is looked at by one worker at a time: nobody else asks for the same.
	got, err := a.ask(ctx, audience)
	a.remember(audience, got)
	return got.raw, err
}

// ask asks the API server.
func (a *Account) ask(ctx context.Context, audience string) (granted, error) {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		Audiences: []string{audience}, ExpirationSeconds: ptr.To(int64(accountTokenLifetime / time.Second)),
	}}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: a.Namespace, Name: a.Name}}
	if err := a.Client.SubResource("token").Create(ctx, account, request); err != nil {
		return granted{until: a.Now().Add(accountPause)}, fmt.Errorf("ask for a token of ServiceAccount %s in namespace %s: %w", a.Name, a.Namespace, err)
	}
	return granted{raw: request.Status.Token, until: request.Status.ExpirationTimestamp.Add(-accountTokenRest)}, nil
}

func (a *Account) recall(audience string) granted {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.known[audience]
}

// remember also forgets what is of no more use: servers come and go.
func (a *Account) remember(audience string, got granted) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.known, func(_ string, known granted) bool { return !a.Now().Before(known.until) })
	if a.known == nil {
		a.known = map[string]granted{}
	}
	a.known[audience] = got
}
