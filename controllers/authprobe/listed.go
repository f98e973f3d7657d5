package authprobe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/mcpserver"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// isListed tells whether a gate must know the operator's own entries of the list of what is revoked: they are published, and
// the gate has that list, or has had the time to load it. An older version of the operator writes fewer of them, so that
// after an upgrade gates go by its list until their kubelet has looked.
func (r *Reconciler) isListed(ctx context.Context, server *v1alpha1.MCPServer, state admin.State) bool {
	var published corev1.ConfigMap
	name := client.ObjectKey{Namespace: server.Namespace, Name: desired.PublicKeysName(server)}
	if err := r.Get(ctx, name, &published); err != nil {
		return false
	}
	list := published.Data[authproxy.RevokedFile]
	if !strings.HasSuffix(list, desired.RevokedList(server, "")) {
		return false
	}
	sum := sha256.Sum256([]byte(list))
	return state.RevokedSHA256 == hex.EncodeToString(sum[:]) ||
		!slices.ContainsFunc(published.ManagedFields, func(entry metav1.ManagedFieldsEntry) bool {
			return entry.Manager == string(mcpserver.FieldOwner) && r.Now().Sub(entry.Time.Time) < loading
		})
}
