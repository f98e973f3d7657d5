package controllers_test

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kstatus "sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// proveOne starts a server with one pod and waits until its lock is proven.
func proveOne(ctx context.Context) (*v1alpha1.MCPServer, *simulatedPod) {
	GinkgoHelper()
	server := newServer(newNamespace(ctx), "x")
	Expect(k8s.Create(ctx, server)).To(Succeed())
	pod := startPod(ctx, server)
	Eventually(pod.proven(ctx)).Should(Equal(corev1.ConditionTrue))
	available(ctx, server, 1, 1)
	Eventually(condition(ctx, server, v1alpha1.ConditionReady)).Should(say(metav1.ConditionTrue, v1alpha1.ReasonReady))
	return server, pod
}

// openDoor answers everybody as a server without a gate does.
func openDoor() http.Handler {
	fake, err := mcpfake.New(mcpfake.Options{})
	Expect(err).NotTo(HaveOccurred())
	return fake
}

var _ = Describe("AuthHealthy", func() {
	It("is proven by a pod that refuses every bad token and lets the good one in", func(ctx SpecContext) {
		server, _ := proveOne(ctx)
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
		health := server.Status.AuthHealth
		Expect(health).NotTo(BeNil())
		Expect(health.Pods).To(BeEquivalentTo(1))
		Expect(health.ProvenPods).To(BeEquivalentTo(1))
		Expect(health.LastProbeTime.Time).To(BeTemporally("~", time.Now(), time.Minute))
		Expect(server.Status.ServerInfo).To(HaveField("Name", Not(BeEmpty())))
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(HaveField("ObservedGeneration", server.Generation))
		Expect(judgedBy(ctx, server)()).To(Equal(kstatus.CurrentStatus))
		Eventually(eventsOf(ctx, server)).Should(ContainElement(HaveField("Reason", v1alpha1.ReasonProven)))
		for _, event := range eventsOf(ctx, server)() {
			Expect(event.Series).To(BeNil(), "%s was announced more than once", event.Reason)
			Expect(event.Reason).NotTo(BeElementOf(v1alpha1.ReasonNoPods, v1alpha1.ReasonNotYetProbed))
		}
	})

	It("turns False when a pod lets somebody in, and takes that pod out of the Service", func(ctx SpecContext) {
		server, pod := proveOne(ctx)
		locked := *pod.client.Load()
		pod.serve(openDoor())
		Eventually(condition(ctx, server, v1alpha1.ConditionAuthHealthy)).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted), HaveField("Message", ContainSubstring(pod.pod.Name))))
		Eventually(pod.proven(ctx)).Should(Equal(corev1.ConditionFalse))
		Eventually(condition(ctx, server, v1alpha1.ConditionReady)).Should(say(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted))
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
		Expect(server.Status.AuthHealth.Failures).To(ContainElement(And(HaveField("Pod", pod.pod.Name), HaveField("Case", "none"))))
		Eventually(eventsOf(ctx, server)).Should(ContainElement(And(
			HaveField("Type", "Warning"), HaveField("Reason", v1alpha1.ReasonUnauthenticatedAccepted))))

		pod.serve(locked)
		Eventually(pod.proven(ctx)).Should(Equal(corev1.ConditionTrue))
		Eventually(condition(ctx, server, v1alpha1.ConditionReady)).Should(say(metav1.ConditionTrue, v1alpha1.ReasonReady))
	})

	It("names the one of two pods that is open, and leaves the other one in the Service", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		server.Spec.Replicas = ptr.To(int32(2))
		Expect(k8s.Create(ctx, server)).To(Succeed())
		closed, open := startPod(ctx, server), startPod(ctx, server)
		for _, pod := range []*simulatedPod{closed, open} {
			Eventually(pod.proven(ctx)).Should(Equal(corev1.ConditionTrue))
		}
		available(ctx, server, 2, 2)
		Eventually(condition(ctx, server, v1alpha1.ConditionReady)).Should(say(metav1.ConditionTrue, v1alpha1.ReasonReady))
		open.serve(openDoor())
		Eventually(condition(ctx, server, v1alpha1.ConditionReady)).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted), HaveField("Message", ContainSubstring("Pod "+open.pod.Name))))
		Eventually(open.proven(ctx)).Should(Equal(corev1.ConditionFalse))
		Expect(closed.proven(ctx)()).To(Equal(corev1.ConditionTrue))
		Expect(fresh(ctx, server).Status.AuthHealth).To(And(
			HaveField("Pods", int32(2)), HaveField("ProvenPods", int32(1)), HaveField("Failures", ConsistOf(HaveField("Pod", open.pod.Name)))))
	})

	It("turns False when the gate resets connections, and leaves the pod in the Service", func(ctx SpecContext) {
		server, pod := proveOne(ctx)
		pod.serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			Expect(err).NotTo(HaveOccurred())
			Expect(conn.(interface{ SetLinger(int) error }).SetLinger(0)).To(Succeed())
			_ = conn.Close()
		}))
		Eventually(condition(ctx, server, v1alpha1.ConditionAuthHealthy)).Should(say(metav1.ConditionFalse, v1alpha1.ReasonConnectionReset))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))
	})

	It("is Unknown while the server behind the gate is down", func(ctx SpecContext) {
		server, pod := proveOne(ctx)
		Expect(pod.server.Close()).To(Succeed())
		Eventually(condition(ctx, server, v1alpha1.ConditionAuthHealthy)).Should(say(metav1.ConditionUnknown, v1alpha1.ReasonUpstreamUnavailable))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))
	})

	It("finds a debugger in the gate's processes", func(ctx SpecContext) {
		server, pod := proveOne(ctx)
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(pod.pod), pod.pod)).To(Succeed())
		pod.pod.Spec.EphemeralContainers = []corev1.EphemeralContainer{{
			TargetContainerName: "authproxy",
			EphemeralContainerCommon: corev1.EphemeralContainerCommon{
				Name: "debug", Image: "example.com/shell", TerminationMessagePolicy: corev1.TerminationMessageReadFile,
			},
		}}
		Expect(k8s.SubResource("ephemeralcontainers").Update(ctx, pod.pod)).To(Succeed())
		Eventually(condition(ctx, server, v1alpha1.ConditionAuthHealthy)).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonPodTampered), HaveField("Message", ContainSubstring("debug"))))
		Eventually(pod.proven(ctx)).Should(Equal(corev1.ConditionFalse))
	})

	It("sends nothing to a pod that only wears the labels", func(ctx SpecContext) {
		server, pod := proveOne(ctx)
		var asked atomic.Int32
		ip := newAddress()
		for _, port := range []string{"8080", "9090"} {
			listener, err := net.Listen("tcp", net.JoinHostPort(ip, port))
			Expect(err).NotTo(HaveOccurred())
			stranger := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) })}
			go func() { _ = stranger.Serve(listener) }()
			DeferCleanup(stranger.Close)
		}
		stranger := &simulatedPod{pod: &corev1.Pod{}}
		stranger.pod.Name, stranger.pod.Namespace, stranger.pod.Labels = "stranger", server.Namespace, pod.pod.Labels
		stranger.pod.Spec = *pod.spec.DeepCopy()
		Expect(k8s.Create(ctx, stranger.pod)).To(Succeed())
		stranger.update(ctx, func(status *corev1.PodStatus) {
			*status = *pod.pod.Status.DeepCopy()
			status.PodIP, status.PodIPs = ip, []corev1.PodIP{{IP: ip}}
		})
		// It takes the Service's traffic, and nobody may say that its lock was proven.
		Eventually(condition(ctx, server, v1alpha1.ConditionAuthHealthy)).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonPodTampered), HaveField("Message", ContainSubstring("stranger"))))
		pod.serve(openDoor())
		Eventually(condition(ctx, server, v1alpha1.ConditionAuthHealthy)).Should(say(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted))
		Expect(asked.Load()).To(BeZero())
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(stranger.pod), stranger.pod)).To(Succeed())
		Expect(stranger.pod.Annotations).NotTo(HaveKey(v1alpha1.AnnotationMountedRevision))
	})

	It("does not overlook a pod that serves without a gate", func(ctx SpecContext) {
		server, pod := proveOne(ctx)
		bare := &simulatedPod{pod: &corev1.Pod{}}
		bare.pod.Name, bare.pod.Namespace, bare.pod.Labels = "bare", server.Namespace, pod.pod.Labels
		bare.pod.OwnerReferences = pod.pod.OwnerReferences
		bare.pod.Spec = *pod.spec.DeepCopy()
		bare.pod.Spec.InitContainers, bare.pod.Spec.ReadinessGates = nil, nil
		Expect(k8s.Create(ctx, bare.pod)).To(Succeed())
		bare.update(ctx, func(status *corev1.PodStatus) {
			ip := newAddress()
			status.PodIP, status.PodIPs = ip, []corev1.PodIP{{IP: ip}}
			status.Conditions = append(status.Conditions, corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionTrue})
		})
		Eventually(condition(ctx, server, v1alpha1.ConditionAuthHealthy)).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonPodTampered), HaveField("Message", ContainSubstring("authproxy is missing"))))
	})

	It("is Unknown without pods, and says whether the server is parked", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		server.Spec.Replicas = ptr.To(int32(0))
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(condition(ctx, server, v1alpha1.ConditionAuthHealthy)).Should(say(metav1.ConditionUnknown, v1alpha1.ReasonScaledToZero))
		Eventually(condition(ctx, server, v1alpha1.ConditionReady)).Should(say(metav1.ConditionTrue, v1alpha1.ReasonScaledToZero))
		available(ctx, server, 0, 0)
		Eventually(judgedBy(ctx, server)).Should(Equal(kstatus.CurrentStatus))
		other := newServer(server.Namespace, "y")
		Expect(k8s.Create(ctx, other)).To(Succeed())
		Eventually(condition(ctx, other, v1alpha1.ConditionAuthHealthy)).Should(say(metav1.ConditionUnknown, v1alpha1.ReasonNoPods))
	})

	It("stays when the other controller writes, as its conditions do when the prober writes", func(ctx SpecContext) {
		server, _ := proveOne(ctx)
		_, err := builder.Reconcile(ctx, fresh(ctx, server))
		Expect(err).NotTo(HaveOccurred())
		now := fresh(ctx, server)
		for _, kind := range []string{
			v1alpha1.ConditionReady, v1alpha1.ConditionAccepted, v1alpha1.ConditionKeysReady, v1alpha1.ConditionAvailable, v1alpha1.ConditionAuthHealthy,
		} {
			Expect(now.Status.Conditions).To(ContainElement(HaveField("Type", kind)))
		}
	})
})

func fresh(ctx context.Context, server *v1alpha1.MCPServer) *v1alpha1.MCPServer {
	GinkgoHelper()
	now := &v1alpha1.MCPServer{}
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), now)).To(Succeed())
	return now
}

func eventsOf(ctx context.Context, server *v1alpha1.MCPServer) func() []eventsv1.Event {
	return func() []eventsv1.Event {
		list := &eventsv1.EventList{}
		Expect(k8s.List(ctx, list, client.InNamespace(server.Namespace))).To(Succeed())
		return list.Items
	}
}
