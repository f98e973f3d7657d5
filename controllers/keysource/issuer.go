package keysource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/exactjson"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// issuerAge is how long what the API server said of its issuer is believed. Its administrator publishes a new key long
// before it signs, since nobody is told of it.
const issuerAge = time.Minute

const (
	// issuerTimeout bounds one attempt to read it, and issuerPatience is how long one that failed stands for all servers.
	issuerTimeout  = 5 * time.Second
	issuerPatience = 5 * time.Second
)

// ClusterIssuer reads the cluster's own issuer of ServiceAccount tokens from the API server, and remembers it for a
// while. It is asked through the connection that the operator has anyway: no URL of anybody's choice is fetched.
type ClusterIssuer struct {
	// Get reads a path of the API server.
	Get func(ctx context.Context, path string) ([]byte, error)
	// Now is the clock.
	Now func() time.Time

	mu    sync.Mutex
	at    time.Time
	known desired.Issuer
	// failed is what the last attempt came to that failed, at failedAt.
	failedAt time.Time
	failed   struct {
		issuer desired.Issuer
		err    error
	}
}

// NewClusterIssuer reads from the API server of the configuration.
func NewClusterIssuer(config *rest.Config) (*ClusterIssuer, error) {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	get := func(ctx context.Context, path string) ([]byte, error) {
		return client.RESTClient().Get().AbsPath(path).DoRaw(ctx)
	}
	return &ClusterIssuer{Get: get, Now: time.Now}, nil
}

// Read gives the issuer and its keys (OpenID Connect Discovery, as the API server serves it). That the API server does not
// answer does not hide what was read before; that it answers otherwise does.
func (c *ClusterIssuer) Read(ctx context.Context) (desired.Issuer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Now().Sub(c.at) < issuerAge {
		return c.known, nil
	}
	if c.Now().Sub(c.failedAt) < issuerPatience {
		return c.failed.issuer, c.failed.err
	}
	// Whoever else asks waits for it.
	ctx, cancel := context.WithTimeout(ctx, issuerTimeout)
	defer cancel()
	found, err := c.ask(ctx)
	switch {
	case err == nil:
		c.known, c.at = found, c.Now()
	case c.known.URL != "" && isPassing(err):
		found, err = c.known, nil
		c.remember(found, err)
	default:
		c.remember(found, err)
	}
	return found, err
}

// remember keeps what an attempt that failed came to: an API server in trouble is not asked by every server in turn.
func (c *ClusterIssuer) remember(issuer desired.Issuer, err error) {
	c.failedAt, c.failed.issuer, c.failed.err = c.Now(), issuer, err
}

// isPassing tells a failure that says nothing about what was asked for: no answer, or none in earnest.
func isPassing(err error) bool {
	var answer apierrors.APIStatus
	if errors.As(err, &answer) {
		code := answer.Status().Code
		return code >= http.StatusInternalServerError || code == http.StatusTooManyRequests
	}
	var unanswered net.Error
	return errors.As(err, &unanswered)
}

func (c *ClusterIssuer) ask(ctx context.Context) (desired.Issuer, error) {
	var url string
	found, err := c.Get(ctx, "/.well-known/openid-configuration")
	if err == nil {
		url, err = issuerOf(found)
	}
	if err != nil {
		return desired.Issuer{}, unread("/.well-known/openid-configuration", err)
	}
	found, err = c.Get(ctx, "/openid/v1/jwks")
	if err != nil {
		return desired.Issuer{}, unread("/openid/v1/jwks", err)
	}
	set, err := keys.ParsePublic(found)
	if err != nil {
		return desired.Issuer{}, fmt.Errorf("/openid/v1/jwks: %w", err)
	}
	return desired.Issuer{URL: url, Keys: set.Keys, Faulty: set.Faulty}, nil
}

// issuerOf reads the issuer of its metadata by the exact name: encoding/json would take "ISSUER" for it.
func issuerOf(document []byte) (string, error) {
	members, err := exactjson.Members(document)
	if err != nil {
		return "", err
	}
	var url string
	if json.Unmarshal(members["issuer"], &url) != nil || url == "" {
		return "", errors.New("it names no issuer")
	}
	return url, nil
}

// unread says why a path could not be read. The API server's own words for a refusal are "unknown".
func unread(path string, err error) error {
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("%s: the operator may not read it; the ClusterRole system:service-account-issuer-discovery lets it", path)
	}
	return fmt.Errorf("%s: %w", path, err)
}
