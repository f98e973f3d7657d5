package desired

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// Rotation says when the key of a Managed provider is replaced.
type Rotation struct {
	// Interval is how long a key signs; 0 is for ever.
	Interval time.Duration
	// Overlap is how long it then still verifies: never shorter than a token can live.
	Overlap time.Duration
}

func resolveRotation(managed *v1alpha1.ManagedKeys, lifetimeSeconds, skewSeconds int32) Rotation {
	managed = cmp.Or(managed, &v1alpha1.ManagedKeys{})
	overlap := max(ptr.Deref(managed.OverlapSeconds, 0), lifetimeSeconds+skewSeconds)
	return Rotation{
		Interval: time.Duration(ptr.Deref(managed.RotationSeconds, 0)) * time.Second,
		Overlap:  time.Duration(overlap) * time.Second,
	}
}

// RotationRequest names the rotation that the server's annotation asks for; "" is none. The annotation may be any text of
// any length, so it is not kept as it is.
func RotationRequest(s *v1alpha1.MCPServer) string {
	return requestOf(s.Annotations[v1alpha1.AnnotationRotateKeys])
}

// TurnoverRequest names the turnover of the gate's secret that the server's annotation asks for, likewise.
func TurnoverRequest(s *v1alpha1.MCPServer) string {
	return requestOf(s.Annotations[v1alpha1.AnnotationRotateGateSecret])
}

func requestOf(asked string) string {
	if asked == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(asked))
	return hex.EncodeToString(sum[:8])
}

// RotationFile is the data key of the Secret NAME-keys with what is known of a Managed provider's keys beside their JWK
// Set: in which phase of their lives they are, and those that are no longer published. It must never be mounted.
func RotationFile(provider string) string { return provider + ".rotation.json" }
