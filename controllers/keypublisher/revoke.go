package keypublisher

import (
	"context"
	"errors"
	"maps"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/serverobjects"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/keyobjects"
	"github.com/mcp-gatehouse/gatehouse/internal/keyturn"
	"github.com/mcp-gatehouse/gatehouse/internal/publication"
	"github.com/mcp-gatehouse/gatehouse/internal/serverstatus"
)

// Revoke takes back what is to be revoked where the rest of the spec is not carried out: a revocation waits for nothing. It
// goes by the spec that gates have in force, and changes nothing of what is published but the keys that are revoked and the
// list. What status is to tell of it is put into seen.
func (p Publisher) Revoke(ctx context.Context, server *v1alpha1.MCPServer, seen *serverstatus.Seen) error {
	err := p.revokeOnce(ctx, server, seen)
	var which *serverobjects.SpoiltError
	if errors.As(err, &which) && !desired.IsMounted(server, which.Wanted.GetName()) {
		// The pods need not follow, which they could not: their template is not carried out.
		if err := p.Renamer.Rename(ctx, server, which, p.Now()); err != nil {
			return err
		}
		seen.Turns = nil // The Secret that took its place has the step already.
		return p.revokeOnce(ctx, server, seen)
	}
	return err
}

func (p Publisher) revokeOnce(ctx context.Context, server *v1alpha1.MCPServer, seen *serverstatus.Seen) error {
	published, known, err := p.InForce(ctx, server)
	if err != nil || published.Config.Name == "" || published.Lists.Name == "" { // No gate has anything that could be taken back.
		return err
	}
	inForce, _ := gateconfig.InForce(server, published.Config)
	now := serverstatus.Seen{Versions: map[string]string{}, Pods: seen.Pods, GateSecret: seen.GateSecret}
	if now.Managed, err = p.Keys.Managed(ctx, inForce, now.Pods, now.Versions); err != nil {
		return err
	}
	adopt(seen, now)
	files, err := p.revokedFiles(ctx, server, inForce, published.Lists.Data, now)
	if err != nil {
		return err
	}
	back, err := p.isBack(ctx, server, inForce, now)
	if err != nil {
		return err
	}
	if keyturn.IsUrgent(now.Turns) || back || !maps.Equal(files, published.Lists.Data) {
		if err := p.storeRevocation(ctx, server, inForce, &now, seen); err != nil {
			return err
		}
		if published, err = p.republish(ctx, inForce, published, known, files, now); err != nil {
			return err
		}
	}
	return knowPublished(seen, published, known)
}

// knowPublished puts what is published into what status is made of. Where it is not known from this operator, its keys are those
// that stand in the cluster.
func knowPublished(seen *serverstatus.Seen, published publication.Version, known bool) error {
	if !known {
		if err := published.FindKeys(nil); err != nil {
			return err
		}
	}
	seen.Published = &published
	return nil
}

// isBack reports whether what is revoked has been put back into the cluster.
func (p Publisher) isBack(ctx context.Context, server, inForce *v1alpha1.MCPServer, now serverstatus.Seen) (bool, error) {
	standing, found, err := p.ownConfigMap(ctx, server, desired.PublicKeysName(server))
	if err != nil || !found {
		return false, err
	}
	files, err := p.revokedFiles(ctx, server, inForce, standing.Data, now)
	return !maps.Equal(files, standing.Data), err
}

// republish publishes these lists in place of others, and notes it. What stood in the cluster before this operator has published
// anything is not noted: others may have written it.
func (p Publisher) republish(ctx context.Context, inForce *v1alpha1.MCPServer, published publication.Version, known bool, files map[string]string, now serverstatus.Seen) (publication.Version, error) {
	next := published
	next.Lists.Data = files
	next.Keys = nil
	if known {
		if err := next.FindKeys(published.Keys); err != nil {
			return published, err
		}
		p.Publications.Offer(inForce, next, false)
	}
	objects := []runtime.ApplyConfiguration{keyobjects.Republished(inForce, files)}
	if err := p.Renamer.Apply(ctx, inForce, objects[0], serverobjects.Standing{Versions: now.Versions}); err != nil {
		return published, err
	}
	if known {
		p.Publications.Settle(inForce, p.Now())
	}
	return next, p.Renamer.Refresh(ctx, inForce, now.Pods, now.GateSecret.IDs(desired.GateSecretName(inForce)), objects)
}

// storeRevocation writes the step of the keys in force, if it is one that cannot wait.
func (p Publisher) storeRevocation(ctx context.Context, server, inForce *v1alpha1.MCPServer, now, seen *serverstatus.Seen) error {
	if !keyturn.IsUrgent(now.Turns) {
		return nil
	}
	secret, err := keyobjects.KeysSecret(inForce, desired.Inputs{Keys: now.Private, Rotations: now.Records})
	if err != nil {
		return err
	}
	if err := p.Renamer.Apply(ctx, server, secret, serverobjects.Standing{Versions: now.Versions}); err != nil {
		return err
	}
	seen.Turns, seen.Stored = now.Turns, true
	return nil
}

// adopt takes over what was read of the keys in force, as far as nothing is known of those of the spec.
func adopt(seen *serverstatus.Seen, now serverstatus.Seen) {
	maps.Copy(seen.Versions, now.Versions)
	if len(seen.Turns) == 0 {
		seen.Turns = now.Turns
	}
}
