package keypublisher

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/keysource"
	"github.com/mcp-gatehouse/gatehouse/controllers/ownkeys"
	"github.com/mcp-gatehouse/gatehouse/controllers/serverobjects"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/publication"
)

// Publisher knows what gates are given to load, and takes back what is to be revoked where the rest of a spec is not carried out.
type Publisher struct {
	Client       client.Client
	Live         client.Reader
	Publications *publication.Store
	Parsed       *keysource.Parsed
	Keys         ownkeys.Reader
	Renamer      serverobjects.Renamer
	Now          func() time.Time
}

// InForce gives what gates have to load: as this operator has published it, which is known then; else as it stands in the
// cluster, where others may have changed it since another operator did. A ConfigMap that is not there, or is somebody else's,
// has no name.
func (p Publisher) InForce(ctx context.Context, server *v1alpha1.MCPServer) (out publication.Version, known bool, err error) {
	if _, inForce := p.Publications.Of(server).Newest(); inForce != nil {
		return *inForce, true, nil
	}
	for name, into := range map[string]*corev1.ConfigMap{desired.GateConfigName(server): &out.Config, desired.PublicKeysName(server): &out.Lists} {
		standing, found, err := p.ownConfigMap(ctx, server, name)
		if err != nil {
			return out, false, err
		}
		if found {
			*into = standing
		}
	}
	return out, false, nil
}

// ownConfigMap reads a ConfigMap of the server's own; it is not found if it is somebody else's.
func (p Publisher) ownConfigMap(ctx context.Context, server *v1alpha1.MCPServer, name string) (config corev1.ConfigMap, found bool, err error) {
	if err := p.Client.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: name}, &config); client.IgnoreNotFound(err) != nil {
		return config, false, fmt.Errorf("read ConfigMap %s: %w", name, err)
	}
	return config, desired.Owns(server, &config), nil
}

// Published is what the objects publish to gates, beside what users bring.
func Published(server *v1alpha1.MCPServer, objects []runtime.ApplyConfiguration, public map[string][]keys.Public) (publication.Version, error) {
	var out publication.Version
	for _, object := range objects {
		config, ok := object.(*corev1ac.ConfigMapApplyConfiguration)
		if !ok {
			continue
		}
		made := corev1.ConfigMap{Data: config.Data}
		made.Name, made.Namespace, made.Annotations = *config.Name, server.Namespace, config.Annotations
		switch made.Name {
		case desired.GateConfigName(server):
			out.Config = made
		case desired.PublicKeysName(server):
			out.Lists = made
		}
	}
	present, err := gateconfig.Key(server)
	if err != nil {
		return out, fmt.Errorf("find the configuration that is published: %w", err)
	}
	if _, err := gateapi.ParseConfig([]byte(out.Config.Data[present])); err != nil {
		return out, fmt.Errorf("read the configuration that is published: %w", err)
	}
	return out, out.FindKeys(public)
}
