package serverobjects

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/ssa"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
	"github.com/mcp-gatehouse/gatehouse/internal/mask"
	"github.com/mcp-gatehouse/gatehouse/internal/terminal"
)

// taken tells that an object of the server's name is none of its own. Nobody is told to delete a Secret: it may be the one with
// the server's keys, which has lost what tells whose it is, and every token would end with it.
func taken(server *v1alpha1.MCPServer, existing client.Object, wanted *unstructured.Unstructured) *terminal.Error {
	found := fmt.Sprintf("%s exists and does not belong to this MCPServer, so it is left alone.", ssa.NameOf(wanted))
	if controller := metav1.GetControllerOf(existing); controller != nil {
		found = fmt.Sprintf("%s exists and belongs to %s %s (uid %s), so it is left alone.", ssa.NameOf(wanted), controller.Kind, controller.Name, controller.UID)
	}
	cure := "Delete or rename it, or give the MCPServer another name."
	if wanted.GetKind() == "Secret" {
		cure = fmt.Sprintf("Do not delete it unless you know whose it is: it may hold keys. To have this MCPServer take it over with what is in it: "+
			"%s. Else give the MCPServer another name.", owning(server, wanted))
	}
	return &terminal.Error{Condition: v1alpha1.ConditionAccepted, Reason: v1alpha1.ReasonNameTaken, Message: found + " " + cure}
}

// Mendable makes a *terminal.Error of what only a user can mend; any other error stays as it is.
func Mendable(server *v1alpha1.MCPServer, err error) error {
	var foreign *ssa.ForeignError
	var refused *ssa.RefusedError
	switch {
	case errors.As(err, &foreign):
		return taken(server, foreign.Existing, foreign.Wanted)
	case errors.As(err, &refused):
		return &terminal.Error{Condition: v1alpha1.ConditionAccepted, Reason: v1alpha1.ReasonObjectRefused, Message: fmt.Sprintf(
			"The API server refused to %s: %s %s", refused.Action(), diagnosis.Sentence(mask.Trusted(refused.Err.Error())), mend(server, refused))}
	}
	return err
}

// mend says what to do about a refusal. The admission plugin OwnerReferencesPermissionEnforcement, which OpenShift has on, lets
// only those restore an owner reference who may delete the object, and the operator may not.
func mend(server *v1alpha1.MCPServer, refused *ssa.RefusedError) string {
	if strings.Contains(refused.Err.Error(), "cannot set an ownerRef on a resource you can't delete") {
		return "Somebody removed its owner reference. Restore it, as somebody who may delete the object: " + owning(server, refused.Wanted) + "."
	}
	return "Change the spec, or what forbids it: a quota, an admission policy or the operator's role."
}

// owning is the command that makes an object the server's own.
func owning(server *v1alpha1.MCPServer, object *unstructured.Unstructured) string {
	owner, err := json.Marshal(desired.Owner(server))
	if err != nil {
		panic(err) // strings and bools
	}
	return fmt.Sprintf(`kubectl patch %s %s -n %s --type=merge -p '{"metadata":{"labels":{%q:%q,%q:%q},"ownerReferences":[%s]}}'`,
		strings.ToLower(object.GetKind()), object.GetName(), server.Namespace,
		v1alpha1.LabelServer, server.Name, v1alpha1.LabelInstance, server.UID, owner)
}
