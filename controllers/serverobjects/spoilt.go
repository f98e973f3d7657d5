package serverobjects

import (
	"bytes"
	"encoding/base64"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/ssa"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
)

// SpoiltError is an object that does not reach the gates any more under the name that it has. The server must have another.
type SpoiltError struct {
	Wanted *unstructured.Unstructured
	// why is the middle of a sentence.
	why string
}

func (s *SpoiltError) Error() string { return ssa.NameOf(s.Wanted) + " " + s.why }

const (
	isImmutable = "was made immutable, so it can be written no more, and nodes that have mounted it do not read it again"
	isTaken     = "belongs to this MCPServer no more, and the pods have it mounted"
	isKept      = "is as it must be, and the gates of pods that mount it have something else"
)

// spoiltBy tells why an object must get another name; empty if it need not. A key must not be lost, so the private keys stay
// where they are while they are right: nobody mounts them.
func spoiltBy(server *v1alpha1.MCPServer, existing client.Object, wanted *unstructured.Unstructured, there Standing) string {
	mounted := desired.IsMounted(server, wanted.GetName())
	switch {
	case !ssa.CanBeImmutable(existing):
		return ""
	case !desired.Owns(server, existing):
		if mounted && mounts(there, wanted.GetName()) {
			return isTaken
		}
		return ""
	case ssa.IsImmutable(existing) && (mounted || !holds(existing, wanted)):
		return isImmutable
	case mounted && there.Kept[wanted.GetName()]:
		return isKept
	}
	return ""
}

// mounts tells that the Deployment as it stands has an object of a name in a volume of the gate.
func mounts(there Standing, name string) bool {
	return there.Deployment != nil && podlock.GateMounts(there.Deployment.Spec.Template.Spec, name)
}

// holds tells that a Secret has the data that is wanted.
func holds(existing client.Object, wanted *unstructured.Unstructured) bool {
	secret, ok := existing.(*corev1.Secret)
	data, _, err := unstructured.NestedStringMap(wanted.Object, "data")
	if !ok || err != nil || len(data) != len(secret.Data) {
		return false
	}
	for name, encoded := range data {
		value, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || !bytes.Equal(value, secret.Data[name]) {
			return false
		}
	}
	return true
}
