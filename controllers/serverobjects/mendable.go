package serverobjects

import (
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/ssa"
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
			`kubectl patch secret %s -n %s --type=merge -p '{"metadata":{"ownerReferences":null,"labels":{%q:%q,%q:%q}}}'. `+
			"Else give the MCPServer another name.",
			wanted.GetName(), server.Namespace, v1alpha1.LabelServer, server.Name, v1alpha1.LabelInstance, server.UID)
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
			"The API server refused to %s: %s Change the spec, or what forbids it: a quota, an admission policy or the operator's role.",
			refused.Action, diagnosis.Sentence(mask.Trusted(refused.Err.Error())))}
	}
	return err
}
