//go:build e2e

package e2e_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/test/loadclient"
)

var _ = Describe("A server that listens on all addresses", Label("ci"), func() {
	It("is closed by the NetworkPolicy, and found where another policy opens it", func(ctx SpecContext) {
		server := create(ctx, newServer(newStory(ctx), "wide", fakeImage, "--addr=0.0.0.0:8000", "--dialect=stateless"))
		past := toMCP("http://"+podsOf(ctx, server)[0].Status.PodIP+":8000/mcp", "")
		past.Body, past.TimeoutSeconds = listTools, 2
		Expect(ask(ctx, past)).To(HaveField("Failure", loadclient.Timeout))

		By("opening everything in the namespace, as somebody did who needed it for something else")
		everything := &networkingv1.NetworkPolicy{
			ObjectMeta: metav1.ObjectMeta{Namespace: server.Namespace, Name: "allow-all"},
			Spec: networkingv1.NetworkPolicySpec{
				PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
				Ingress:     []networkingv1.NetworkPolicyIngressRule{{}},
			},
		}
		Expect(k8s.Create(ctx, everything)).To(Succeed())
		eventually(ctx, server, v1alpha1.ConditionAuthHealthy).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonBypassReachable), HaveField("Message", ContainSubstring("8000"))))
		AddReportEntry("what the condition says", conditionOf(server, v1alpha1.ConditionAuthHealthy).Message)
		Expect(ask(ctx, past)).To(beLetIn(), "the server is open past its gate")
		answersAsItShould(ctx, server) // readiness does not close a port, so the guarded way stays

		Expect(k8s.Delete(ctx, everything)).To(Succeed())
		becomesHealthy(ctx, server)
	})
})
