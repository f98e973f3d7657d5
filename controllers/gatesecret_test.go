package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

var _ = Describe("The secret of a gate", func() {
	It("turns over when every gate was seen to be ready for it, by whichever operator comes next", func(ctx SpecContext) {
		server, first := proveUnwatched(ctx, start(testGateImage))
		pods := []*simulatedPod{first, startPod(ctx, server)}
		available(ctx, server, 2, 2)
		s := &rotated{MCPServer: server, pods: pods}
		keysReady, healthy := condition(ctx, server, v1alpha1.ConditionKeysReady), condition(ctx, server, v1alpha1.ConditionAuthHealthy)
		stored := func() map[string][]byte { return secretData(ctx, server, "-gate") }
		var hours time.Duration
		// turn is that of an operator that remembers nothing.
		turn := func() {
			GinkgoHelper()
			o := start(testGateImage)
			o.builder.Now = func() time.Time { return time.Now().Add(hours * time.Hour) }
			o.act(ctx, server)
			Expect(healthy()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven), "gates are known all the while")
		}
		waits := func(words ...string) {
			GinkgoHelper()
			Expect(keysReady()).To(say(metav1.ConditionTrue, v1alpha1.ReasonGateSecretRotating))
			for _, w := range words {
				Expect(keysReady().Message).To(ContainSubstring(w))
			}
		}
		mount := func(pod *simulatedPod) { pod.mount(ctx, server, pod.pod.Status.PodIP) }
		old, revisions := stored()["current"], map[string]bool{mountedRevisionOf(ctx, first): true}

		turn()
		Expect(keysReady()).To(say(metav1.ConditionTrue, v1alpha1.ReasonKeysPublished))
		Expect(stored()).To(HaveLen(1))

		By("publishing another one")
		s.annotate(ctx, v1alpha1.AnnotationRotateGateSecret, "now")
		turn()
		waits("is published", pods[0].pod.Name, pods[1].pod.Name)
		next := stored()["next"]
		Expect(next).To(HaveLen(32))
		Expect(stored()["current"]).To(Equal(old))
		revisions[mountedRevisionOf(ctx, first)] = true
		Expect(revisions).To(HaveLen(2), "the kubelets are told to look")
		mount(pods[0])
		turn()
		waits("is published", pods[1].pod.Name)
		Expect(keysReady().Message).NotTo(ContainSubstring(pods[0].pod.Name))

		By("sealing with it once every gate can open what others seal")
		mount(pods[1])
		turn()
		waits("seals sessions. Not every gate")
		Expect(stored()).To(And(HaveKeyWithValue("current", next), HaveKeyWithValue("previous", old), Not(HaveKey("next"))))
		revisions[mountedRevisionOf(ctx, first)] = true
		Expect(revisions).To(HaveLen(3))
		turn()
		waits(pods[0].pod.Name, pods[1].pod.Name)
		mount(pods[0])
		mount(pods[1])
		turn()
		waits("The one before it still opens sessions for ")
		Expect(keysReady().Message).To(MatchRegexp(`for (23h59m\d+s|24h0m0s)\.`))

		By("withdrawing the former one after a day")
		hours = 23
		turn()
		waits("still opens sessions for ")
		Expect(keysReady().Message).To(MatchRegexp(`for (59m\d+s|1h0m0s)\.`))
		hours = 25
		turn()
		waits("withdrawn", pods[0].pod.Name, pods[1].pod.Name)
		Expect(stored()).To(And(HaveKeyWithValue("current", next), Not(HaveKey("previous"))))
		mount(pods[0])
		mount(pods[1])
		turn()
		Expect(keysReady()).To(say(metav1.ConditionTrue, v1alpha1.ReasonKeysPublished))
		turn()
		Expect(keysReady()).To(say(metav1.ConditionTrue, v1alpha1.ReasonKeysPublished), "the annotation asks once")
		Expect(stored()).To(And(HaveKeyWithValue("current", next), HaveKey("turnover.json"), HaveLen(2)))
		Eventually(eventsOf(ctx, server)).Should(ContainElement(And(
			HaveField("Reason", v1alpha1.EventGateSecretRotated), HaveField("Note", ContainSubstring("is done")))))
	})

	It("that was deleted is made anew, and the annotation that stands is met by it", func(ctx SpecContext) {
		o := start(testGateImage)
		server, _ := proveUnwatched(ctx, o)
		s := &rotated{MCPServer: server}
		s.annotate(ctx, v1alpha1.AnnotationRotateGateSecret, "now")
		gone := &corev1.Secret{}
		Expect(fetch(ctx, server, gone, "-gate")).To(Succeed())
		Expect(k8s.Delete(ctx, gone)).To(Succeed())
		o.build(ctx, server)
		o.build(ctx, server)
		Expect(secretData(ctx, server, "-gate")).To(And(HaveKey("current"), Not(HaveKey("next"))))
	})
})

func mountedRevisionOf(ctx context.Context, pod *simulatedPod) string {
	GinkgoHelper()
	now := &corev1.Pod{}
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(pod.pod), now)).To(Succeed())
	return now.Annotations[v1alpha1.AnnotationMountedRevision]
}
