package serverstatus

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/availability"
	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
	"github.com/mcp-gatehouse/gatehouse/internal/keyobservation"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/keyturn"
	"github.com/mcp-gatehouse/gatehouse/internal/publication"
)

// Seen is what the status of a server is made from.
type Seen struct {
	// Managed keys are those that the operator makes.
	keyturn.Managed
	// Stored: the step that turns came to was written, although the rest of the spec is not carried out.
	Stored bool
	// GateSecret is the look at the secret that gates share with the operator.
	GateSecret keyturn.GateSecret
	// Public keys per provider, of every other type whose keys the operator sees.
	Public map[string][]keys.Public
	// Faulty names keys that are at fault and not used, each with the reason.
	Faulty []string
	// Versions of the Secrets that Managed and GateSecret came from, by name: a write on top of an older version must fail, or it
	// could replace a key that was made in between.
	Versions map[string]string
	// Published is what gates are to have loaded, as this operator has written it; nil if it has not yet.
	Published *publication.Version

	// Deployment is nil before the first apply.
	Deployment *appsv1.Deployment
	// Pods carry the server's labels.
	Pods []corev1.Pod
	// Absences are of servers that do not listen where they must, by pod.
	Absences map[types.UID]diagnosis.Absence
	// Loaded counts the pods that have a key loaded, by provider and kid; AllTold: none of them has yet to tell.
	Loaded  map[string]map[string]int32
	AllTold bool
	// Missing are the providers that gates cannot serve.
	Missing keyobservation.Missing

	// InForce is the server with the spec that its gates carry out; nil: none yet, or nobody knows.
	InForce *v1alpha1.MCPServer
	// RouteAccepted: a gateway has accepted the route.
	RouteAccepted bool
	// GateImage is that of the pod template as it is applied; Waits is why that is not the wanted one yet.
	GateImage, Waits string
	// Record is the digest of that template's record on the Deployment; empty if none was applied now.
	Record string
	// Untold is of what gates of other schemas cannot be told.
	Untold []string
}

// secrets are those of the server's keys that the operator holds: a container may print what it was given, or guess.
func (seen Seen) secrets() [][]byte {
	turn := seen.GateSecret.Next
	all := [][]byte{turn.Current.Secret, turn.Next.Secret, turn.Previous.Secret}
	for _, set := range seen.Private {
		for _, key := range set {
			all = append(all, key.Secret())
		}
	}
	for _, set := range seen.Public {
		for _, key := range set {
			if secret, shared := key.Key.([]byte); shared {
				all = append(all, secret)
			}
		}
	}
	return all
}

// availability is the part that tells whether pods serve.
func (seen Seen) availability() availability.Seen {
	return availability.Seen{Deployment: seen.Deployment, Pods: seen.Pods, Absences: seen.Absences, Secrets: seen.secrets()}
}
