//go:build e2e

package e2e_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/loadclient"
)

// bareRequest is a request to the server's own port, as seen from inside the pod.
func bareRequest(bearer string) loadclient.Request {
	request := toMCP("http://127.0.0.1:8000/mcp", bearer)
	request.Body = listTools
	request.TimeoutSeconds = 5
	return request
}

var _ = Describe("A server that exits at start", Label("ci"), func() {
	It("is told from a reset, with its exit code and what it lacks, and recovers when that is given to it", func(ctx SpecContext) {
		server := fake(newStory(ctx), "dies", "--fault=exit-without-env=CATALOG_URL")
		Expect(k8s.Create(ctx, server)).To(Succeed())
		eventually(ctx, server, v1alpha1.ConditionAvailable).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonContainerExited),
			HaveField("Message", And(ContainSubstring("exited with code 1"), ContainSubstring("CATALOG_URL")))))
		eventually(ctx, server, v1alpha1.ConditionReady).Should(say(metav1.ConditionFalse, v1alpha1.ReasonContainerExited))
		eventually(ctx, server, v1alpha1.ConditionAuthHealthy).Should(And(
			say(metav1.ConditionUnknown, v1alpha1.ReasonUpstreamUnavailable), HaveField("Message", ContainSubstring("upstream_refused"))))

		edit(ctx, server, func() { server.Spec.Env = []corev1.EnvVar{{Name: "CATALOG_URL", Value: "https://catalog.example.com"}} })
		becomesHealthy(ctx, server)
		answersAsItShould(ctx, server)
	})
})

var _ = Describe("A server that resets connections without a good token", Label("ci"), func() {
	It("always has an answer through the gate", func(ctx SpecContext) {
		server := create(ctx, forwarding(fake(newStory(ctx), "resets", "--fault=reset-no-token,reset-malformed")))
		for range 20 {
			answersAsItShould(ctx, server)
		}
		By("being asked without its gate, to see that the fault is real")
		pod := &podsOf(ctx, server)[0]
		Expect(askBare(ctx, pod, "bare-none", bareRequest(""))).To(HaveField("Failure", loadclient.Reset))
		Expect(askBare(ctx, pod, "bare-malformed", bareRequest(token.Malformed))).To(HaveField("Failure", loadclient.Reset))
		Expect(askBare(ctx, pod, "bare-good", bareRequest(goodToken(ctx, server)))).To(beLetIn())
	})
})

var _ = Describe("A server that is open to all", func() {
	DescribeTable("is closed by the gate", func(ctx SpecContext, fault, opener string) {
		server := create(ctx, forwarding(fake(newStory(ctx), "open", "--fault="+fault)))
		answersAsItShould(ctx, server)
		By("being asked without its gate, to see that it is open")
		Expect(askBare(ctx, &podsOf(ctx, server)[0], "bare", bareRequest(opener))).To(beLetIn())
	},
		Entry("to requests without a token", "open", ""),
		Entry("to any bearer", "any-bearer", "anything"),
	)
})

var _ = Describe("A server that never answers", func() {
	It("takes no traffic, and bad tokens are refused all the same", func(ctx SpecContext) {
		server := fake(newStory(ctx), "hangs", "--fault=hang")
		timeout := int32(1)
		server.Spec.AuthProbe.TimeoutSeconds = &timeout
		Expect(k8s.Create(ctx, server)).To(Succeed())
		eventually(ctx, server, v1alpha1.ConditionAuthHealthy).Should(say(metav1.ConditionUnknown, v1alpha1.ReasonUpstreamUnavailable))
		eventually(ctx, server, v1alpha1.ConditionReady).Should(HaveField("Status", metav1.ConditionFalse))

		By("asking its gate, past the Service, in which it is not")
		pod := podsOf(ctx, server)[0]
		Expect(pod.Status.Conditions).To(ContainElement(And(HaveField("Type", corev1.PodReady), HaveField("Status", corev1.ConditionFalse))))
		gate := "http://" + pod.Status.PodIP + ":8080/mcp"
		Expect(ask(ctx, toMCP(gate, ""))).To(refusedFor("missing_token"))
		Expect(ask(ctx, toMCP(gate, badToken(ctx, server, token.WrongKey)))).To(refusedFor("bad_signature"))
		request := toMCP(gate, goodToken(ctx, server))
		request.Body, request.TimeoutSeconds = listTools, 3
		Expect(ask(ctx, request)).To(HaveField("Failure", loadclient.Timeout))
	})
})
