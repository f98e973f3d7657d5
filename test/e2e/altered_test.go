//go:build e2e

package e2e_test

import (
	"context"
	"net/http"
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/test/loadclient"
)

// Programs that are wrong on purpose (test/altered).
var (
	gateWithSwitchImage = os.Getenv("GATE_WITH_SWITCH_IMG")
	operatorAheadImage  = os.Getenv("OPERATOR_AHEAD_IMG")
	operatorLyingImage  = os.Getenv("OPERATOR_LYING_IMG")
)

var _ = Describe("A gate that does not refuse", Serial, Label("altered"), func() {
	It("takes no traffic in a rollout: the old pod serves on, and the new one is named", func(ctx SpecContext) {
		server := create(ctx, fake(newStory(ctx), "opens-anew"))
		old := podsOf(ctx, server)[0]
		gatesAre(ctx, gateWithSwitchImage)
		eventually(ctx, server, v1alpha1.ConditionAuthHealthy).Should(say(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted))
		fresh := theOther(ctx, server, old)
		message := conditionOf(server, v1alpha1.ConditionAuthHealthy).Message
		AddReportEntry("what the condition says", message)
		Expect(message).To(And(ContainSubstring(fresh.Name), ContainSubstring("without a token")))
		Expect(server.Status.AuthHealth.Failures).To(ContainElement(And(HaveField("Pod", fresh.Name), HaveField("Case", "none"))))
		Consistently(isReady, "10s").WithContext(ctx).WithArguments(fresh).Should(BeFalse())
		Expect(isReady(ctx, &old)).To(BeTrue())
		for range 20 {
			answersAsItShould(ctx, server)
		}
	})

	It("is found in an old pod that has yet to end", func(ctx SpecContext) {
		gatesAre(ctx, gateWithSwitchImage)
		server := create(ctx, fake(newStory(ctx), "lingers"))
		old := podsOf(ctx, server)[0]
		slow := toMCP("http://"+old.Status.PodIP+":8080/mcp", goodToken(ctx, server))
		slow.Body = `{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"sleep","arguments":{"seconds":25}}}`
		slow.TimeoutSeconds = 60
		done := make(chan loadclient.Answer, 1)
		go func() {
			defer GinkgoRecover()
			done <- ask(ctx, slow)
		}()
		replace(ctx, server, old)
		Expect(turn(ctx, old, "/open")).To(HaveField("Status", http.StatusOK))
		eventually(ctx, server, v1alpha1.ConditionAuthHealthy).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted), HaveField("Message", ContainSubstring(old.Name))))
		Eventually(done).WithContext(ctx).Should(Receive(HaveField("Body", ContainSubstring("slept"))))
		becomesHealthy(ctx, server)
	})
})

var _ = Describe("An operator that is mistaken", Serial, Label("altered"), func() {
	It("about the time says so, and takes no pod out of service", func(ctx SpecContext) {
		server := create(ctx, fake(newStory(ctx), "on-time"))
		operatorIs(ctx, operatorAheadImage)
		eventually(ctx, server, v1alpha1.ConditionAuthHealthy).Should(say(metav1.ConditionUnknown, v1alpha1.ReasonClockSkew))
		AddReportEntry("what the condition says", conditionOf(server, v1alpha1.ConditionAuthHealthy).Message)
		pod := &podsOf(ctx, server)[0]
		Consistently(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
			g.Expect(conditionOf(server, v1alpha1.ConditionAuthHealthy).Status).NotTo(Equal(metav1.ConditionFalse))
			g.Expect(isReady(ctx, pod)).To(BeTrue())
		}, "15s").WithContext(ctx).Should(Succeed())
		answersAsItShould(ctx, server)
	})

	It("about every gate at once does not empty the Services", func(ctx SpecContext) {
		story := newStory(ctx)
		var fleet []*v1alpha1.MCPServer
		for _, name := range []string{"first", "second", "third", "fourth"} {
			fleet = append(fleet, create(ctx, fake(story, name)))
		}
		operatorIs(ctx, operatorLyingImage)
		for _, server := range fleet {
			eventually(ctx, server, v1alpha1.ConditionAuthHealthy).Should(HaveField("Message", ContainSubstring("suspect")))
		}
		AddReportEntry("what the condition says", conditionOf(fleet[0], v1alpha1.ConditionAuthHealthy).Message)
		allReady := func(g Gomega) {
			for _, server := range fleet {
				for _, pod := range podsOf(ctx, server) {
					g.Expect(isReady(ctx, &pod)).To(BeTrue(), "pod %s", pod.Name)
				}
			}
		}
		Eventually(allReady).WithContext(ctx).Should(Succeed(), "two were withdrawn before the circuit breaker could trip")
		Consistently(allReady, "15s").WithContext(ctx).Should(Succeed())
		for _, server := range fleet {
			answersAsItShould(ctx, server)
		}
	})
})

// turn sets the switch of a pod's gate.
func turn(ctx context.Context, pod corev1.Pod, how string) loadclient.Answer {
	GinkgoHelper()
	return ask(ctx, loadclient.Request{URL: "http://" + pod.Status.PodIP + ":8080" + how})
}

// theOther waits for a second pod of the server.
func theOther(ctx context.Context, server *v1alpha1.MCPServer, known corev1.Pod) *corev1.Pod {
	GinkgoHelper()
	var other *corev1.Pod
	Eventually(func() *corev1.Pod {
		for _, pod := range podsOf(ctx, server) {
			if pod.UID != known.UID {
				other = &pod
			}
		}
		return other
	}).WithContext(ctx).ShouldNot(BeNil())
	return other
}

func conditionOf(server *v1alpha1.MCPServer, kind string) metav1.Condition {
	GinkgoHelper()
	for _, c := range server.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	Fail("there is no condition " + kind)
	return metav1.Condition{}
}

// operatorIs runs the operator from another image until the story ends.
func operatorIs(ctx context.Context, image string) {
	GinkgoHelper()
	changeOperator(ctx, func(c *corev1.Container) { c.Image = image })
}

// gatesAre makes the operator give pods another gate until the story ends.
func gatesAre(ctx context.Context, image string) {
	GinkgoHelper()
	changeOperator(ctx, func(c *corev1.Container) {
		for i := range c.Env {
			if c.Env[i].Name == "AUTHPROXY_IMAGE" {
				c.Env[i].Value = image
			}
		}
	})
}

func changeOperator(ctx context.Context, change func(*corev1.Container)) {
	GinkgoHelper()
	deployment, err := operator(ctx)
	Expect(err).NotTo(HaveOccurred())
	before := deployment.Spec.Template.Spec.Containers[0].DeepCopy()
	DeferCleanup(func(ctx SpecContext) {
		edit(ctx, &deployment, func() { deployment.Spec.Template.Spec.Containers[0] = *before })
		operatorRuns(ctx, &deployment)
	})
	edit(ctx, &deployment, func() { change(&deployment.Spec.Template.Spec.Containers[0]) })
	operatorRuns(ctx, &deployment)
}

// operatorRuns waits until the operator's newest revision runs, and no other.
func operatorRuns(ctx context.Context, deployment *appsv1.Deployment) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(deployment), deployment)).To(Succeed())
		status := deployment.Status
		g.Expect(status.ObservedGeneration).To(Equal(deployment.Generation))
		g.Expect([]int32{status.Replicas, status.UpdatedReplicas, status.AvailableReplicas}).To(HaveEach(*deployment.Spec.Replicas))
	}).WithContext(ctx).WithTimeout(2 * time.Minute).Should(Succeed())
}
