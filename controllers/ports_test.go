package controllers_test

import (
	"net"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

var _ = Describe("The ports of gates", func() {
	It("stay open as long as a pod of an earlier spec has them", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		server.Spec.AuthProbe.ReadinessGate = v1alpha1.ReadinessGateOff
		Expect(k8s.Create(ctx, server)).To(Succeed())
		open := func() (ports []int32) {
			policy := &networkingv1.NetworkPolicy{}
			Expect(fetch(ctx, server, policy, "")).To(Succeed())
			for _, rule := range policy.Spec.Ingress {
				for _, port := range rule.Ports {
					ports = append(ports, port.Port.IntVal)
				}
			}
			return ports
		}
		old := startPod(ctx, server)
		Expect(open()).To(ConsistOf(int32(8080), int32(28080)), "this operator runs outside of the cluster")

		editObject(ctx, server, func() { server.Spec.Gate = &v1alpha1.Gate{Port: ptr.To[int32](8081)} })
		Eventually(open).Should(ConsistOf(int32(8081), int32(28080), int32(8080)))
		Consistently(open, "500ms").Should(ContainElement(int32(8080)))

		set := &appsv1.ReplicaSet{}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(old.pod), set)).To(Succeed())
		Expect(k8s.Delete(ctx, set)).To(Succeed())
		Expect(k8s.Delete(ctx, old.pod, client.GracePeriodSeconds(0))).To(Succeed())
		Eventually(open).Should(ConsistOf(int32(8081), int32(28080)))
	})

	It("are both tried: a gate that is open at its fallback port is open", func(ctx SpecContext) {
		server, pod := proveUnwatched(ctx, start(testGateImage))
		locked := *pod.client.Load()
		open := openDoor()
		pod.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			at, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
			if at != nil && at.Port == 28080 {
				open.ServeHTTP(w, r)
				return
			}
			locked.ServeHTTP(w, r)
		}))
		start(testGateImage).act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(And(say(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted),
			HaveField("Message", ContainSubstring("At its fallback port "+pod.pod.Status.PodIP+":28080"))))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionFalse))
		pod.serve(locked)
		start(testGateImage).act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
	})
})
