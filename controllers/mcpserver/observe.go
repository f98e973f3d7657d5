package mcpserver

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/keypublisher"
	"github.com/mcp-gatehouse/gatehouse/controllers/keysource"
	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
	"github.com/mcp-gatehouse/gatehouse/controllers/ownkeys"
	"github.com/mcp-gatehouse/gatehouse/controllers/podlogs"
	"github.com/mcp-gatehouse/gatehouse/controllers/routes"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/network"
	"github.com/mcp-gatehouse/gatehouse/internal/keyobservation"
	"github.com/mcp-gatehouse/gatehouse/internal/terminal"
)

// observer reads what there is of a server.
type observer struct {
	client.Client
	live         client.Reader
	now          func() time.Time
	observations *keyobservation.Store
	logs         *podlogs.Reader
	issuer       *keysource.ClusterIssuer
	master       *keysource.ProbeMaster
	parsed       *keysource.Parsed
	ownKeys      ownkeys.Reader
	publisher    keypublisher.Publisher
	routes       *routes.Watch
}

// workload reads the Deployment and its pods, and what these were seen to do.
func (o observer) workload(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) (err error) {
	var deployment appsv1.Deployment
	switch err := o.Get(ctx, client.ObjectKeyFromObject(server), &deployment); {
	case err == nil && desired.Owns(server, &deployment):
		seen.Deployment = &deployment
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("read Deployment: %w", err)
	}
	if seen.Pods, err = owned.Pods(ctx, o.Client, server); err != nil {
		return err
	}
	name := client.ObjectKeyFromObject(server)
	seen.Loaded, seen.AllTold = o.observations.Loaded(name, seen.Pods)
	seen.Absences = o.observations.Absences(name)
	seen.Missing = o.observations.Missing(name, seen.Pods)
	seen.kept, seen.keptDue = o.observations.Stale(server, seen.Pods, o.now())
	o.logs.Complete(ctx, seen.Pods)
	return nil
}

// gateSecret reads the secret that gates share with the operator.
func (o observer) gateSecret(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) (err error) {
	seen.GateSecret, err = o.ownKeys.GateSecret(ctx, server, seen.Pods, seen.Versions)
	return err
}

// route reads whether a gateway has accepted the server's route.
func (o observer) route(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	reader, err := o.routes.Reader(server, o.RESTMapper(), o.live)
	if err != nil || reader == nil {
		return err
	}
	seen.routes = reader
	seen.RouteAccepted, err = routes.IsAccepted(ctx, reader, server)
	return err
}

// schemas finds what gates of other releases read, and must go on to find; and the ports that gates have.
func (o observer) schemas(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	if seen.Deployment == nil {
		return nil
	}
	var sets appsv1.ReplicaSetList
	if err := o.List(ctx, &sets, client.InNamespace(server.Namespace), owned.ByServer(server), client.MatchingLabels{v1alpha1.LabelServer: server.Name}); err != nil {
		return fmt.Errorf("list ReplicaSets: %w", err)
	}
	seen.ports = network.PortsOf(server, *seen.Deployment, sets.Items, seen.Pods)
	seen.schemas = gateconfig.SchemasBeside(*seen.Deployment, sets.Items, seen.Pods)
	var err error
	seen.oldConfigs, err = gateconfig.Beside(server, *seen.Deployment, sets.Items, seen.Pods)
	return err
}

// published reads what gates are given now.
func (o observer) published(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	published, _, err := o.publisher.InForce(ctx, server)
	seen.configFiles, seen.keyFiles = published.Config.Data, published.Lists.Data
	if inForce, known := gateconfig.InForce(server, published.Config); known && published.Config.Name != "" {
		seen.InForce = inForce
	}
	return err
}

// managedKeys reads the keys that the operator makes.
func (o observer) managedKeys(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) (err error) {
	seen.Managed, err = o.ownKeys.Managed(ctx, server, seen.Pods, seen.Versions)
	return err
}

// brought reads the Secrets and the ConfigMap that the spec names, past the cache, which holds none of them. What is wrong with them
// is told with the fields that name them, all at once.
func (o observer) brought(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	brought := keysource.Reader{Live: o.live, Parsed: o.parsed, Namespace: server.Namespace, Into: &seen.brought, Now: o.now()}
	var wrong terminal.Problems
	for i, provider := range desired.Resolve(server).Providers {
		field := fmt.Sprintf("spec.auth.providers[%d].keys", i)
		if provider.Secret != nil {
			set, err := brought.Keys(ctx, provider, field+".secret")
			if err = wrong.Collect(err); err != nil {
				return err
			}
			if set != nil {
				seen.Public[provider.Name] = set
			}
		}
		if provider.Remote != nil && provider.Remote.CASecretRef != nil {
			if err := wrong.Collect(brought.Certificates(ctx, *provider.Remote.CASecretRef, field+".remote.caSecretRef")); err != nil {
				return err
			}
		}
	}
	for _, err := range []error{brought.Certificate(ctx, desired.Resolve(server).TLSSecret), brought.Revoked(ctx, server)} {
		if err = wrong.Collect(err); err != nil {
			return err
		}
	}
	return wrong.Err()
}

// cluster asks for the cluster's issuer where a provider wants it.
func (o observer) cluster(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	for i, provider := range desired.Resolve(server).Providers {
		if provider.Type != v1alpha1.KeysCluster {
			continue
		}
		issuer, err := o.issuer.Read(ctx)
		if err != nil {
			return terminal.Keys(v1alpha1.ReasonIssuerUnavailable,
				"spec.auth.providers[%d].keys: the API server does not tell its issuer and its keys: %v. Look at its flags --service-account-issuer and --service-account-jwks-uri, and at the operator's role.", i, err)
		}
		seen.cluster = issuer
		for _, fault := range issuer.Faulty {
			seen.brought.Faulty = append(seen.brought.Faulty, fmt.Sprintf("field spec.auth.providers[%d].keys: the cluster's %s", i, fault))
		}
		seen.Public[provider.Name] = keysource.Unique(keysource.Bound(issuer.Keys, provider.Algorithms))
	}
	return nil
}

// probeKey asks for the probe key where a gate is to accept it.
func (o observer) probeKey(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	if len(desired.Resolve(server).ProbeKeyProviders()) == 0 {
		return nil
	}
	key, found, err := o.master.Key(ctx, server)
	if err != nil || !found {
		return err
	}
	public := key.Public()
	seen.probeKey = &public
	return nil
}
