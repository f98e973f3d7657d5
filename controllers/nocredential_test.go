package controllers_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// noCredential has the server's lock tried without any good token.
func noCredential(s *v1alpha1.MCPServer) {
	s.Spec.AuthProbe.Credential, s.Spec.AuthProbe.ReadinessGate = v1alpha1.CredentialNone, v1alpha1.ReadinessGateOff
}

var _ = Describe("The lock of a server that gives the prober no credential", func() {
	It("is not proven, whatever type its providers are of, and an open gate is found all the same", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		server := withProviders(namespace, publicKeys(ctx, namespace))
		noCredential(server)
		Expect(k8s.Create(ctx, server)).To(Succeed())
		pod := startPod(ctx, server)
		healthy := condition(ctx, server, v1alpha1.ConditionAuthHealthy)
		Eventually(healthy).Should(And(say(metav1.ConditionUnknown, v1alpha1.ReasonProbeCredentialMissing),
			HaveField("Message", And(ContainSubstring("Provider managed: authProbe.credential is None."),
				ContainSubstring("Provider partner: authProbe.credential is None.")))))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionUnknown))
		Expect(gateConfig(ctx, server)).NotTo(ContainSubstring("probeKey"))
		Expect(pod.server.Requests()).To(BeZero(), "somebody was let in")
		pod.serve(openDoor())
		Eventually(healthy).Should(say(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted))
	})

	It("has its keys replaced and revoked by what gates say, and never by a token", func(ctx SpecContext) {
		o := start(testGateImage)
		s := proveRotated(ctx, o, 2)
		editObject(ctx, s.MCPServer, func() { noCredential(s.MCPServer) })
		s.act(ctx, o)
		Expect(condition(ctx, s.MCPServer, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionUnknown, v1alpha1.ReasonProbeCredentialMissing))
		before := []mcpfake.Requests{s.pods[0].server.Requests(), s.pods[1].server.Requests()}

		s.annotate(ctx, v1alpha1.AnnotationRotateKeys, "now")
		s.act(ctx, o)
		s.pods[0].mount(ctx, s.MCPServer, s.pods[0].pod.Status.PodIP)
		s.act(ctx, o)
		Expect(s.phases(ctx)).To(Equal("Signing Published"), "one pod has not loaded the new key")
		s.mount(ctx)
		s.act(ctx, o)
		Expect(s.phases(ctx)).To(Equal("Retiring Signing"))
		s.annotate(ctx, v1alpha1.AnnotationRevokeKey, fresh(ctx, s.MCPServer).Status.Keys[0].KID)
		s.act(ctx, o)
		Expect(s.phases(ctx)).To(Equal("Revoked Signing"), "gates still have it")
		s.mount(ctx)
		s.act(ctx, o)
		Expect(s.phases(ctx)).To(Equal("Revoked- Signing"))
		for i, pod := range s.pods {
			Expect(pod.server.Requests()).To(Equal(before[i]), "somebody was let in")
		}
	})
})
