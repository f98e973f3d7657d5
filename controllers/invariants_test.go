package controllers_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	kstatus "sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/test/conditions"
)

// Whatever a spec did, what every status promises holds in the end. It is asked for with patience, because the two
// controllers write one after the other.
var _ = AfterEach(func(ctx SpecContext) {
	declared, err := conditions.Read("../api/v1alpha1/conditions.go")
	Expect(err).NotTo(HaveOccurred())
	for _, namespace := range specNamespaces {
		Eventually(func() ([]string, error) {
			var servers v1alpha1.MCPServerList
			err := k8s.List(ctx, &servers, client.InNamespace(namespace))
			var broken []string
			for _, server := range servers.Items {
				for _, promise := range brokenPromises(&server, declared) {
					broken = append(broken, fmt.Sprintf("%s/%s: %s", server.Namespace, server.Name, promise))
				}
			}
			return broken, err
		}).Should(BeEmpty())
	}
	specNamespaces = nil
})

// sentence: begins with a capital or a number, and ends with a full stop.
var sentence = regexp.MustCompile(`(?s)^[A-Z0-9].*[^.\s]\.$`)

// brokenPromises lists what is not as it must be in every status.
func brokenPromises(server *v1alpha1.MCPServer, declared conditions.Declared) []string {
	var broken []string
	promise := func(kept bool, format string, args ...any) {
		if !kept {
			broken = append(broken, fmt.Sprintf(format, args...))
		}
	}
	found := func(kind string) *metav1.Condition { return meta.FindStatusCondition(server.Status.Conditions, kind) }
	promise(server.Status.ObservedGeneration <= server.Generation, "observedGeneration %d of generation %d", server.Status.ObservedGeneration, server.Generation)
	for _, c := range server.Status.Conditions {
		promise(c.ObservedGeneration <= server.Generation, "%s: observedGeneration %d of generation %d", c.Type, c.ObservedGeneration, server.Generation)
		promise(slices.Contains(declared.Of(c.Type, c.Status), c.Reason), "%s=%s has reason %s, which its declaration does not list", c.Type, c.Status, c.Reason)
		promise(sentence.MatchString(c.Message), "%s: no sentence: %q", c.Type, c.Message)
	}
	ready, auth := found(v1alpha1.ConditionReady), found(v1alpha1.ConditionAuthHealthy)
	reconciling, stalled := found(v1alpha1.ConditionReconciling), found(v1alpha1.ConditionStalled)
	promise(ready != nil, "Ready is absent")
	promise(server.Status.ObservedGeneration > 0, "never looked at")
	promise(reconciling == nil || stalled == nil, "Reconciling and Stalled at once")
	for _, c := range []*metav1.Condition{reconciling, stalled} {
		promise(c == nil || c.Status == metav1.ConditionTrue, "%v is there, and not True", c)
	}
	if ready != nil && ready.Status == metav1.ConditionTrue && ready.Reason != v1alpha1.ReasonScaledToZero {
		promise(auth != nil && auth.Status == metav1.ConditionTrue, "Ready although AuthHealthy is %v", auth)
	}
	return broken
}

// judgedBy gives what kstatus, and so `helm --wait` and Flux, make of the server: Current, InProgress or Failed.
func judgedBy(ctx context.Context, server *v1alpha1.MCPServer) func() (kstatus.Status, error) {
	return func() (kstatus.Status, error) {
		now := &v1alpha1.MCPServer{}
		if err := k8s.Get(ctx, client.ObjectKeyFromObject(server), now); err != nil {
			return "", err
		}
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(now)
		if err != nil {
			return "", err
		}
		result, err := kstatus.Compute(&unstructured.Unstructured{Object: content})
		if err != nil {
			return "", err
		}
		return result.Status, nil
	}
}
