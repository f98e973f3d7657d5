//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/test/forgery"
)

var _ = Describe("A forged record of a template", Serial, Label("leaks"), func() {
	It("is not believed while an upgrade waits: no pod of it gets into service", func(ctx SpecContext) {
		story := newStory(ctx)
		first := create(ctx, fake(story, "opens-first")) // its next gate is open, and so never proven
		server := create(ctx, fake(story, "waits"))
		i := intrude(ctx, server)
		changeOperator(ctx, func(c *corev1.Container) {
			c.Args = append(c.Args, "--max-concurrent-upgrades=1")
			for e := range c.Env {
				if c.Env[e].Name == "AUTHPROXY_IMAGE" {
					c.Env[e].Value = gateWithSwitchImage
				}
			}
		})
		eventually(ctx, first, v1alpha1.ConditionAuthHealthy).Should(say(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted))
		eventually(ctx, server, v1alpha1.ConditionReconciling).Should(say(metav1.ConditionTrue, v1alpha1.ReasonUpgradePending))

		i.copyKeys(ctx, "mine")
		i.begun = time.Now()
		deployment := deploymentOf(server)
		edit(ctx, deployment, func() {
			for v := range deployment.Spec.Template.Spec.Volumes {
				if volume := &deployment.Spec.Template.Spec.Volumes[v]; volume.Name == "gatehouse-keys" {
					volume.Projected.Sources[0].ConfigMap.Name = "mine"
				}
			}
			record, err := forgery.Record(deployment.Spec.Template)
			Expect(err).NotTo(HaveOccurred())
			deployment.Annotations[v1alpha1.AnnotationTemplate] = record
		})
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(deployment), deployment)).To(Succeed())
			g.Expect(fmt.Sprint(deployment.Spec.Template.Spec.Volumes)).NotTo(ContainSubstring("mine"))
		}).WithContext(ctx).WithPolling(20 * time.Millisecond).Should(Succeed())
		i.note("the Deployment is put right")
		Eventually(notesOf).WithContext(ctx).WithArguments(server).Should(ContainElement(ContainSubstring("spec.template.spec.volumes")))
		i.note("an Event says so: %s", strings.Join(notesOf(ctx, server), "\n           "))
		atPods := 0
		Consistently(func(g Gomega) {
			g.Expect(i.atService(ctx).Status).To(Equal(http.StatusUnauthorized))
			letIn, _ := i.atPods(ctx)
			atPods = max(atPods, letIn)
		}, "30s").WithContext(ctx).Should(Succeed(), "he is let in where clients come")
		i.note("for 30 s the Service refused him; pods that let him in, all without traffic: %d", atPods)
		eventually(ctx, server, v1alpha1.ConditionReady).Should(HaveField("Status", metav1.ConditionTrue))
		answersAsItShould(ctx, server)
		AddReportEntry("a forged record", strings.Join(i.notes, "\n"))
		GinkgoWriter.Println(strings.Join(i.notes, "\n"))
	}, NodeTimeout(8*time.Minute))
})

var _ = Describe("Name servers that the operator did not choose", Serial, Label("leaks"), func() {
	It("go from the Deployment, and keep a pod out of the Service", func(ctx SpecContext) {
		server := fake(newStory(ctx), "resolves")
		server.Spec.Replicas = ptr.To(int32(2))
		create(ctx, server)
		begun := time.Now()
		var notes []string
		note := func(format string, args ...any) {
			notes = append(notes, fmt.Sprintf("%5.1f s  %s", time.Since(begun).Seconds(), fmt.Sprintf(format, args...)))
		}

		By("an edit of the Deployment")
		deployment := deploymentOf(server)
		edit(ctx, deployment, func() {
			spec := &deployment.Spec.Template.Spec
			spec.DNSPolicy, spec.DNSConfig = corev1.DNSNone, &corev1.PodDNSConfig{Nameservers: []string{"192.0.2.1"}}
		})
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(deployment), deployment)).To(Succeed())
			g.Expect(deployment.Spec.Template.Spec.DNSConfig).To(BeNil())
			g.Expect(deployment.Spec.Template.Spec.DNSPolicy).To(Equal(corev1.DNSClusterFirst))
		}).WithContext(ctx).WithPolling(20 * time.Millisecond).Should(Succeed())
		note("the Deployment is put right")
		Eventually(notesOf).WithContext(ctx).WithArguments(server).Should(ContainElement(ContainSubstring("dnsConfig")))
		note("an Event says so: %s", strings.Join(notesOf(ctx, server), "\n           "))
		becomesHealthy(ctx, server)

		By("an admission policy on pods")
		nameServersOf(ctx, server)
		Expect(k8s.Delete(ctx, &podsOf(ctx, server)[0])).To(Succeed())
		begun = time.Now()
		eventually(ctx, server, v1alpha1.ConditionAuthHealthy).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonPodTampered), HaveField("Message", ContainSubstring("dnsConfig"))))
		note("AuthHealthy is False, PodTampered: %s", conditionOf(server, v1alpha1.ConditionAuthHealthy).Message)
		for _, pod := range podsOf(ctx, server) {
			if pod.Spec.DNSPolicy == corev1.DNSNone {
				pod := pod
				Consistently(isReady, "10s").WithContext(ctx).WithArguments(&pod).Should(BeFalse())
				note("pod %s has never been ready", pod.Name)
			}
		}
		AddReportEntry("other name servers", strings.Join(notes, "\n"))
		GinkgoWriter.Println(strings.Join(notes, "\n"))
	}, NodeTimeout(8*time.Minute))
})

// copyKeys makes a ConfigMap of what is published, with the key of the intruder beside it.
func (i *intrusion) copyKeys(ctx context.Context, name string) {
	GinkgoHelper()
	published, mine := &corev1.ConfigMap{}, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: i.Namespace, Name: name}}
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: i.Namespace, Name: desired.PublicKeysName(i.MCPServer)}, published)).To(Succeed())
	set, err := keys.ParsePublic([]byte(published.Data["managed.jwks"]))
	Expect(err).NotTo(HaveOccurred())
	text, err := keys.MarshalPublic(append(set.Keys, i.key.Public()))
	Expect(err).NotTo(HaveOccurred())
	mine.Data = published.Data
	mine.Data["managed.jwks"] = string(text)
	Expect(k8s.Create(ctx, mine)).To(Succeed())
}

// notesOf are the Events about hand edits of a server's objects.
func notesOf(ctx context.Context, server *v1alpha1.MCPServer) []string {
	GinkgoHelper()
	var all eventsv1.EventList
	Expect(k8s.List(ctx, &all, client.InNamespace(server.Namespace))).To(Succeed())
	var notes []string
	for _, event := range all.Items {
		if event.Reason == v1alpha1.EventManualEditReverted && event.Regarding.Name == server.Name {
			notes = append(notes, event.Note)
		}
	}
	return notes
}

// nameServersOf has an admission policy give pods of the server's namespace other name servers, until the story ends.
func nameServersOf(ctx context.Context, server *v1alpha1.MCPServer) {
	GinkgoHelper()
	name := metav1.ObjectMeta{Name: "name-servers-" + server.Namespace}
	policy := &admissionv1.MutatingAdmissionPolicy{ObjectMeta: name, Spec: admissionv1.MutatingAdmissionPolicySpec{
		ReinvocationPolicy: admissionv1.NeverReinvocationPolicy,
		MatchConstraints: &admissionv1.MatchResources{
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: server.Namespace}},
			ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
				Operations: []admissionv1.OperationType{admissionv1.Create},
				Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
			}}},
		},
		Mutations: []admissionv1.Mutation{{PatchType: admissionv1.PatchTypeJSONPatch, JSONPatch: &admissionv1.JSONPatch{
			Expression: `[JSONPatch{op: "replace", path: "/spec/dnsPolicy", value: "None"},
				JSONPatch{op: "add", path: "/spec/dnsConfig", value: Object.spec.dnsConfig{nameservers: ["192.0.2.1"]}}]`,
		}}},
	}}
	binding := &admissionv1.MutatingAdmissionPolicyBinding{ObjectMeta: name, Spec: admissionv1.MutatingAdmissionPolicyBindingSpec{PolicyName: name.Name}}
	for _, object := range []client.Object{policy, binding} {
		Expect(k8s.Create(ctx, object)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(k8s.Delete(ctx, object))).To(Succeed()) })
	}
	// The API server reads policies from time to time.
	Eventually(func(g Gomega) {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: server.Namespace, Name: "asks"}, Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "a", Image: fakeImage, SecurityContext: restricted()}},
		}}
		g.Expect(k8s.Create(ctx, pod, client.DryRunAll)).To(Succeed())
		g.Expect(pod.Spec.DNSPolicy).To(Equal(corev1.DNSNone))
	}).WithContext(ctx).Should(Succeed())
}
