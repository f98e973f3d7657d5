package controllers_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kstatus "sigs.k8s.io/cli-utils/pkg/kstatus/status"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/authprobe"
	"github.com/mcp-gatehouse/gatehouse/controllers/mcpserver"
	"github.com/mcp-gatehouse/gatehouse/test/uncached"
)

// operator is an operator that acts when a spec says so, and sees the API server as it is. Where nobody else acts, it can
// be stopped, come back without its memory, or be a newer one.
type operator struct {
	builder *mcpserver.Reconciler
	prober  *authprobe.Reconciler
}

// start gives an operator that remembers nothing, and tries pods that were proven before at once.
func start(gateImage string) *operator {
	GinkgoHelper()
	prober, err := authprobe.NewReconciler(uncached.Client{Client: k8s}, k8s, eventRecorder, authprobe.Options{})
	Expect(err).NotTo(HaveOccurred())
	prober.Jitter = func() float64 { return 0 }
	o := &operator{builder: newBuilder(uncached.Client{Client: client.NewNamespacedClient(k8s, unwatched)}, gateImage), prober: prober}
	prober.KeyObservations, prober.Issuer, prober.Master, prober.Account = o.builder.KeyObservations, clusterIssuer, master, probeAccount
	prober.Publications = o.builder.Publications
	return o
}

// act is one turn of both controllers, and of the first again: it sums up what the second has written.
func (o *operator) act(ctx context.Context, server *v1alpha1.MCPServer) {
	GinkgoHelper()
	o.build(ctx, server)
	_, err := o.prober.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(server)})
	Expect(err).NotTo(HaveOccurred())
	o.build(ctx, server)
}

func (o *operator) build(ctx context.Context, server *v1alpha1.MCPServer) {
	GinkgoHelper()
	_, err := o.builder.Reconcile(ctx, fresh(ctx, server))
	Expect(err).NotTo(HaveOccurred())
}

var unwatchedServers atomic.Int32

// newUnwatched creates a server that no operator sees but those of the spec. Its first failure counts. change may make it
// another. Their names are in the order in which they were made, for the fleet goes by it.
func newUnwatched(ctx context.Context, change ...func(*v1alpha1.MCPServer)) *v1alpha1.MCPServer {
	GinkgoHelper()
	err := k8s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: unwatched}})
	if !apierrors.IsAlreadyExists(err) {
		Expect(err).NotTo(HaveOccurred())
	}
	specNamespaces = []string{unwatched}
	server := newServer(unwatched, fmt.Sprintf("x%04d", unwatchedServers.Add(1)))
	server.Spec.AuthProbe.IntervalSeconds = ptr.To(int32(600))
	server.Spec.AuthProbe.FailureThreshold = ptr.To(int32(1))
	for _, do := range change {
		do(server)
	}
	Expect(k8s.Create(ctx, server)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, server)).To(Succeed()) })
	return server
}

// proveUnwatched brings a server with one pod to Ready.
func proveUnwatched(ctx context.Context, o *operator, change ...func(*v1alpha1.MCPServer)) (*v1alpha1.MCPServer, *simulatedPod) {
	GinkgoHelper()
	server := newUnwatched(ctx, change...)
	o.build(ctx, server)
	pod := startPod(ctx, server)
	available(ctx, server, 1, 1)
	o.act(ctx, server)
	Expect(condition(ctx, server, v1alpha1.ConditionReady)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonReady))
	return server, pod
}

// countRequests counts the requests that reach a pod's handler.
func countRequests(next http.Handler) (*atomic.Int32, http.Handler) {
	requests := &atomic.Int32{}
	return requests, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		next.ServeHTTP(w, r)
	})
}

const testGateImage = "example.com/authproxy:v1"

var _ = Describe("An operator", func() {
	It("that does not run leaves a server of which nobody can think that it is well", func(ctx SpecContext) {
		server := newUnwatched(ctx)
		Expect(condition(ctx, server, v1alpha1.ConditionReady)()).To(say(metav1.ConditionUnknown, v1alpha1.ReasonPending))
		Expect(judgedBy(ctx, server)()).To(Equal(kstatus.InProgressStatus))
		start(testGateImage).act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionReady)()).To(say(metav1.ConditionFalse, v1alpha1.ReasonProgressing))
	})

	It("that comes back lets stand what stood, until it has tried the lock itself", func(ctx SpecContext) {
		server, pod := proveUnwatched(ctx, start(testGateImage))
		requests, counted := countRequests(*pod.client.Load())
		pod.serve(counted)
		before := fresh(ctx, server)

		restarted := start(testGateImage)
		restarted.prober.Jitter = func() float64 { return 0.5 }
		restarted.act(ctx, server)
		Expect(fresh(ctx, server).ResourceVersion).To(Equal(before.ResourceVersion), "nothing is new")
		Expect(requests.Load()).To(BeZero(), "all pods of all servers are tried within an interval, not at once")

		restarted.prober.Now = func() time.Time { return time.Now().Add(5*time.Minute + time.Second) }
		restarted.act(ctx, server)
		Expect(requests.Load()).NotTo(BeZero())
		Expect(condition(ctx, server, v1alpha1.ConditionReady)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonReady))
	})

	It("that was away for long does not vouch for what it has not seen", func(ctx SpecContext) {
		server, _ := proveUnwatched(ctx, start(testGateImage))
		restarted := start(testGateImage)
		restarted.prober.Jitter = func() float64 { return 0.5 }
		restarted.prober.Now = func() time.Time { return time.Now().Add(21 * time.Minute) }
		restarted.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionUnknown, v1alpha1.ReasonEvidenceStale))
		Expect(condition(ctx, server, v1alpha1.ConditionReady)()).To(say(metav1.ConditionUnknown, v1alpha1.ReasonEvidenceStale))
		Expect(judgedBy(ctx, server)()).To(Equal(kstatus.InProgressStatus))

		start(testGateImage).act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionReady)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonReady))
	})

	It("that cannot use the keys any more does not vouch for a lock that it cannot try", func(ctx SpecContext) {
		o := start(testGateImage)
		server, _ := proveUnwatched(ctx, o)
		unusable := &corev1.Secret{}
		Expect(fetch(ctx, server, unusable, "-keys")).To(Succeed())
		unusable.Data["managed.jwks"] = []byte("not a key set")
		Expect(k8s.Update(ctx, unusable)).To(Succeed())
		o.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
		o.prober.Now = func() time.Time { return time.Now().Add(21 * time.Minute) }
		o.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(And(
			say(metav1.ConditionUnknown, v1alpha1.ReasonEvidenceStale), HaveField("Message", ContainSubstring("KeysReady"))))
		Expect(judgedBy(ctx, server)()).To(Equal(kstatus.FailedStatus))
	})

	It("with a newer gate brings it to the Deployment, and takes the old pods for what they are", func(ctx SpecContext) {
		server, _ := proveUnwatched(ctx, start(testGateImage))
		newer := start("example.com/authproxy:v2")
		newer.act(ctx, server)
		deployment := &appsv1.Deployment{}
		Expect(fetch(ctx, server, deployment, "")).To(Succeed())
		Expect(deployment.Spec.Template.Spec.InitContainers[0].Image).To(Equal("example.com/authproxy:v2"))
		Expect(fresh(ctx, server).Status.GateImage).To(Equal("example.com/authproxy:v2"))
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
		Expect(judgedBy(ctx, server)()).To(Equal(kstatus.InProgressStatus), "the old pods are still there")
	})

	It("does not count a round during which the pod was replaced", func(ctx SpecContext) {
		server, pod := proveUnwatched(ctx, start(testGateImage))
		requests, open := countRequests(openDoor())
		var once sync.Once
		pod.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer GinkgoRecover()
			once.Do(func() {
				pod.update(ctx, func(status *corev1.PodStatus) { status.InitContainerStatuses[0].ContainerID = "c://another" })
			})
			open.ServeHTTP(w, r)
		}))
		o := start(testGateImage)
		o.act(ctx, server)
		Expect(requests.Load()).NotTo(BeZero())
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))

		o.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted))
	})
})
