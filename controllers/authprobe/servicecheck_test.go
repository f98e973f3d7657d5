package authprobe

import (
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	clientfake "sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/keyobservation"
	"github.com/mcp-gatehouse/gatehouse/internal/probebudget"
	"github.com/mcp-gatehouse/gatehouse/internal/probemetrics"
	"github.com/mcp-gatehouse/gatehouse/internal/publication"
	"github.com/mcp-gatehouse/gatehouse/internal/servicehealth"
)

var errNoSlices = errors.New("EndpointSlices cannot be listed")

// sliceless is an API server that does not list EndpointSlices. It notes the readiness gates that are set.
func sliceless(t *testing.T, gates map[string]string, objects ...client.Object) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, discoveryv1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return clientfake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithIndex(&corev1.Pod{}, "server", func(o client.Object) []string { return []string{o.GetLabels()[v1alpha1.LabelServer]} }).
		WithInterceptorFuncs(interceptor.Funcs{
			List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
				if _, slices := list.(*discoveryv1.EndpointSliceList); slices {
					return errNoSlices
				}
				return c.List(ctx, list, options...)
			},
			SubResourceApply: func(_ context.Context, _ client.Client, _ string, object runtime.ApplyConfiguration, _ ...client.SubResourceApplyOption) error {
				if pod, isPod := object.(*corev1ac.PodApplyConfiguration); isPod {
					gates[*pod.Name] = string(*pod.Status.Conditions[0].Status)
				}
				return nil
			},
		}).Build()
}

func TestServiceCheckFails_OpenPodLosesItsGateAndResultsAreStored(t *testing.T) {
	server := &v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "x", UID: "s"}}
	server.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionAuthHealthy, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonProven}}
	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "a", UID: "uid", Labels: owned.ByInstance(server)}}
	pod.Status.Conditions = []corev1.PodCondition{
		{Type: corev1.ContainersReady, Status: corev1.ConditionTrue},
		{Type: v1alpha1.ConditionPodAuthProven, Status: corev1.ConditionTrue, Reason: v1alpha1.ReasonProven},
	}
	gates := map[string]string{}
	r := &Reconciler{
		Client: sliceless(t, gates, server, &pod), Now: func() time.Time { return noon }, Jitter: func() float64 { return 0 }, Events: events.NewFakeRecorder(10),
		KeyObservations: keyobservation.NewStore(), Publications: &publication.Store{}, budget: probebudget.New(probebudget.DefaultQPS),
	}
	r.metrics = probemetrics.New(r.breaker.IsTripped)
	name := types.NamespacedName{Namespace: "n", Name: "x"}
	r.findings.store(name, authhealth.Findings{pod.UID: {Standing: &wideOpen}}, servicehealth.View{})
	if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: name}); !errors.Is(err, errNoSlices) {
		t.Errorf("the check's failure is not returned: %v", err)
	}
	if gates["a"] != string(corev1.ConditionFalse) {
		t.Errorf("the open pod keeps its traffic: %v", gates)
	}
	if findings, _ := r.findings.load(name); findings[pod.UID].Due.IsZero() {
		t.Errorf("results are not stored: %+v", findings)
	}
}

// lists is an API server that lists these.
type lists struct {
	client.Reader
	pods   []corev1.Pod
	slices []discoveryv1.EndpointSlice
}

func (l lists) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	switch list := list.(type) {
	case *corev1.PodList:
		list.Items = l.pods
	case *discoveryv1.EndpointSliceList:
		list.Items = l.slices
	}
	return nil
}

// Pods and EndpointSlices come from two watches.
func TestCacheIsBehind_NobodyIsCalledAStranger(t *testing.T) {
	server := &v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "x", UID: "s"}}
	pod := func(proven corev1.ConditionStatus) []corev1.Pod {
		p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "x-1"}}
		p.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: v1alpha1.ConditionPodAuthProven}}
		p.Status.PodIPs = []corev1.PodIP{{IP: "10.0.0.1"}}
		p.Status.Conditions = []corev1.PodCondition{{Type: v1alpha1.ConditionPodAuthProven, Status: proven}}
		return []corev1.Pod{p}
	}
	listed := discoveryv1.EndpointSlice{Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}}}}
	listed.Labels = map[string]string{discoveryv1.LabelManagedBy: "endpointslice-controller.k8s.io"}
	for name, c := range map[string]struct {
		live      corev1.ConditionStatus
		isStrange bool
	}{"the pod is proven": {corev1.ConditionTrue, false}, "it is not": {corev1.ConditionFalse, true}} {
		check := serviceCheck{live: lists{pods: pod(c.live), slices: []discoveryv1.EndpointSlice{listed}}}
		view, at := servicehealth.View{}, noon
		for range 3 {
			var err error
			view, err = check.learnEndpoints(t.Context(), &pass{server: server, pods: pod(corev1.ConditionFalse)}, view, []discoveryv1.EndpointSlice{listed}, at)
			if err != nil {
				t.Fatal(err)
			}
			at = at.Add(time.Minute)
		}
		if view.SuspectsEndpoints() != c.isStrange {
			t.Errorf("%s: %+v", name, view.Finding)
		}
	}
}
