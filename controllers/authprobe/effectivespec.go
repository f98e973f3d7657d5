package authprobe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/gatestate"
	"github.com/mcp-gatehouse/gatehouse/internal/publication"
)

// specReader reads what the gates of a server were given to carry out: by this operator, or else by what stands in the cluster.
type specReader struct {
	// cached reads the cluster, and live past the cache.
	cached, live client.Reader
	publications *publication.Store
	now          func() time.Time
}

// effective returns the server with the effective spec, which its gates are to carry out: the one before, while a changed one was
// not looked at yet, or cannot be carried out. Its generation is then the last that AuthHealthy was about.
func (s specReader) effective(ctx context.Context, server *v1alpha1.MCPServer) *v1alpha1.MCPServer {
	published, found := s.config(ctx, server)
	if !found {
		return server
	}
	out, known := gateconfig.InForce(server, published)
	if !known || out == server {
		return server
	}
	out.Generation = 0
	if said := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionAuthHealthy); said != nil {
		out.Generation = said.ObservedGeneration
	}
	return out
}

// carriesOut tells whether what is published is still what this spec asks for. It looks past the cache, which gates may be
// ahead of. Where nobody can tell, it is.
func (s specReader) carriesOut(ctx context.Context, server *v1alpha1.MCPServer) bool {
	if offered, _ := s.publications.Of(server).Newest(); offered != nil {
		return gateconfig.CarriesOut(server, offered.Config)
	}
	var published corev1.ConfigMap
	err := s.live.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: desired.GateConfigName(server)}, &published)
	return err != nil || gateconfig.CarriesOut(server, published)
}

// isConfigured tells whether a gate must do all that the effective spec asks: it has the configuration that is published, or
// has had the time to load it. One that has not is asked no more than a quick check, which goes by no setting: what an older
// configuration lets in is nobody's failure.
func (s specReader) isConfigured(ctx context.Context, server *v1alpha1.MCPServer, pod corev1.Pod, state admin.State) bool {
	published, found := s.config(ctx, server)
	return found && gateconfig.CarriesOut(server, published) && !gatestate.IsHeld(server, published, pod, state) &&
		(state.ConfigSHA256 == gatestate.Digest(published, pod, state.ConfigSchema) || s.isLoaded(ctx, server, published))
}

// held is the evidence about a gate that keeps an earlier configuration, which may refuse good tokens of the effective spec; nil
// about all others.
func (s specReader) held(ctx context.Context, server *v1alpha1.MCPServer, pod corev1.Pod, state admin.State) *authhealth.Evidence {
	published, found := s.config(ctx, server)
	if !found || !gatestate.IsHeld(server, published, pod, state) {
		return nil
	}
	return &authhealth.Evidence{
		At: s.now(), Grade: authhealth.Unknown, Reason: v1alpha1.ReasonGateNotConverged, Question: "configuration",
		Expected: "that of the spec in force", Seen: "an earlier one",
		Message: "It has yet to be replaced by a pod with the files that the spec names, and keeps its earlier configuration until then.",
	}
}

// missing is the evidence that a gate does not run what the server's spec asks for, nil if it does.
func (s specReader) missing(ctx context.Context, server *v1alpha1.MCPServer, pod corev1.Pod, state admin.State, must gatestate.Expected) *authhealth.Evidence {
	wanted := ""
	if config, found := s.config(ctx, server); found {
		wanted = gatestate.Digest(config, pod, state.ConfigSchema)
	}
	return gatestate.NotConverged(state, wanted, must, s.now())
}

// isListed tells the same of the operator's own entries of the list of what is revoked. An older version of the operator
// writes fewer of them, so that after an upgrade gates go by its list until their kubelet has looked.
func (s specReader) isListed(ctx context.Context, server *v1alpha1.MCPServer, state admin.State) bool {
	published, found := s.configMap(ctx, server, desired.PublicKeysName(server))
	if _, settled := s.publications.Of(server).Newest(); settled != nil {
		published, found = settled.Lists, true
	}
	list := published.Data[gateapi.RevokedFile]
	if !found || !strings.HasSuffix(list, desired.RevokedList(server, "")) {
		return false
	}
	sum := sha256.Sum256([]byte(list))
	return state.RevokedSHA256 == hex.EncodeToString(sum[:]) || s.isLoaded(ctx, server, published)
}

// config is the ConfigMap with the gates' configuration that is in force: as this operator has written it, else as it stands in
// the cluster, where others may have changed it since another did.
func (s specReader) config(ctx context.Context, server *v1alpha1.MCPServer) (corev1.ConfigMap, bool) {
	if _, settled := s.publications.Of(server).Newest(); settled != nil {
		return settled.Config, true
	}
	published, found := s.configMap(ctx, server, desired.GateConfigName(server))
	return published, found && desired.Owns(server, &published)
}

// isLoaded tells that what we have written into a ConfigMap has been there for as long as pods may take to load it: since this
// operator wrote it, or another one did the same.
func (s specReader) isLoaded(ctx context.Context, server *v1alpha1.MCPServer, made corev1.ConfigMap) bool {
	if since, known := s.publications.Of(server).InForceSince(); known && s.now().Sub(since) >= gatestate.Loading {
		return true
	}
	published, found := s.configMap(ctx, server, made.Name)
	return found && maps.Equal(published.Data, made.Data) && !slices.ContainsFunc(published.ManagedFields, func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == string(owned.FieldOwner) && s.now().Sub(entry.Time.Time) < gatestate.Loading
	})
}

func (s specReader) configMap(ctx context.Context, server *v1alpha1.MCPServer, name string) (found corev1.ConfigMap, ok bool) {
	err := s.cached.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: name}, &found)
	return found, err == nil
}

// superseded says to a person that a server's spec was changed and the change is not carried out; empty where that is not so.
func superseded(server *v1alpha1.MCPServer) string {
	if accepted := acceptedOf(server); accepted == nil || accepted.ObservedGeneration <= server.Generation {
		return ""
	}
	return " This is about the spec that is in force: it was changed since, and the change is not carried out (see the conditions Accepted and KeysReady)."
}
