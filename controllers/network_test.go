package controllers_test

import (
	"context"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/network"
)

func serviceOf(ctx context.Context, server *v1alpha1.MCPServer) func() (corev1.ServiceSpec, error) {
	return func() (corev1.ServiceSpec, error) {
		service := &corev1.Service{}
		err := fetch(ctx, server, service, "")
		return service.Spec, err
	}
}

var _ = Describe("The network of an MCPServer", func() {
	It("has a Service that keeps what the cloud gives it, and loses what leads past the gate", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		server.Spec.Service = &v1alpha1.Service{Type: corev1.ServiceTypeNodePort, Annotations: map[string]string{"example.com/a": "b"}}
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(serviceOf(ctx, server)).Should(HaveField("Type", corev1.ServiceTypeNodePort))
		service := &corev1.Service{}
		Expect(fetch(ctx, server, service, "")).To(Succeed())
		Expect(service.Annotations).To(HaveKeyWithValue("example.com/a", "b"))
		node := service.Spec.Ports[0].NodePort
		Expect(node).NotTo(BeZero())

		for _, spoil := range []func(){
			func() { service.Spec.PublishNotReadyAddresses = true },
			func() { service.Spec.Selector["more"] = "keys" },
			func() { service.Spec.SessionAffinity = corev1.ServiceAffinityNone },
			func() {
				service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{Name: "past", Port: 81, TargetPort: intstr.FromInt32(8000)})
			},
			func() { service.Spec.Ports[0].TargetPort = intstr.FromInt32(8000) },
			func() {
				service.Spec.Type, service.Spec.ExternalName = corev1.ServiceTypeExternalName, "evil.example.com"
			},
			// The only port is another one, under our name.
			func() { service.Spec.Ports[0].Port, service.Spec.Ports[0].NodePort = 81, 0 },
		} {
			editObject(ctx, service, spoil)
			Eventually(serviceOf(ctx, server)).Should(And(
				HaveField("Type", corev1.ServiceTypeNodePort),
				HaveField("ExternalName", BeEmpty()),
				HaveField("PublishNotReadyAddresses", BeFalse()),
				HaveField("SessionAffinity", corev1.ServiceAffinityClientIP),
				HaveField("Selector", Equal(map[string]string{v1alpha1.LabelServer: "x", v1alpha1.LabelInstance: string(server.UID)})),
				HaveField("Ports", ConsistOf(And(
					HaveField("Port", BeEquivalentTo(8080)), HaveField("TargetPort", intstr.FromString(desired.GatePortName)), HaveField("NodePort", Not(BeZero()))))),
			))
		}
		editObject(ctx, service, func() { service.Annotations["cloud.example.com/address"] = "192.0.2.1" })
		before, err := serviceOf(ctx, server)()
		Expect(err).NotTo(HaveOccurred())
		editObject(ctx, server, func() { server.Spec.Service.Annotations = nil })
		Eventually(func() (map[string]string, error) {
			err := fetch(ctx, server, service, "")
			return service.Annotations, err
		}).Should(Equal(map[string]string{"cloud.example.com/address": "192.0.2.1"}))
		Expect(service.Spec.Ports[0].NodePort).To(Equal(before.Ports[0].NodePort))
		Expect(service.Spec.ClusterIP).To(Equal(before.ClusterIP))
	})

	It("restricts where pods connect to only while the spec says so", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		server.Spec.Network = &v1alpha1.Network{EgressTo: []v1alpha1.EgressPeer{{NetworkPeer: v1alpha1.NetworkPeer{IPBlock: &v1alpha1.IPBlock{CIDR: "192.0.2.0/24"}}}}}
		Expect(k8s.Create(ctx, server)).To(Succeed())
		policy := func() (networkingv1.NetworkPolicySpec, error) {
			policy := &networkingv1.NetworkPolicy{}
			err := fetch(ctx, server, policy, "")
			return policy.Spec, err
		}
		Eventually(policy).Should(And(
			HaveField("PolicyTypes", ConsistOf(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress)),
			HaveField("Egress", HaveLen(2))))
		editObject(ctx, server, func() { server.Spec.Network = nil })
		Eventually(policy).Should(And(
			HaveField("PolicyTypes", ConsistOf(networkingv1.PolicyTypeIngress)), HaveField("Egress", BeEmpty())))
	})

	It("has a budget for disruptions with more than one replica only", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		server.Spec.Replicas = ptr.To(int32(2))
		Expect(k8s.Create(ctx, server)).To(Succeed())
		budget := &policyv1.PodDisruptionBudget{}
		get := func() error { return fetch(ctx, server, budget, "") }
		Eventually(get).Should(Succeed())
		Expect(budget.Spec.MaxUnavailable).To(HaveValue(Equal(intstr.FromInt32(1))))
		editObject(ctx, budget, func() { budget.Spec.MaxUnavailable = ptr.To(intstr.FromInt32(2)) })
		Eventually(func() (policyv1.PodDisruptionBudgetSpec, error) { return budget.Spec, get() }).Should(HaveField("MaxUnavailable", HaveValue(Equal(intstr.FromInt32(1)))))
		editObject(ctx, server, func() { server.Spec.Replicas = ptr.To(int32(1)) })
		Eventually(get).ShouldNot(Succeed())

		foreign := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: server.Namespace, Labels: map[string]string{v1alpha1.LabelServer: "x"}}}
		Expect(k8s.Create(ctx, foreign)).To(Succeed())
		touch(ctx, server)
		Consistently(get, "500ms").Should(Succeed())
	})
})

var _ = Describe("The route of an MCPServer", Ordered, func() {
	route := func(ctx context.Context, server *v1alpha1.MCPServer) (*unstructured.Unstructured, error) {
		found := &unstructured.Unstructured{}
		found.SetGroupVersionKind(network.HTTPRouteKind)
		return found, fetch(ctx, server, found, "")
	}
	var server *v1alpha1.MCPServer

	It("is named as what is missing where there is no Gateway API, and all else is there", func(ctx SpecContext) {
		server = newServer(newNamespace(ctx), "x")
		server.Spec.Route = &v1alpha1.Route{ParentRefs: []v1alpha1.GatewayRef{{Name: "public"}}, Hostnames: []string{"tools.example.com"}}
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(condition(ctx, server, v1alpha1.ConditionAccepted)).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonRouteUnsupported), HaveField("Message", ContainSubstring("Install the Gateway API"))))
		for _, child := range children {
			Expect(fetch(ctx, server, child.object(), child.suffix)).To(Succeed())
		}
		Expect(gateConfig(ctx, server)).To(ContainSubstring(`"tools.example.com"`))
	})

	It("is made once there is one, put right, and the address once a gateway has accepted it", func(ctx SpecContext) {
		_, err := envtest.InstallCRDs(restConfig, envtest.CRDInstallOptions{Paths: []string{filepath.Join("testdata", "httproutes.yaml")}})
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() *metav1.Condition {
			editObject(ctx, server, func() { metav1.SetMetaDataAnnotation(&server.ObjectMeta, "touched", server.ResourceVersion) })
			return condition(ctx, server, v1alpha1.ConditionAccepted)()
		}).WithPolling(500 * time.Millisecond).Should(say(metav1.ConditionTrue, v1alpha1.ReasonAccepted))
		made, err := route(ctx, server)
		Expect(err).NotTo(HaveOccurred())
		Expect(metav1.IsControlledBy(made, server)).To(BeTrue())
		right := made.DeepCopy().Object["spec"]

		editObject(ctx, made, func() {
			Expect(unstructured.SetNestedStringSlice(made.Object, []string{"evil.example.com"}, "spec", "hostnames")).To(Succeed())
		})
		Eventually(func() (any, error) {
			now, err := route(ctx, server)
			return now.Object["spec"], err
		}).Should(Equal(right))

		url := func() string { return fresh(ctx, server).Status.Address.URL }
		Expect(url()).To(HavePrefix("http://x."))
		accept := func(generation int64) {
			now, err := route(ctx, server)
			Expect(err).NotTo(HaveOccurred())
			now.Object["status"] = map[string]any{"parents": []any{map[string]any{"conditions": []any{map[string]any{
				"type": "Accepted", "status": "True", "observedGeneration": generation}}}}}
			Expect(k8s.Status().Update(ctx, now)).To(Succeed())
		}
		now, err := route(ctx, server)
		Expect(err).NotTo(HaveOccurred())
		accept(now.GetGeneration() - 1)
		Consistently(url, "500ms").Should(HavePrefix("http://x."))
		accept(now.GetGeneration())
		Eventually(url).Should(Equal("https://tools.example.com/mcp"))
	})

	It("is told to yield where an older server has the same path on the same hostname", func(ctx SpecContext) {
		specNamespaces = append(specNamespaces, server.Namespace)
		younger := newServer(server.Namespace, "younger")
		younger.Spec.Route = server.Spec.Route.DeepCopy()
		Expect(k8s.Create(ctx, younger)).To(Succeed())
		Eventually(condition(ctx, younger, v1alpha1.ConditionAccepted)).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonRouteConflict),
			HaveField("Message", And(ContainSubstring(server.Namespace+"/x"), ContainSubstring("/mcp on hostname tools.example.com")))))
		Expect(condition(ctx, server, v1alpha1.ConditionAccepted)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonAccepted))
		editObject(ctx, younger, func() { younger.Spec.Path = "/younger" })
		Eventually(condition(ctx, younger, v1alpha1.ConditionAccepted)).Should(say(metav1.ConditionTrue, v1alpha1.ReasonAccepted))
	})

	It("goes when the spec has none any more", func(ctx SpecContext) {
		specNamespaces = append(specNamespaces, server.Namespace)
		editObject(ctx, server, func() { server.Spec.Route = nil })
		Eventually(func() error {
			_, err := route(ctx, server)
			return client.IgnoreNotFound(err)
		}).Should(Succeed())
		Eventually(func() error {
			_, err := route(ctx, server)
			return err
		}).ShouldNot(Succeed())
		Eventually(func() string { return fresh(ctx, server).Status.Address.URL }).Should(HavePrefix("http://x."))
	})

	It("is left alone where it belongs to somebody else", func(ctx SpecContext) {
		specNamespaces = append(specNamespaces, server.Namespace)
		foreign := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"hostnames": []any{"theirs.example.com"}}}}
		foreign.SetGroupVersionKind(network.HTTPRouteKind)
		foreign.SetNamespace(server.Namespace)
		foreign.SetName("x")
		Expect(k8s.Create(ctx, foreign)).To(Succeed())
		editObject(ctx, server, func() {
			server.Spec.Route = &v1alpha1.Route{ParentRefs: []v1alpha1.GatewayRef{{Name: "public"}}, Hostnames: []string{"tools.example.com"}}
		})
		Eventually(condition(ctx, server, v1alpha1.ConditionAccepted)).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonNameTaken), HaveField("Message", HavePrefix("HTTPRoute x"))))
		now, err := route(ctx, server)
		Expect(err).NotTo(HaveOccurred())
		Expect(now.GetResourceVersion()).To(Equal(foreign.GetResourceVersion()))
	})
})
