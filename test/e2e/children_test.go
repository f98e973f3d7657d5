//go:build e2e

package e2e_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// children are the objects that the operator makes for a server, each with an edit that would open or break it, and the
// part of it that the edit changes.
var children = []struct {
	what string
	make func() client.Object
	// suffix of the name, after the server's.
	suffix string
	spoil  func(client.Object)
	part   func(client.Object) any
}{
	{"Service", func() client.Object { return &corev1.Service{} }, "",
		func(o client.Object) { o.(*corev1.Service).Spec.Selector = map[string]string{"app": "another"} },
		func(o client.Object) any { return o.(*corev1.Service).Spec.Selector }},
	{"NetworkPolicy", func() client.Object { return &networkingv1.NetworkPolicy{} }, "",
		func(o client.Object) {
			o.(*networkingv1.NetworkPolicy).Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{}}
		},
		func(o client.Object) any { return o.(*networkingv1.NetworkPolicy).Spec }},
	{"ServiceAccount", func() client.Object { return &corev1.ServiceAccount{} }, "",
		func(o client.Object) { o.(*corev1.ServiceAccount).AutomountServiceAccountToken = nil },
		func(o client.Object) any { return o.(*corev1.ServiceAccount).AutomountServiceAccountToken }},
	{"ConfigMap of the gate", func() client.Object { return &corev1.ConfigMap{} }, "-authproxy",
		func(o client.Object) { o.(*corev1.ConfigMap).Data["authproxy.v2.json"] = "{}" },
		func(o client.Object) any { return o.(*corev1.ConfigMap).Data }},
	{"ConfigMap of public keys", func() client.Object { return &corev1.ConfigMap{} }, "-jwks",
		func(o client.Object) { o.(*corev1.ConfigMap).Data["managed.jwks"] = `{"keys":[]}` },
		func(o client.Object) any { return o.(*corev1.ConfigMap).Data["managed.jwks"] }},
	{"Secret of the gate", func() client.Object { return &corev1.Secret{} }, "-gate",
		func(o client.Object) { o.(*corev1.Secret).Data["current"] = []byte("short") },
		func(o client.Object) any { return len(o.(*corev1.Secret).Data["current"]) }},
	{"Secret of keys", func() client.Object { return &corev1.Secret{} }, "-keys",
		func(o client.Object) { o.SetLabels(nil) },
		func(o client.Object) any { return o.GetLabels() }},
	{"Deployment", func() client.Object { return &appsv1.Deployment{} }, "",
		func(o client.Object) { o.(*appsv1.Deployment).Spec.Template.Spec.InitContainers = nil },
		func(o client.Object) any {
			return len(o.(*appsv1.Deployment).Spec.Template.Spec.InitContainers)
		}},
}

var _ = Describe("Objects that belong to a server", Label("ci"), func() {
	It("are put right when they are edited or deleted by hand", func(ctx SpecContext) {
		server := create(ctx, fake(newStory(ctx), "mended"))
		for _, child := range children {
			object := child.make()
			object.SetNamespace(server.Namespace)
			object.SetName(server.Name + child.suffix)

			By("editing the " + child.what)
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
			right := child.part(object)
			edit(ctx, object, func() { child.spoil(object) })
			Eventually(func() (any, error) {
				err := k8s.Get(ctx, client.ObjectKeyFromObject(object), object)
				return child.part(object), err
			}).WithContext(ctx).Should(Equal(right))

			By("deleting the " + child.what)
			old, pods := object.GetUID(), podsOf(ctx, server)
			Expect(k8s.Delete(ctx, object)).To(Succeed())
			Eventually(func() (types.UID, error) {
				err := k8s.Get(ctx, client.ObjectKeyFromObject(object), object)
				return object.GetUID(), err
			}).WithContext(ctx).ShouldNot(Or(BeEmpty(), Equal(old)))
			if child.what == "Deployment" {
				Eventually(podsOf).WithContext(ctx).WithArguments(server).ShouldNot(ContainElement(HaveField("UID", pods[0].UID)))
			}
			becomesHealthy(ctx, server)
			comesToAnswer(ctx, server)
		}
		Consistently(podsOf).WithContext(ctx).WithArguments(server).Should(HaveLen(1))
	})

	It("go when the server is deleted", func(ctx SpecContext) {
		server := create(ctx, fake(newStory(ctx), "gone"))
		Expect(kindsLeft(ctx, server)).To(HaveLen(len(lists())), "every kind is there to begin with")
		Expect(k8s.Delete(ctx, server)).To(Succeed())
		Eventually(kindsLeft).WithContext(ctx).WithArguments(server).Should(BeEmpty())
	})
})

func lists() []client.ObjectList {
	return []client.ObjectList{
		&appsv1.DeploymentList{}, &appsv1.ReplicaSetList{}, &corev1.PodList{}, &corev1.ServiceList{},
		&discoveryv1.EndpointSliceList{}, &networkingv1.NetworkPolicyList{}, &corev1.ServiceAccountList{},
		&corev1.ConfigMapList{}, &corev1.SecretList{},
	}
}

// kindsLeft gives the kinds of which there are still objects with the server's label.
func kindsLeft(ctx context.Context, server *v1alpha1.MCPServer) []string {
	GinkgoHelper()
	var kinds []string
	for _, list := range lists() {
		Expect(k8s.List(ctx, list, client.InNamespace(server.Namespace), client.MatchingLabels{v1alpha1.LabelServer: server.Name})).To(Succeed())
		if meta.LenList(list) > 0 {
			kinds = append(kinds, fmt.Sprintf("%T", list))
		}
	}
	return kinds
}
