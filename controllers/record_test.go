package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/workload"
	"github.com/mcp-gatehouse/gatehouse/test/forgery"
)

// waiting gives a server that serves and waits for its upgrade, and the operator for which it waits.
func waiting(ctx context.Context) (*v1alpha1.MCPServer, *operator) {
	GinkgoHelper()
	taken, server := newServing(ctx), newServing(ctx)
	o := newerOperator()
	o.build(ctx, taken)
	o.build(ctx, server)
	expectWaits(ctx, server, "1 are being upgraded.")
	return server, o
}

// forge writes a template and its record, as whoever may patch Deployments can.
func forge(ctx context.Context, server *v1alpha1.MCPServer, change func(*corev1.PodSpec)) {
	GinkgoHelper()
	deployment, err := deploymentOf(ctx, server)()
	Expect(err).NotTo(HaveOccurred())
	editObject(ctx, deployment, func() {
		change(&deployment.Spec.Template.Spec)
		record, err := forgery.Record(deployment.Spec.Template)
		Expect(err).NotTo(HaveOccurred())
		deployment.Annotations[v1alpha1.AnnotationTemplate] = record
	})
}

// forgeries are of a server of which mallory has made copies of the ConfigMaps.
var forgeries = map[string]func(server *v1alpha1.MCPServer, pod *corev1.PodSpec){
	"the gate's image": func(_ *v1alpha1.MCPServer, pod *corev1.PodSpec) {
		pod.InitContainers[0].Image = "example.com/open-door"
	},
	"the ConfigMap with the keys": func(server *v1alpha1.MCPServer, pod *corev1.PodSpec) {
		for i := range pod.Volumes {
			if pod.Volumes[i].Name == "gatehouse-keys" {
				pod.Volumes[i].Projected.Sources[0].ConfigMap.Name = server.Name + "-mine"
			}
		}
	},
	"the ConfigMap with the configuration": func(server *v1alpha1.MCPServer, pod *corev1.PodSpec) {
		for i := range pod.Volumes {
			if pod.Volumes[i].Name == "gatehouse-config" {
				pod.Volumes[i].ConfigMap.Name = server.Name + "-mine"
			}
		}
	},
}

var _ = Describe("A record of a template", func() {
	for what, change := range forgeries {
		It("that somebody forges with "+what+" is not believed, and puts no pod into service", func(ctx SpecContext) {
			server, o := waiting(ctx)
			before, err := deploymentOf(ctx, server)()
			Expect(err).NotTo(HaveOccurred())
			copied := &corev1.ConfigMap{}
			Expect(fetch(ctx, server, copied, "-jwks")).To(Succeed())
			for key, content := range configMap(ctx, server, "-authproxy") {
				copied.Data[key] = string(content)
			}
			Expect(k8s.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: server.Name + "-mine", Namespace: unwatched}, Data: copied.Data})).To(Succeed())
			forge(ctx, server, func(pod *corev1.PodSpec) { change(server, pod) })

			By("making a pod of it before the operator looks")
			pod := startPod(ctx, server)
			_, err = start(newerImage).prober.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(server)})
			Expect(err).NotTo(HaveOccurred())
			Expect(pod.proven(ctx)()).NotTo(Equal(corev1.ConditionTrue))

			o.build(ctx, server)
			after, err := deploymentOf(ctx, server)()
			Expect(err).NotTo(HaveOccurred())
			before.Spec.Template.Spec.InitContainers[0].Image = newerImage
			Expect(after.Spec.Template).To(Equal(before.Spec.Template), "it has what it is to have, out of its turn")

			By("trying the pod, which is of an old revision now")
			_, err = start(newerImage).prober.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(server)})
			Expect(err).NotTo(HaveOccurred())
			Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(And(
				say(metav1.ConditionFalse, v1alpha1.ReasonPodTampered), HaveField("Message", ContainSubstring("GateUnmodified"))))
			Expect(pod.proven(ctx)()).NotTo(Equal(corev1.ConditionTrue))
		})
	}

	It("of before the last is not believed either", func(ctx SpecContext) {
		server := newServing(ctx)
		old, err := deploymentOf(ctx, server)()
		Expect(err).NotTo(HaveOccurred())
		editObject(ctx, server, func() { server.Spec.Env = []corev1.EnvVar{{Name: "A", Value: "b"}} })
		o := start(testGateImage)
		o.build(ctx, server)
		available(ctx, server, 1, 1)
		o.build(ctx, server)
		taken := newServing(ctx)
		o = newerOperator()
		o.build(ctx, taken)
		deployment, err := deploymentOf(ctx, server)()
		Expect(err).NotTo(HaveOccurred())
		editObject(ctx, deployment, func() {
			deployment.Spec.Template = old.Spec.Template
			for _, name := range []string{v1alpha1.AnnotationTemplate, v1alpha1.AnnotationAsked} {
				deployment.Annotations[name] = old.Annotations[name]
			}
		})
		o.build(ctx, server)
		Expect(gateOf(ctx, server)).To(Equal(newerImage))
		Expect(deploymentOf(ctx, server)()).To(HaveField("Spec.Template.Spec.Containers", ConsistOf(HaveField("Env", HaveLen(1)))))
	})

	It("is told of in the status, with the gates that pods may have, and these stay through a restart", func(ctx SpecContext) {
		server, o := waiting(ctx)
		deployment, err := deploymentOf(ctx, server)()
		Expect(err).NotTo(HaveOccurred())
		Expect(fresh(ctx, server).Status.Template).To(Equal(workload.RecordDigest(deployment.Annotations)))
		editObject(ctx, server, func() { server.Spec.Env = []corev1.EnvVar{{Name: "A", Value: "b"}} })
		o.build(ctx, server)
		newerOperator().build(ctx, server)
		Expect(fresh(ctx, server).Status).To(And(
			HaveField("GateImage", newerImage), HaveField("FormerGateImages", ConsistOf(testGateImage)), HaveField("Template", Not(Equal(workload.RecordDigest(deployment.Annotations))))))
	})

	It("does not vouch for a ReplicaSet of somebody's, whatever revision that claims", func(ctx SpecContext) {
		o := start(testGateImage)
		server, _ := proveUnwatched(ctx, o)
		pod := startPodOf(ctx, server, func(spec *corev1.PodSpec) { spec.InitContainers[0].Image = "example.com/open-door" })
		replicaSet := &appsv1.ReplicaSet{}
		replicaSet.Name, replicaSet.Namespace = pod.pod.Name, pod.pod.Namespace
		editObject(ctx, replicaSet, func() { metav1.SetMetaDataAnnotation(&replicaSet.ObjectMeta, "deployment.kubernetes.io/revision", "7") })
		o.finds(ctx, server, v1alpha1.ReasonPodTampered, "which the operator has never applied")
		Expect(pod.proven(ctx)()).NotTo(Equal(corev1.ConditionTrue))
	})
})
