package controllers_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

var _ = Describe("The pods of an MCPServer", func() {
	It("are as the spec says, and as before when it says no more", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		server.Spec.Volumes = []v1alpha1.Volume{{Name: "data", EmptyDir: &corev1.EmptyDirVolumeSource{}}}
		server.Spec.VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
		server.Spec.Pod = &v1alpha1.Pod{
			Labels: map[string]string{"team": "tools"}, Annotations: map[string]string{"example.com/a": "b"},
			ServiceAccountName: "cloud", NodeSelector: map[string]string{"disk": "ssd"}, PriorityClassName: "high", RuntimeClassName: "gvisor",
			Tolerations:                   []corev1.Toleration{{Key: "tools", Operator: corev1.TolerationOpExists}},
			SecurityContext:               &v1alpha1.PodSecurityContext{RunAsUser: ptr.To(int64(1000)), SupplementalGroups: []int64{7}},
			TerminationGracePeriodSeconds: ptr.To(int64(100)),
		}
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(deploymentOf(ctx, server)).Should(HaveField("Spec.Template", And(
			HaveField("Labels", HaveKeyWithValue("team", "tools")), HaveField("Annotations", HaveKeyWithValue("example.com/a", "b")),
			HaveField("Spec", And(
				HaveField("ServiceAccountName", "cloud"), HaveField("AutomountServiceAccountToken", HaveValue(BeFalse())),
				HaveField("NodeSelector", HaveLen(1)), HaveField("PriorityClassName", "high"), HaveField("RuntimeClassName", HaveValue(Equal("gvisor"))),
				HaveField("Tolerations", HaveLen(1)), HaveField("TerminationGracePeriodSeconds", HaveValue(BeEquivalentTo(100))),
				HaveField("SecurityContext", And(HaveField("RunAsUser", HaveValue(BeEquivalentTo(1000))), HaveField("RunAsNonRoot", HaveValue(BeTrue())))),
				HaveField("Volumes", ContainElement(HaveField("Name", "data"))), HaveField("Containers", ConsistOf(HaveField("VolumeMounts", HaveLen(1)))))))))

		editObject(ctx, server, func() { server.Spec.Pod, server.Spec.Volumes, server.Spec.VolumeMounts = nil, nil, nil })
		Eventually(deploymentOf(ctx, server)).Should(HaveField("Spec.Template", And(
			HaveField("Labels", Not(HaveKey("team"))), HaveField("Annotations", Not(HaveKey("example.com/a"))),
			HaveField("Spec", And(
				HaveField("ServiceAccountName", "x"), HaveField("NodeSelector", BeEmpty()), HaveField("PriorityClassName", BeEmpty()),
				HaveField("RuntimeClassName", BeNil()), HaveField("Tolerations", BeEmpty()), HaveField("TerminationGracePeriodSeconds", HaveValue(BeEquivalentTo(50))),
				HaveField("SecurityContext.RunAsUser", BeNil()), HaveField("Volumes", Not(ContainElement(HaveField("Name", "data")))),
				HaveField("TopologySpreadConstraints", ConsistOf(HaveField("TopologyKey", corev1.LabelHostname))))))))
	})

	It("are replaced when the MCPServer is annotated so", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(deploymentOf(ctx, server)).Should(HaveField("Generation", BeEquivalentTo(1)))
		editObject(ctx, server, func() {
			metav1.SetMetaDataAnnotation(&server.ObjectMeta, v1alpha1.AnnotationRestartedAt, "2026-11-24T00:00:00Z")
		})
		Eventually(deploymentOf(ctx, server)).Should(And(HaveField("Generation", BeEquivalentTo(2)),
			HaveField("Spec.Template.Annotations", HaveKeyWithValue(v1alpha1.AnnotationRestartedAt, "2026-11-24T00:00:00Z"))))
	})

	It("are replaced when the secret changes that the server has read at its start", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		server.Spec.Profile, server.Spec.Quilt = v1alpha1.ProfileQuilt, &v1alpha1.Quilt{Release: v1alpha1.QuiltUpTo014}
		server.Spec.Env = []corev1.EnvVar{{Name: "QUILT_CATALOG_URL", Value: "u"}, {Name: "QUILT_REGISTRY_URL", Value: "u"}}
		server.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{{Name: "catalog", Keys: v1alpha1.ProviderKeys{
			Type: v1alpha1.KeysSecret, Secret: &v1alpha1.SecretKeys{Name: "shared", Keys: []string{"k"}, Format: v1alpha1.FormatSharedSecret}}}}}
		shared := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: server.Namespace, Name: "shared"},
			Data: map[string][]byte{"k": random(32)}}
		Expect(k8s.Create(ctx, shared)).To(Succeed())
		Expect(k8s.Create(ctx, server)).To(Succeed())
		var first string
		Eventually(deploymentOf(ctx, server)).Should(HaveField("Spec.Template.Annotations", HaveKeyWithValue(v1alpha1.AnnotationLentKey,
			WithTransform(func(id string) string { first = id; return id }, Not(BeEmpty())))))

		By("but not when only its labels do")
		editObject(ctx, shared, func() { shared.Labels = map[string]string{"a": "b"} })
		Consistently(deploymentOf(ctx, server)).WithTimeout(time.Second).Should(HaveField("Generation", BeEquivalentTo(1)))
		editObject(ctx, shared, func() { shared.Data["k"] = random(32) })
		Eventually(deploymentOf(ctx, server)).Should(And(HaveField("Generation", BeEquivalentTo(2)),
			HaveField("Spec.Template.Annotations", HaveKeyWithValue(v1alpha1.AnnotationLentKey, Not(Or(BeEmpty(), Equal(first)))))))
	})

	It("do not mount what would unlock them", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		server.Spec.Volumes = []v1alpha1.Volume{{Name: "data", Secret: &corev1.SecretVolumeSource{SecretName: "x-keys"}}}
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(condition(ctx, server, v1alpha1.ConditionAccepted)).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonGateBypass), HaveField("Message", ContainSubstring("volume data holds Secret x-keys"))))
	})
})
