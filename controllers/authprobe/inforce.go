package authprobe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/mcpserver"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// inForce is the server with the spec that its gates are to carry out: the one before, while a changed one was not looked at
// yet, or cannot be carried out. Its generation is then the last that AuthHealthy was about.
func (r *Reconciler) inForce(ctx context.Context, server *v1alpha1.MCPServer) *v1alpha1.MCPServer {
	published, found := r.configMap(ctx, server, desired.GateConfigName(server))
	if !found || !metav1.IsControlledBy(&published, server) {
		return server
	}
	out, known := desired.InForce(server, published)
	if !known || out == server {
		return server
	}
	out.Generation = 0
	if said := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionAuthHealthy); said != nil {
		out.Generation = said.ObservedGeneration
	}
	return out
}

// superseded says to a person that a server's spec was changed and the change is not carried out; empty where that is not so.
func superseded(inForce *v1alpha1.MCPServer) string {
	if accepted := acceptedOf(inForce); accepted == nil || accepted.ObservedGeneration <= inForce.Generation {
		return ""
	}
	return " This is about the spec that is in force: it was changed since, and the change is not carried out (see the conditions Accepted and KeysReady)."
}

// carriesOut tells whether what is published is still what this spec asks for. It looks past the cache, which gates may be
// ahead of. Where nobody can tell, it is.
func (r *Reconciler) carriesOut(ctx context.Context, server *v1alpha1.MCPServer) bool {
	var published corev1.ConfigMap
	err := r.Live.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: desired.GateConfigName(server)}, &published)
	return err != nil || desired.CarriesOut(server, published)
}

// isConfigured tells whether a gate must do all that the spec in force asks: it has the configuration that is published, or
// has had the time to load it. One that has not is asked no more than a beat, which goes by no setting: what an older
// configuration lets in is nobody's failure.
func (r *Reconciler) isConfigured(ctx context.Context, server *v1alpha1.MCPServer, state admin.State) bool {
	published, found := r.configMap(ctx, server, desired.GateConfigName(server))
	return found && desired.CarriesOut(server, published) &&
		(state.ConfigSHA256 == digest(published, state.ConfigSchema) || r.isLoaded(published))
}

// isListed tells the same of the operator's own entries of the list of what is revoked. An older version of the operator
// writes fewer of them, so that after an upgrade gates go by its list until their kubelet has looked.
func (r *Reconciler) isListed(ctx context.Context, server *v1alpha1.MCPServer, state admin.State) bool {
	published, found := r.configMap(ctx, server, desired.PublicKeysName(server))
	list := published.Data[authproxy.RevokedFile]
	if !found || !strings.HasSuffix(list, desired.RevokedList(server, "")) {
		return false
	}
	sum := sha256.Sum256([]byte(list))
	return state.RevokedSHA256 == hex.EncodeToString(sum[:]) || r.isLoaded(published)
}

// isLoaded tells that what we have written into a ConfigMap has been there for as long as pods may take to load it.
func (r *Reconciler) isLoaded(published corev1.ConfigMap) bool {
	return !slices.ContainsFunc(published.ManagedFields, func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == string(mcpserver.FieldOwner) && r.Now().Sub(entry.Time.Time) < loading
	})
}

func (r *Reconciler) configMap(ctx context.Context, server *v1alpha1.MCPServer, name string) (found corev1.ConfigMap, ok bool) {
	err := r.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: name}, &found)
	return found, err == nil
}
