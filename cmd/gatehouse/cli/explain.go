package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// Explain adds to an error of a request to the cluster what its reader can do about it; nil for nil. doing says what the
// request was for.
func Explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	if cure := cureFor(err); cure != "" {
		return fmt.Errorf("%s: %w. %s", doing, err, cure)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func cureFor(err error) string {
	var network net.Error
	switch {
	case meta.IsNoMatchError(err):
		return "Gatehouse is not installed in this cluster: its CRD is missing. Is it the right one (kubectl config current-context)?"
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), v1alpha1.SchemeGroupVersion.Group):
		return "Ask for the ClusterRole gatehouse-mcpserver-viewer in this namespace, or gatehouse-mcpserver-editor to change keys."
	case apierrors.IsUnauthorized(err):
		return "The cluster does not know you: log in again, or choose another --context."
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return ""
	case errors.As(err, &network):
		return "Is the cluster reachable from here (kubectl cluster-info)?"
	default:
		return ""
	}
}

// GetServer reads one MCPServer.
func GetServer(ctx context.Context, c client.Reader, name client.ObjectKey) (*v1alpha1.MCPServer, error) {
	var server v1alpha1.MCPServer
	err := c.Get(ctx, name, &server)
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("there is no MCPServer %s in namespace %s; `gatehouse status --all-namespaces` lists those there are: %w",
			name.Name, name.Namespace, err)
	}
	return &server, Explain("read MCPServer "+name.String(), err)
}
