package mcpserver

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/keysource"
	"github.com/mcp-gatehouse/gatehouse/controllers/serverobjects"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/serverstatus"
)

// observed is everything that one reconciliation reads.
type observed struct {
	serverstatus.Seen
	// brought is what users bring.
	brought keysource.Objects
	// cluster is the cluster's own issuer, where a provider asks for it.
	cluster desired.Issuer
	// probeKey is the public half of the server's probe key; nil where no gate is to accept one.
	probeKey *keys.Public
	// kept are the objects of which gates have something else for longer than it takes them to load what is there.
	kept map[string]bool
	// keptDue is the time until to look for such again; 0 is never.
	keptDue time.Duration
	// schemas are those of the gates' configuration that are needed besides the present one, and oldConfigs what gates of other
	// templates read; configFiles is what gates are given now.
	schemas     []int
	oldConfigs  []desired.OldConfig
	configFiles map[string]string
	// keyFiles are the public keys that are published now.
	keyFiles map[string]string
	// ports are those of the gates that are in use.
	ports desired.PortsInUse
	// routes reads HTTPRoutes; nil where the cluster has none, or nobody wants one.
	routes client.Reader
	// objects are those that there are to be, in the order in which they are applied.
	objects []runtime.ApplyConfiguration
}

// standing is how the objects of the server stand.
func (seen observed) standing() serverobjects.Standing {
	return serverobjects.Standing{Versions: seen.Versions, Kept: seen.kept, Deployment: seen.Deployment, Routes: seen.routes}
}

// mounted are the versions of the Secrets that gates mount.
func (seen observed) mounted(server *v1alpha1.MCPServer) []string {
	return append(slices.Clip(seen.brought.Mounted), seen.GateSecret.IDs(desired.GateSecretName(server))...)
}
