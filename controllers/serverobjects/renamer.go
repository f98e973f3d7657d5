package serverobjects

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
	"github.com/mcp-gatehouse/gatehouse/controllers/reporting"
	"github.com/mcp-gatehouse/gatehouse/controllers/ssa"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/terminal"
)

// renamePause is how long an object keeps a name at least: whoever spoils it again and again must not have the pods replaced
// all the time. One that only the gates' word speaks against keeps it for longer.
const (
	renamePause = time.Minute
	keptPause   = 10 * time.Minute
)

// Renamer gives objects of servers other names.
type Renamer struct {
	Applier
	Reporter reporting.Reporter
}

// Rename gives an object another name, and notes it in the status before anything goes by it.
func (r Renamer) Rename(ctx context.Context, server *v1alpha1.MCPServer, which *SpoiltError, now time.Time) error {
	name := which.Wanted.GetName()
	pause := renamePause
	if which.why == isKept {
		pause = keptPause
	}
	if left := desired.RenamedAt(server, name).Add(pause).Sub(now); left > 0 {
		return &terminal.Error{Condition: v1alpha1.ConditionAccepted, Reason: v1alpha1.ReasonObjectTampered, Message: fmt.Sprintf(
			"%s %s. It got this name less than %s ago, and gets another in %s. Find out who does that (its managedFields, the API server's audit log), and stop it.",
			ssa.NameOf(which.Wanted), which.why, pause, left.Round(time.Second))}
	}
	renamed := desired.Rename(server, name, strings.ToLower(rand.Text()[:6]), now)
	next := which.Wanted.DeepCopy()
	next.SetName(renamed[len(renamed)-1].NewName)
	// Where the server was read too long ago the name is another already, and nothing must be made.
	if err := r.Reporter.Renamed(ctx, server, renamed, client.DryRunAll); err != nil {
		return err
	}
	if err := r.prepare(ctx, server, next); err != nil {
		return err
	}
	if err := r.Reporter.Renamed(ctx, server, renamed); err != nil {
		return err
	}
	server.Status.Renamed = renamed
	r.Reporter.Memory.Rename(server)
	r.Events.Eventf(server, next, corev1.EventTypeWarning, v1alpha1.EventObjectRenamed, "Reconcile",
		"%s %s. %s takes its place%s. Find out who did it (its managedFields, the API server's audit log); it is used no more and can be deleted.",
		ssa.NameOf(which.Wanted), which.why, ssa.NameOf(next), andPodsFollow(server, name))
	return nil
}

func andPodsFollow(server *v1alpha1.MCPServer, name string) string {
	if !strings.HasPrefix(name, server.Name+"-keys") {
		return ", and the pods are replaced"
	}
	return ""
}

// prepare makes the Secret with private keys by its new name: it must be there before the status says that it is, or its keys
// would be lost. What is made from the spec is made by the next look; here it is tried whether it would stay as it is.
func (r Renamer) prepare(ctx context.Context, server *v1alpha1.MCPServer, next *unstructured.Unstructured) error {
	made := next.DeepCopy()
	options := []client.CreateOption{owned.FieldOwner}
	if next.GetKind() != "Secret" {
		options = append(options, client.DryRunAll)
	}
	if err := r.Client.Create(ctx, made, options...); err != nil {
		return Mendable(server, ssa.Refused("create", next, err))
	}
	return tampered(server, next, made, nil)
}
