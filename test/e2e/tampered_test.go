//go:build e2e

package e2e_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

var _ = Describe("A pod with a debugger in its gate", func() {
	It("is found, named and taken out of the Service", func(ctx SpecContext) {
		server := create(ctx, fake(newStory(ctx), "opened"))
		pod := &podsOf(ctx, server)[0]
		debug(ctx, pod, "debugger", "authproxy", "-listen", ":9001")
		eventually(ctx, server, v1alpha1.ConditionAuthHealthy).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonPodTampered),
			HaveField("Message", And(ContainSubstring(pod.Name), ContainSubstring("debugger")))))
		Eventually(has).WithContext(ctx).WithArguments(pod, corev1.PodConditionType(v1alpha1.ConditionPodAuthProven), corev1.ConditionFalse).Should(BeTrue())
		Eventually(isReady).WithContext(ctx).WithArguments(pod).Should(BeFalse())
		eventually(ctx, server, v1alpha1.ConditionReady).Should(HaveField("Status", metav1.ConditionFalse))

		By("deleting the pod, as the message says")
		Expect(k8s.Delete(ctx, pod)).To(Succeed())
		becomesHealthy(ctx, server)
		answersAsItShould(ctx, server)
	})
})
