package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"
	kstatus "sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// editObject changes an object as a user does who tries again on a conflict.
func editObject(ctx context.Context, object client.Object, change func()) {
	GinkgoHelper()
	Expect(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		if err := k8s.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			return err
		}
		change()
		return k8s.Update(ctx, object)
	})).To(Succeed())
}

func deploymentOf(ctx context.Context, server *v1alpha1.MCPServer) func() (*appsv1.Deployment, error) {
	return func() (*appsv1.Deployment, error) {
		deployment := &appsv1.Deployment{}
		err := fetch(ctx, server, deployment, "")
		return deployment, err
	}
}

// hiding is a client to which some objects are not there yet.
type hiding struct {
	client.Client
	hides func(client.ObjectKey) bool
}

func (h hiding) Get(ctx context.Context, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	if h.hides(key) {
		return apierrors.NewNotFound(corev1.Resource("objects"), key.Name)
	}
	return h.Client.Get(ctx, key, object, options...)
}

// templateOf is what the pods of a Deployment are made from.
const templateOf = "Spec.Template.Spec."

var _ = Describe("The objects of an MCPServer", func() {
	It("lose what is taken out of its spec, and keep what others have put there", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		server.Spec.Env = []corev1.EnvVar{{Name: "KEPT", Value: "1"}, {Name: "REMOVED", Value: "2"}}
		server.Spec.Resources = &corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")}}
		server.Spec.HealthPath = "/health"
		server.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "registry"}}
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(deploymentOf(ctx, server)).Should(HaveField(templateOf+"Containers", ConsistOf(And(
			HaveField("Env", HaveLen(2)), HaveField("Resources.Limits", HaveLen(1)), HaveField("LivenessProbe", Not(BeNil()))))))

		deployment, err := deploymentOf(ctx, server)()
		Expect(err).NotTo(HaveOccurred())
		editObject(ctx, deployment, func() {
			metav1.SetMetaDataAnnotation(&deployment.ObjectMeta, "example.com/note", "by somebody")
			metav1.SetMetaDataLabel(&deployment.ObjectMeta, "team", "tools")
			metav1.SetMetaDataAnnotation(&deployment.Spec.Template.ObjectMeta, "kubectl.kubernetes.io/restartedAt", "2026-11-24T00:00:00Z")
			deployment.Spec.Replicas = ptr.To(int32(5))
		})
		editObject(ctx, server, func() {
			server.Spec.Env = server.Spec.Env[:1]
			server.Spec.Resources, server.Spec.HealthPath, server.Spec.ImagePullSecrets = nil, "", nil
		})

		Eventually(deploymentOf(ctx, server)).Should(And(
			HaveField(templateOf+"Containers", ConsistOf(And(
				HaveField("Env", ConsistOf(HaveField("Name", "KEPT"))), HaveField("Resources.Limits", BeEmpty()), HaveField("LivenessProbe", BeNil())))),
			HaveField(templateOf+"ImagePullSecrets", BeEmpty()),
			HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(1))), // scale the MCPServer, not the Deployment
			HaveField("Annotations", HaveKey("example.com/note")),
			HaveField("Labels", And(HaveKey("team"), HaveKeyWithValue(v1alpha1.LabelServer, "x"))),
			HaveField("Spec.Template.Annotations", HaveKey("kubectl.kubernetes.io/restartedAt")), // kubectl rollout restart
		))
	})

	It("lose what is taken out of its spec while no operator runs", func(ctx SpecContext) {
		server := newUnwatched(ctx, func(s *v1alpha1.MCPServer) {
			s.Spec.Env = []corev1.EnvVar{{Name: "KEPT", Value: "1"}, {Name: "REMOVED", Value: "2"}}
		})
		start(testGateImage).build(ctx, server)
		editObject(ctx, server, func() { server.Spec.Env = server.Spec.Env[:1] })
		start(testGateImage).build(ctx, server)
		Expect(deploymentOf(ctx, server)()).To(HaveField(templateOf+"Containers", ConsistOf(
			HaveField("Env", ConsistOf(HaveField("Name", "KEPT"))))))
	})

	It("are not replaced where a key was made since somebody looked for one", func(ctx SpecContext) {
		server := newUnwatched(ctx)
		start(testGateImage).build(ctx, server)
		keys := client.ObjectKey{Namespace: unwatched, Name: server.Name + "-keys"}
		before, after := &corev1.Secret{}, &corev1.Secret{}
		Expect(k8s.Get(ctx, keys, before)).To(Succeed())

		slow, looks := start(testGateImage), 0
		slow.builder.Client = hiding{slow.builder.Client, func(key client.ObjectKey) bool { return key == keys }}
		slow.builder.Live = hiding{k8s, func(key client.ObjectKey) bool {
			if key == keys {
				looks++
			}
			return key == keys && looks == 1
		}}
		result, err := slow.builder.Reconcile(ctx, fresh(ctx, server))
		Expect(err).NotTo(HaveOccurred())
		Expect(result.RequeueAfter).To(Equal(time.Second))
		Expect(k8s.Get(ctx, keys, after)).To(Succeed())
		Expect(after.Data).To(Equal(before.Data))
	})

	It("follow the scale of the MCPServer, which tells what an autoscaler asks", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(deploymentOf(ctx, server)).Should(HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(1))))
		scale := &autoscalingv1.Scale{}
		Eventually(func() (autoscalingv1.ScaleStatus, error) {
			err := k8s.SubResource("scale").Get(ctx, server, scale)
			return scale.Status, err
		}).Should(HaveField("Selector", v1alpha1.LabelServer+"=x"))
		scale.Spec.Replicas = 3
		Expect(k8s.SubResource("scale").Update(ctx, server, client.WithSubResourceBody(scale))).To(Succeed())
		Eventually(deploymentOf(ctx, server)).Should(HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(3))))
		available(ctx, server, 3, 2)
		Eventually(func() (int32, error) {
			err := k8s.SubResource("scale").Get(ctx, server, scale)
			return scale.Status.Replicas, err
		}).Should(BeEquivalentTo(3))
	})

	It("that the API server refuses are in the status, with its words", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		server.Spec.Resources = &corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2")},
			Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")},
		}
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(condition(ctx, server, v1alpha1.ConditionAccepted)).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonObjectRefused),
			HaveField("Message", And(ContainSubstring("Deployment x"), ContainSubstring("must be less than or equal to cpu limit")))))
		Expect(judgedBy(ctx, server)()).To(Equal(kstatus.FailedStatus))
		editObject(ctx, server, func() { server.Spec.Resources = nil })
		Eventually(condition(ctx, server, v1alpha1.ConditionAccepted)).Should(say(metav1.ConditionTrue, v1alpha1.ReasonAccepted))
	})

	It("that may not become pods are in the status as well", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(deploymentOf(ctx, server)).ShouldNot(BeNil())
		deployment, err := deploymentOf(ctx, server)()
		Expect(err).NotTo(HaveOccurred())
		before := deployment.DeepCopy()
		deployment.Status = appsv1.DeploymentStatus{ObservedGeneration: deployment.Generation, Conditions: []appsv1.DeploymentCondition{{
			Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate",
			Message: `pods "x-5d4f" is forbidden: exceeded quota: small, requested: pods=1, used: pods=3, limited: pods=3`,
		}}}
		Expect(k8s.Status().Patch(ctx, deployment, client.MergeFrom(before))).To(Succeed())
		Eventually(condition(ctx, server, v1alpha1.ConditionAvailable)).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonPodsRefused), HaveField("Message", ContainSubstring("exceeded quota"))))
	})
})
