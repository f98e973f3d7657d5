package mcpserver

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// observed is everything that one reconciliation reads.
type observed struct {
	// keys per provider of type Managed that are published: those of the Secret, after the step that is due, and new ones
	// where it has none.
	keys map[string][]keys.Private
	// rotations is what is stored beside them; turns are what they came from.
	rotations map[string][]byte
	turns     []turn
	// public keys per provider, of every other type whose keys the operator sees.
	public map[string][]keys.Public
	// faulty names the keys among those that the operator read that are at fault and not used, each with the reason.
	faulty []string
	// loaded counts the pods that have a key loaded, by provider and kid; allTold: none of them has yet to tell.
	loaded  map[string]map[string]int32
	allTold bool
	// missing are the providers that gates cannot serve.
	missing missingKeys
	// cluster is the cluster's own issuer, where a provider asks for it.
	cluster desired.Issuer
	// probeKey is the public half of the server's probe key; nil where no gate is to accept one.
	probeKey *keys.Public
	// revoked is the users' list of what is no longer accepted.
	revoked string
	// mounted are the versions of what users bring and the gate mounts.
	mounted []string
	// secretTurn is the look at the secret that gates share with the operator.
	secretTurn secretTurn
	// versions of the Secrets that keys and gateSecret came from, by name: a write on top of an older version must
	// fail, or it could replace a key that was made in between.
	versions map[string]string
	// deployment is nil before the first apply.
	deployment *appsv1.Deployment
	// pods carry the server's labels.
	pods []corev1.Pod
	// schemas are those of the gates' configuration that are needed besides the present one; configFiles is what gates are
	// given now.
	schemas     []int
	configFiles map[string]string
	// gateImage is that of the pod template as it is applied; waits is why that is not the wanted one yet.
	gateImage, waits string
	// untold is of what gates of other schemas cannot be told.
	untold []string
	// routes reads HTTPRoutes; nil where the cluster has none, or nobody wants one.
	routes client.Reader
	// routeAccepted: a gateway has accepted the route.
	routeAccepted bool
}

func (r *Reconciler) observe(ctx context.Context, server *v1alpha1.MCPServer) (observed, error) {
	seen := observed{versions: map[string]string{}, rotations: map[string][]byte{}, keys: map[string][]keys.Private{}, public: map[string][]keys.Public{}}
	var deployment appsv1.Deployment
	switch err := r.Get(ctx, client.ObjectKeyFromObject(server), &deployment); {
	case err == nil && metav1.IsControlledBy(&deployment, server):
		seen.deployment = &deployment
	case client.IgnoreNotFound(err) != nil:
		return seen, fmt.Errorf("read Deployment: %w", err)
	}
	pods, err := PodsOf(ctx, r.Client, server)
	if err != nil {
		return seen, err
	}
	seen.pods = pods
	seen.loaded, seen.allTold = r.Sightings.Loaded(client.ObjectKeyFromObject(server), seen.pods)
	seen.missing = r.Sightings.missing(client.ObjectKeyFromObject(server), seen.pods)
	r.Logs.complete(ctx, seen.pods)
	if err := r.observeRoute(ctx, server, &seen); err != nil {
		return seen, err
	}
	if err := r.observeGateSecret(ctx, server, &seen); err != nil {
		return seen, err
	}
	for _, observe := range []func(context.Context, *v1alpha1.MCPServer, *observed) error{
		r.observeSchemas, r.observeKeys, r.observeCluster, r.observeProbeKey, r.observeBrought,
	} {
		if err := observe(ctx, server, &seen); err != nil {
			return seen, err
		}
	}
	return seen, nil
}

// observeSchemas finds what gates of other releases read, and must go on to find.
func (r *Reconciler) observeSchemas(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	if seen.deployment == nil {
		return nil
	}
	var sets appsv1.ReplicaSetList
	if err := r.List(ctx, &sets, client.InNamespace(server.Namespace), ByServer(server), client.MatchingLabels{v1alpha1.LabelServer: server.Name}); err != nil {
		return fmt.Errorf("list ReplicaSets: %w", err)
	}
	seen.schemas = desired.SchemasBeside(*seen.deployment, sets.Items, seen.pods)
	if len(seen.schemas) == 0 {
		return nil
	}
	var config corev1.ConfigMap
	key := client.ObjectKey{Namespace: server.Namespace, Name: desired.GateConfigName(server)}
	if err := r.Get(ctx, key, &config); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read ConfigMap %s: %w", key.Name, err)
	}
	if metav1.IsControlledBy(&config, server) {
		seen.configFiles = config.Data
	}
	return nil
}

func (r *Reconciler) observeKeys(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	secret, err := r.readSecret(ctx, server, desired.KeysSecretName(server))
	if err != nil {
		return err
	}
	seen.versions[secret.Name] = secret.ResourceVersion
	for _, provider := range desired.Resolve(server).Providers {
		if provider.Type != v1alpha1.KeysManaged {
			continue
		}
		if err := r.rotate(server, provider, secret, seen); err != nil {
			return err
		}
	}
	return nil
}

// readSecret reads one of the server's own Secrets. One that is absent from the cache is asked for live, because a key
// that exists must never be made a second time. Absent, or not ours, gives an empty Secret with the name: what is not
// ours is told when it comes to writing it.
func (r *Reconciler) readSecret(ctx context.Context, server *v1alpha1.MCPServer, name string) (*corev1.Secret, error) {
	key := client.ObjectKey{Namespace: server.Namespace, Name: name}
	var secret corev1.Secret
	err := r.Get(ctx, key, &secret)
	if apierrors.IsNotFound(err) {
		err = r.Live.Get(ctx, key, &secret)
	}
	if apierrors.IsNotFound(err) || (err == nil && !metav1.IsControlledBy(&secret, server)) {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Secret %s: %w", name, err)
	}
	return &secret, nil
}
