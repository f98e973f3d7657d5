package controllers_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// crashedPod is a pod of the server whose gate runs and whose server does not. Its readiness gate was set by hand, so that
// nobody else touches it: nothing answers at its address.
func crashedPod(ctx context.Context, server *v1alpha1.MCPServer, address string) *corev1.Pod {
	GinkgoHelper()
	deployment := &appsv1.Deployment{}
	Eventually(func() error { return k8s.Get(ctx, client.ObjectKeyFromObject(server), deployment) }).Should(Succeed())
	pod := &corev1.Pod{}
	pod.Name, pod.Namespace = fmt.Sprintf("%s-%d", server.Name, podCount.Add(1)), server.Namespace
	pod.Labels = maps.Clone(deployment.Spec.Template.Labels)
	pod.Spec = deployment.Spec.Template.Spec
	Expect(k8s.Create(ctx, pod)).To(Succeed())
	changePod(ctx, pod, func(status *corev1.PodStatus) {
		status.PodIP, status.PodIPs = address, []corev1.PodIP{{IP: address}}
		status.InitContainerStatuses = []corev1.ContainerStatus{{
			Name: desired.GateContainer, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}, Started: ptr.To(true),
		}}
		status.Conditions = []corev1.PodCondition{
			{Type: v1alpha1.ConditionPodAuthProven, Status: corev1.ConditionTrue, Reason: "ByHand"},
			{Type: corev1.ContainersReady, Status: corev1.ConditionFalse},
		}
	})
	return pod
}

func changePod(ctx context.Context, pod *corev1.Pod, change func(*corev1.PodStatus)) {
	GinkgoHelper()
	Eventually(func() error {
		if err := k8s.Get(ctx, client.ObjectKeyFromObject(pod), pod); err != nil {
			return err
		}
		change(&pod.Status)
		return k8s.Status().Update(ctx, pod)
	}).Should(Succeed())
}

// behind lists the endpoints of a server's Service: ADDRESS:PORT, and what takes them only where nobody is ready.
func behind(ctx context.Context, server *v1alpha1.MCPServer) func() []string {
	return func() []string {
		var list discoveryv1.EndpointSliceList
		Expect(k8s.List(ctx, &list, client.InNamespace(server.Namespace), client.MatchingLabels{discoveryv1.LabelServiceName: server.Name})).To(Succeed())
		var out []string
		for _, slice := range list.Items {
			for _, endpoint := range slice.Endpoints {
				last := !*endpoint.Conditions.Ready && *endpoint.Conditions.Serving && *endpoint.Conditions.Terminating
				out = append(out, fmt.Sprintf("%s:%d last=%t", endpoint.Addresses[0], *slice.Ports[0].Port, last))
			}
		}
		slices.Sort(out)
		return out
	}
}

// sliceOf is the one that has this address.
func sliceOf(ctx context.Context, server *v1alpha1.MCPServer, name string) *discoveryv1.EndpointSlice {
	GinkgoHelper()
	slice := &discoveryv1.EndpointSlice{}
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: server.Name + name}, slice)).To(Succeed())
	return slice
}

const fallbackName = "-fallback-ipv4-28080"

var _ = Describe("While no pod of a Service is ready", func() {
	var server *v1alpha1.MCPServer
	BeforeEach(func(ctx SpecContext) {
		server = newServer(newNamespace(ctx), "weather")
		Expect(k8s.Create(ctx, server)).To(Succeed())
	})
	const first, second = "10.8.0.1:28080 last=true", "10.8.0.2:28080 last=true"

	It("its clients are led to proven gates", func(ctx SpecContext) {
		Consistently(behind(ctx, server), "500ms").Should(BeEmpty())
		pod := crashedPod(ctx, server, "10.8.0.1")
		Eventually(behind(ctx, server)).Should(ConsistOf(first))
		other := crashedPod(ctx, server, "10.8.0.2")
		Eventually(behind(ctx, server)).Should(ConsistOf(first, second))

		By("not to one that has lost its proof")
		changePod(ctx, pod, func(status *corev1.PodStatus) { status.Conditions[0].Status = corev1.ConditionFalse })
		Eventually(behind(ctx, server)).Should(ConsistOf(second))
		changePod(ctx, pod, func(status *corev1.PodStatus) { status.Conditions[0].Status = corev1.ConditionTrue })
		Eventually(behind(ctx, server)).Should(ConsistOf(first, second))

		By("not to one that is ending, nor to one that is gone")
		Expect(k8s.Delete(ctx, other, client.GracePeriodSeconds(0))).To(Succeed())
		Eventually(behind(ctx, server)).Should(ConsistOf(first))

		By("to nobody where there is no pod")
		Expect(k8s.Delete(ctx, pod, client.GracePeriodSeconds(0))).To(Succeed())
		Eventually(behind(ctx, server)).Should(BeEmpty())
		var list discoveryv1.EndpointSliceList
		Expect(k8s.List(ctx, &list, client.InNamespace(server.Namespace))).To(Succeed())
		Expect(list.Items).To(BeEmpty())
	})

	It("what others make of the slice is put right", func(ctx SpecContext) {
		crashedPod(ctx, server, "10.8.0.1")
		Eventually(behind(ctx, server)).Should(ConsistOf(first))
		slice := sliceOf(ctx, server, fallbackName)
		slice.Endpoints[0].Conditions.Ready = ptr.To(true)
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{"10.9.9.9"}})
		Expect(k8s.Update(ctx, slice)).To(Succeed())
		Eventually(func() []discoveryv1.Endpoint { return sliceOf(ctx, server, fallbackName).Endpoints }).Should(HaveLen(1))
		Expect(behind(ctx, server)()).To(ConsistOf(first))
		Expect(k8s.Delete(ctx, sliceOf(ctx, server, fallbackName))).To(Succeed())
		Eventually(func() ([]string, error) {
			var list discoveryv1.EndpointSliceList
			err := k8s.List(ctx, &list, client.InNamespace(server.Namespace))
			var names []string
			for _, slice := range list.Items {
				names = append(names, strings.TrimPrefix(slice.Name, server.Name))
			}
			return names, err
		}).Should(ConsistOf(fallbackName))
	})

	It("slices that are left over go, and what is somebody else's stays", func(ctx SpecContext) {
		crashedPod(ctx, server, "10.8.0.1")
		Eventually(behind(ctx, server)).Should(ConsistOf(first))
		stale := sliceOf(ctx, server, fallbackName)
		leftOver := stale.DeepCopy()
		leftOver.ObjectMeta = metav1.ObjectMeta{Name: "left-over", Namespace: server.Namespace, Labels: stale.Labels, OwnerReferences: stale.OwnerReferences}
		foreign := leftOver.DeepCopy()
		foreign.Name, foreign.OwnerReferences = "foreign", nil
		Expect(k8s.Create(ctx, foreign)).To(Succeed())
		Expect(k8s.Create(ctx, leftOver)).To(Succeed())
		Eventually(behind(ctx, server)).Should(ConsistOf(first, first), "its own and the foreign one")
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(foreign), foreign)).To(Succeed())
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(leftOver), leftOver)).NotTo(Succeed())
	})

	It("a slice of that name that is somebody else's is not taken over", func(ctx SpecContext) {
		foreign := &discoveryv1.EndpointSlice{AddressType: discoveryv1.AddressTypeIPv4}
		foreign.Namespace, foreign.Name = server.Namespace, server.Name+fallbackName
		Expect(k8s.Create(ctx, foreign)).To(Succeed())
		pod := crashedPod(ctx, server, "10.8.0.1")
		Consistently(behind(ctx, server), "1s").Should(BeEmpty())
		Expect(k8s.Delete(ctx, foreign)).To(Succeed())
		changePod(ctx, pod, func(status *corev1.PodStatus) { status.Message = "touched" })
		Eventually(behind(ctx, server)).Should(ConsistOf(first))
	})
})
