package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
)

// lookAgain has the operator look once more at what it reached beside a gate, when that counts.
func (o *operator) lookAgain(ctx context.Context, server *v1alpha1.MCPServer) {
	GinkgoHelper()
	o.prober.Now = func() time.Time { return time.Now().Add(20 * time.Second) }
	o.act(ctx, server)
}

var _ = Describe("Exposure", func() {
	DescribeTable("is told from the canary port and from the list of listeners",
		func(ctx SpecContext, says func(*admin.State), policy v1alpha1.NetworkPolicyEnforcement, note string) {
			o := start(testGateImage)
			server := newUnwatched(ctx)
			o.build(ctx, server)
			pod := startPod(ctx, server)
			pod.says(says)
			o.act(ctx, server)
			Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))
			Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven), "one connection proves nothing")
			o.lookAgain(ctx, server)
			Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))
			Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(HaveField("Message", ContainSubstring(note)))
			Expect(fresh(ctx, server).Status.AuthHealth.NetworkPolicy).To(Equal(policy))
		},
		Entry("reached", func(s *admin.State) { s.CanaryPort = 8000 }, v1alpha1.NetworkPolicyNotEnforced, "does not enforce NetworkPolicies"),
		Entry("out of reach", func(s *admin.State) { s.CanaryPort = 1 }, v1alpha1.NetworkPolicyEnforced, ""),
		Entry("absent", func(s *admin.State) { s.CanaryPort = 0 }, v1alpha1.NetworkPolicyUnknown, ""),
		Entry("no list", func(s *admin.State) { s.CanaryPort, s.Listeners = 1, nil }, v1alpha1.NetworkPolicyEnforced, "could not be found out"),
		Entry("a listener that is shielded", func(s *admin.State) {
			s.CanaryPort, s.Listeners = 1, []admin.Listener{{Address: "::", Port: 2}}
		}, v1alpha1.NetworkPolicyEnforced, "1 of 1 pods refused"),
		Entry("a listener that is not, which does not hold the pod back", func(s *admin.State) {
			s.CanaryPort, s.Listeners = 8000, []admin.Listener{{Address: "::", Port: 8000}}
		}, v1alpha1.NetworkPolicyNotEnforced, "listen on 127.0.0.1 only"),
	)

	It("is a Service that sends requests to a stranger", func(ctx SpecContext) {
		o := start(testGateImage)
		server, pod := proveUnwatched(ctx, o, minutely, func(s *v1alpha1.MCPServer) { s.Spec.AuthProbe.TimeoutSeconds = ptr.To(int32(1)) })
		slice := &discoveryv1.EndpointSlice{AddressType: discoveryv1.AddressTypeIPv4}
		slice.Namespace, slice.Name = server.Namespace, server.Name+"-foreign"
		slice.Labels = map[string]string{discoveryv1.LabelServiceName: server.Name}
		slice.Endpoints = []discoveryv1.Endpoint{{Addresses: []string{"10.9.8.7"}}}
		Expect(k8s.Create(ctx, slice)).To(Succeed())

		waitRounds(o, 1)
		o.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven), "it may be on its way")
		waitRounds(o, 2)
		o.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonForeignEndpoint), HaveField("Message", ContainSubstring("10.9.8.7"))))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))

		Expect(k8s.Delete(ctx, slice)).To(Succeed())
		waitRounds(o, 4)
		o.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
	})

	It("is a mesh whose proxy cuts the operator's connections", func(ctx SpecContext) {
		o := start(testGateImage)
		server := newUnwatched(ctx)
		o.build(ctx, server)
		pod := startPodOf(ctx, server, func(spec *corev1.PodSpec) {
			spec.Containers = append(spec.Containers, corev1.Container{Name: "istio-proxy", Image: "example.com/mesh",
				TerminationMessagePolicy: corev1.TerminationMessageReadFile})
		})
		pod.serve(onConnection(reset))
		pod.serveAdmin(onConnection(reset))
		o.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(And(
			say(metav1.ConditionUnknown, v1alpha1.ReasonServiceMeshBlocked), HaveField("Message", ContainSubstring("PeerAuthentication"))))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionUnknown))
	})

	It("are clients that are all refused, which is told and held against nobody", func(ctx SpecContext) {
		o := start(testGateImage)
		server, pod := proveUnwatched(ctx, o, minutely)
		since := time.Now().Add(-time.Hour)
		for round := range 3 {
			pod.says(func(s *admin.State) {
				s.Refusals = map[string]admin.Refusals{"corp": {Since: since, Last: s.Time, Reasons: map[string]int64{"wrong_audience": int64(round)}}}
			})
			waitRounds(o, round+1)
			o.act(ctx, server)
		}
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(And(
			say(metav1.ConditionTrue, v1alpha1.ReasonProven), HaveField("Message", ContainSubstring("provider corp was refused since"))))
		Expect(condition(ctx, server, v1alpha1.ConditionClientsRefused)()).To(And(
			say(metav1.ConditionTrue, v1alpha1.ReasonProviderRejectsEveryone), HaveField("Message", ContainSubstring("provider corp"))))
		Expect(condition(ctx, server, v1alpha1.ConditionReady)()).NotTo(HaveField("Reason", v1alpha1.ReasonProviderRejectsEveryone))
		rejections := func() (told int) {
			for _, event := range eventsOf(ctx, server)() {
				if event.Reason == v1alpha1.ReasonProviderRejectsEveryone && event.Regarding.Name == server.Name {
					told += 1 + int(ptr.Deref(event.Series, eventsv1.EventSeries{}).Count)
				}
			}
			return told
		}
		Eventually(rejections).Should(Equal(1))

		By("no longer, once one is let in")
		pod.says(func(s *admin.State) { s.LastAccepted = map[string]time.Time{"corp": s.Time} })
		waitRounds(o, 4)
		o.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(HaveField("Message", Not(ContainSubstring("corp"))))
		Expect(condition(ctx, server, v1alpha1.ConditionClientsRefused)()).To(BeNil())
	})

	It("is counted, and forgotten with the server", func(ctx SpecContext) {
		server, pod := proveOne(ctx)
		series := func() map[string]int {
			families, err := registry.Gather()
			Expect(err).NotTo(HaveOccurred())
			count := map[string]int{}
			for _, family := range families {
				for _, metric := range family.Metric {
					for _, label := range metric.Label {
						if label.GetName() == "namespace" && label.GetValue() == server.Namespace {
							count[family.GetName()]++
						}
					}
				}
			}
			return count
		}
		Eventually(series).Should(And(HaveKey("gatehouse_probe_rounds_total"), Not(HaveKey("gatehouse_probe_case_failures_total")),
			HaveKeyWithValue("gatehouse_auth_healthy", 1), HaveKeyWithValue("gatehouse_probe_last_round_timestamp_seconds", 1),
			HaveKeyWithValue("gatehouse_clients_refused", 1),
			HaveKeyWithValue("gatehouse_ready", 1), HaveKeyWithValue("gatehouse_available", 1), HaveKeyWithValue("gatehouse_ready_replicas", 1)))
		pod.serve(openDoor())
		Eventually(series).Should(HaveKey("gatehouse_probe_case_failures_total"))
		Expect(k8s.Delete(ctx, server)).To(Succeed())
		Eventually(series).Should(BeEmpty())
	})
})
