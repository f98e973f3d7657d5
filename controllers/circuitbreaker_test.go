package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// setByHand sets a pod's readiness gate as the runbook tells people to.
func setByHand(ctx context.Context, pod *simulatedPod, status string) {
	GinkgoHelper()
	patch := `{"status":{"conditions":[{"type":"` + v1alpha1.ConditionPodAuthProven + `","status":"` + status + `"}]}}`
	Expect(k8s.Status().Patch(ctx, pod.pod, client.RawPatch("application/strategic-merge-patch+json", []byte(patch)))).To(Succeed())
}

// minutely has a server tried every minute.
func minutely(server *v1alpha1.MCPServer) { server.Spec.AuthProbe.IntervalSeconds = ptr.To(int32(60)) }

// waitRounds lets all rounds of servers that are tried minutely be due. Gates bear with a clock that is ten minutes off.
func waitRounds(o *operator, rounds int) {
	o.prober.Now = func() time.Time { return time.Now().Add(time.Duration(rounds) * 65 * time.Second) }
}

var _ = Describe("The circuit breaker", func() {
	It("holds the gates when too many locks seem to open at once, and releases them when they do not", func(ctx SpecContext) {
		o := start(testGateImage)
		var servers []*v1alpha1.MCPServer
		var pods []*simulatedPod
		for range 3 {
			server, pod := proveUnwatched(ctx, o, minutely)
			servers, pods = append(servers, server), append(pods, pod)
		}
		locked := *pods[0].client.Load()
		waitRounds(o, 1)
		for i, pod := range pods {
			pod.serve(openDoor())
			o.act(ctx, servers[i])
		}
		By("tripping at the third of three, which is the least it takes")
		Expect(pods[1].proven(ctx)()).To(Equal(corev1.ConditionFalse))
		Expect(pods[2].proven(ctx)()).To(Equal(corev1.ConditionTrue))
		Expect(condition(ctx, servers[2], v1alpha1.ConditionAuthHealthy)()).To(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted), HaveField("Message", ContainSubstring("prober itself is suspect"))))
		o.act(ctx, servers[1])
		Expect(condition(ctx, servers[1], v1alpha1.ConditionAuthHealthy)()).To(HaveField("Message", ContainSubstring("prober itself is suspect")))
		Expect(pods[1].proven(ctx)()).To(Equal(corev1.ConditionTrue), "it gets its gate back")
		Eventually(eventsOf(ctx, servers[2])).Should(ContainElement(HaveField("Reason", v1alpha1.EventProberSuspect)))
		told := 0
		for _, event := range eventsOf(ctx, servers[2])() {
			if event.Reason == v1alpha1.EventProberSuspect {
				told += 1 + int(ptr.Deref(event.Series, eventsv1.EventSeries{}).Count)
			}
		}
		Expect(told).To(Equal(1))

		By("resetting when one of them is proven, and withdrawing what is still open")
		pods[0].serve(locked)
		waitRounds(o, 2)
		o.act(ctx, servers[0])
		waitRounds(o, 3) // what was seen is refuted by two rounds
		o.act(ctx, servers[0])
		o.act(ctx, servers[2])
		Expect(pods[0].proven(ctx)()).To(Equal(corev1.ConditionTrue))
		Expect(pods[2].proven(ctx)()).To(Equal(corev1.ConditionFalse))
		Expect(condition(ctx, servers[2], v1alpha1.ConditionAuthHealthy)()).NotTo(HaveField("Message", ContainSubstring("prober itself is suspect")))
	})

	It("is overruled by hand: a readiness gate that a person has set stays, also for another operator", func(ctx SpecContext) {
		o := start(testGateImage)
		server, pod := proveUnwatched(ctx, o, minutely)
		locked := *pod.client.Load()
		pod.serve(openDoor())
		waitRounds(o, 1)
		o.act(ctx, server)
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionFalse))

		setByHand(ctx, pod, "True")
		waitRounds(o, 2)
		o.act(ctx, server)
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))
		start(testGateImage).act(ctx, server)
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted))

		By("being ours again once the lock is proven")
		pod.serve(locked)
		for _, round := range []int{3, 4} { // what was seen is refuted by two rounds
			waitRounds(o, round)
			o.act(ctx, server)
		}
		pod.serve(openDoor())
		waitRounds(o, 5)
		o.act(ctx, server)
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionFalse))
	})

	It("does not keep the prober from a pod that is being deleted and still answers", func(ctx SpecContext) {
		o := start(testGateImage)
		server, pod := proveUnwatched(ctx, o, minutely)
		pod.serve(openDoor())
		before := pod.pod.DeepCopy()
		pod.pod.Finalizers = []string{"example.com/lingers"}
		Expect(k8s.Patch(ctx, pod.pod, client.MergeFrom(before))).To(Succeed())
		Expect(k8s.Delete(ctx, pod.pod)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) {
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(pod.pod), pod.pod)).To(Succeed())
			lingering := pod.pod.DeepCopy()
			pod.pod.Finalizers = nil
			Expect(k8s.Patch(ctx, pod.pod, client.MergeFrom(lingering))).To(Succeed())
		})
		o.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted), HaveField("Message", ContainSubstring(pod.pod.Name))))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionFalse))
	})

	It("has a pod that was open and then evicted count no more", func(ctx SpecContext) {
		o := start(testGateImage)
		server, pod := proveUnwatched(ctx, o, minutely)
		pod.serve(openDoor())
		waitRounds(o, 1)
		o.act(ctx, server)
		authHealthy := condition(ctx, server, v1alpha1.ConditionAuthHealthy)
		Expect(authHealthy()).To(say(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted))
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(pod.pod), pod.pod)).To(Succeed())
		pod.pod.Status.Phase, pod.pod.Status.Reason = corev1.PodFailed, "Evicted"
		Expect(k8s.Status().Update(ctx, pod.pod)).To(Succeed())
		waitRounds(o, 2)
		o.act(ctx, server)
		Expect(authHealthy()).To(say(metav1.ConditionUnknown, v1alpha1.ReasonNoPods))
	})

	It("leaves a pod that a person lets take traffic without proof", func(ctx SpecContext) {
		o := start(testGateImage)
		server := newUnwatched(ctx, minutely)
		o.build(ctx, server)
		pod := startPod(ctx, server)
		pod.serveAdmin(answerWith(404))
		setByHand(ctx, pod, "True")
		o.act(ctx, server)
		waitRounds(o, 1)
		o.act(ctx, server)
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))
	})
})
