//go:build e2e

package e2e_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

var _ = Describe("The alerts", Label("alerts"), func() {
	It("page for a lock that fails with the name of its server, and not for others", func(ctx SpecContext) {
		story := newStory(ctx)
		own := v1alpha1.NetworkPeer{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": story}}}
		watched := func(server *v1alpha1.MCPServer) *v1alpha1.MCPServer {
			server.Spec.Network = &v1alpha1.Network{MetricsFrom: []v1alpha1.NetworkPeer{own}}
			return server
		}
		wide := create(ctx, watched(newServer(story, "wide", fakeImage, "--addr=0.0.0.0:8000", "--dialect=stateless")))
		other := create(ctx, watched(fake(story, "other")))
		p := startPrometheus(ctx, story, wide, other)
		becomes := func(expression, want string) {
			GinkgoHelper()
			Eventually(p.value).WithContext(ctx).WithArguments(expression).Should(Equal(want), "%s", expression)
		}
		series := func(name string, server client.Object) string {
			return fmt.Sprintf("%s{namespace=%q,server=%q}", name, server.GetNamespace(), server.GetName())
		}

		By("scraping the operator and the gates, whose metrics name the servers")
		becomes(`max(gatehouse_operator_leading)`, "1")
		for _, server := range []client.Object{wide, other} {
			for _, name := range []string{"gatehouse_auth_healthy", "gatehouse_ready", "gatehouse_available", "gatehouse_ready_replicas",
				"up", "gatehouse_gate_last_reload_successful", "server:gatehouse_auth_healthy:last", "server:gatehouse_ready:last"} {
				becomes(series(name, server), "1")
			}
		}
		Expect(p.firing(ctx, story)).To(BeEmpty())

		By("opening one of them past its gate")
		everything := &networkingv1.NetworkPolicy{
			ObjectMeta: metav1.ObjectMeta{Namespace: story, Name: "allow-all"},
			Spec: networkingv1.NetworkPolicySpec{
				PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}, Ingress: []networkingv1.NetworkPolicyIngressRule{{}},
			},
		}
		Expect(k8s.Create(ctx, everything)).To(Succeed())
		Eventually(p.firing).WithContext(ctx).WithArguments(story).Should(ConsistOf(And(
			HaveField("Labels", Equal(map[string]string{"alertname": "GatehouseLockFails", "severity": "critical", "namespace": story, "server": "wide"})),
			HaveField("Annotations", HaveKeyWithValue("summary", "The lock of MCPServer "+story+"/wide does not hold")))))
		found, err := p.firing(ctx, story)
		Expect(err).NotTo(HaveOccurred())
		AddReportEntry("the page", found)

		By("closing it again")
		Expect(k8s.Delete(ctx, everything)).To(Succeed())
		becomesHealthy(ctx, wide)
		Eventually(p.firing).WithContext(ctx).WithArguments(story).Should(BeEmpty())

		By("scaling the other one to zero: there is nothing to try, and so no series")
		edit(ctx, other, func() { other.Spec.Replicas = ptrTo(int32(0)) })
		becomes(series("gatehouse_auth_healthy", other), "")
		becomes(series("gatehouse_probe_last_round_timestamp_seconds", other), "")
		becomes(series("gatehouse_available", other), "1")
		Expect(p.firing(ctx, story)).To(BeEmpty())
	})
})
