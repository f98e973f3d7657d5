package controllers_test

import (
	"context"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// publishForeignKey is what an attacker with edit rights does: a key of his own beside those that are published, and, if he says
// so, nobody may write the ConfigMap any more.
func publishForeignKey(ctx context.Context, server *v1alpha1.MCPServer, immutable bool) keys.Private {
	GinkgoHelper()
	his, err := keys.Generate(keys.EdDSA)
	Expect(err).NotTo(HaveOccurred())
	list := &corev1.ConfigMap{}
	list.Namespace, list.Name = server.Namespace, desired.PublicKeysName(fresh(ctx, server))
	editObject(ctx, list, func() {
		set, err := keys.ParsePublic([]byte(list.Data["managed.jwks"]))
		Expect(err).NotTo(HaveOccurred())
		encoded, err := keys.MarshalPublic(append(set.Keys, his.Public()))
		Expect(err).NotTo(HaveOccurred())
		list.Data["managed.jwks"], list.Immutable = string(encoded), ptr.To(immutable)
	})
	return his
}

// mountedNow is the name of the object behind one of the gate's volumes in the Deployment.
func mountedNow(ctx context.Context, server *v1alpha1.MCPServer, volume string) string {
	GinkgoHelper()
	deployment, err := deploymentOf(ctx, server)()
	Expect(err).NotTo(HaveOccurred())
	for _, v := range deployment.Spec.Template.Spec.Volumes {
		switch {
		case v.Name != volume:
		case v.ConfigMap != nil:
			return v.ConfigMap.Name
		case v.Secret != nil:
			return v.Secret.SecretName
		default:
			return v.Projected.Sources[0].ConfigMap.Name
		}
	}
	Fail("no volume " + volume)
	return ""
}

var _ = Describe("What a gate has loaded", func() {
	It("is no key more than what is published, or the pod is taken out of service", func(ctx SpecContext) {
		o := start(testGateImage)
		s := &rotated{now: time.Now()}
		server, pod := proveUnwatched(ctx, o, minutely)
		s.MCPServer, s.pods = server, []*simulatedPod{pod}

		By("a foreign key that the gate has loaded before the ConfigMap was put right")
		his := publishForeignKey(ctx, server, false)
		pod.mount(ctx, server, pod.pod.Status.PodIP)
		Expect(s.answers(ctx, his)).To(HaveEach(http.StatusOK), "or there is nothing to be found")
		waitRounds(o, 1)
		o.finds(ctx, server, v1alpha1.ReasonGateConfigMismatch, "the key "+his.ID()+" of provider managed, which the operator has not published")
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(HaveField("Message", ContainSubstring("ConfigMap "+server.Name+"-jwks")))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionFalse))
		Expect(condition(ctx, server, v1alpha1.ConditionReady)()).To(say(metav1.ConditionFalse, v1alpha1.ReasonGateConfigMismatch))

		By("a kubelet that brings what is right")
		pod.mount(ctx, server, pod.pod.Status.PodIP)
		Expect(s.answers(ctx, his)).To(HaveEach(http.StatusUnauthorized))
		waitRounds(o, 2)
		o.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))
		Expect(fresh(ctx, server).Status.Renamed).To(BeEmpty())
	})

	It("is another key by a name that is published", func(ctx SpecContext) {
		o := start(testGateImage)
		server, pod := proveUnwatched(ctx, o, minutely)
		pod.says(func(s *admin.State) { s.Fingerprints["managed"][0] = strings.Repeat("0", 32) })
		waitRounds(o, 1)
		o.finds(ctx, server, v1alpha1.ReasonGateConfigMismatch, "of provider managed")
	})

	DescribeTable("is found to be", func(ctx SpecContext, words string, change func(*admin.State)) {
		o := start(testGateImage)
		server, pod := proveUnwatched(ctx, o, minutely)
		pod.says(change)
		waitRounds(o, 1)
		o.finds(ctx, server, v1alpha1.ReasonGateConfigMismatch, words)
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionFalse))
	},
		Entry("another configuration", "a configuration, which the operator has not published", func(s *admin.State) { s.ConfigSHA256 = "other" }),
		Entry("another list of revocations", "a list of revocations, which the operator has not published", func(s *admin.State) { s.RevokedSHA256 = "other" }),
		Entry("no list of revocations", "a list of revocations, which the operator has not published", func(s *admin.State) {
			s.RevokedSHA256, s.UptimeSeconds = "", 180
		}),
		Entry("one secret more", "the secret 0123456789abcdef, which the operator has not published", func(s *admin.State) { s.Secrets.Previous = "0123456789abcdef" }),
		Entry("a foreign secret", "the secret 0123456789abcdef, which the operator has not published", func(s *admin.State) { s.Secrets.Current = "0123456789abcdef" }),
	)

	It("may be what was published until a moment ago, and no longer", func(ctx SpecContext) {
		o := start(testGateImage)
		s := &rotated{now: time.Now()}
		server, pod := proveUnwatched(ctx, o, minutely)
		s.MCPServer, s.pods = server, []*simulatedPod{pod}
		stolen := s.signing(ctx)
		s.annotate(ctx, v1alpha1.AnnotationRevokeKey, stolen.ID())
		waitRounds(o, 1)
		o.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).NotTo(HaveField("Reason", v1alpha1.ReasonGateConfigMismatch))
		waitRounds(o, 4)
		o.finds(ctx, server, v1alpha1.ReasonGateConfigMismatch, "has still loaded the key "+stolen.ID())
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionFalse))
	})

	It("is not held against a gate by an operator that does not know what was published before it, for as long", func(ctx SpecContext) {
		server, pod := proveUnwatched(ctx, start(testGateImage), minutely)
		pod.says(func(s *admin.State) { s.ConfigSHA256 = "other" })
		restarted := start(testGateImage)
		restarted.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionUnknown, v1alpha1.ReasonGateNotConverged))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))
		waitRounds(restarted, 3)
		restarted.finds(ctx, server, v1alpha1.ReasonGateConfigMismatch, "a configuration")
	})

	It("is a key of nobody, also to an operator that has just begun", func(ctx SpecContext) {
		server, pod := proveUnwatched(ctx, start(testGateImage), minutely)
		his := publishForeignKey(ctx, server, false)
		pod.mount(ctx, server, pod.pod.Status.PodIP)
		start(testGateImage).finds(ctx, server, v1alpha1.ReasonGateConfigMismatch, his.ID()+" of provider managed, which the operator has not published")
	})
})

var _ = Describe("What is revoked while the rest of the spec is not carried out", func() {
	It("is taken out of what the operator has published, not out of what somebody has put there", func(ctx SpecContext) {
		o := start(testGateImage)
		s := &rotated{now: time.Now()}
		server, pod := proveUnwatched(ctx, o, minutely)
		s.MCPServer, s.pods = server, []*simulatedPod{pod}
		stolen := s.signing(ctx)
		putConfigMap(ctx, server.Namespace, server.Name+"-revoked", map[string]string{"revoked": "sub:mallory"})
		editObject(ctx, server, func() {
			server.Spec.Auth = &v1alpha1.Auth{
				Revoked: &v1alpha1.Revoked{ConfigMapRef: v1alpha1.ConfigMapKeyRef{Name: server.Name + "-revoked"}},
				Providers: []v1alpha1.Provider{{Name: "managed", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysManaged}}, {
					Name: "partner", Issuer: "https://partner.example.com", Audiences: []string{"tools"},
					Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysSecret, Secret: &v1alpha1.SecretKeys{Name: "lost", Keys: []string{"k"}, Format: v1alpha1.FormatPEM}},
				}},
			}
		})
		his := publishForeignKey(ctx, server, false)
		s.annotate(ctx, v1alpha1.AnnotationRevokeKey, stolen.ID())
		o.act(ctx, server)
		published := configMap(ctx, server, "-jwks")
		Expect(string(published["managed.jwks"])).NotTo(Or(ContainSubstring(stolen.ID()), ContainSubstring(his.ID())))
		Expect(string(published["revoked"])).To(HavePrefix("sub:mallory"))
		Expect(condition(ctx, server, v1alpha1.ConditionKeysReady)()).To(And(say(metav1.ConditionFalse, v1alpha1.ReasonKeyMissing),
			HaveField("Message", ContainSubstring("is no longer published"))))

		By("a gate that has loaded it")
		pod.mount(ctx, server, pod.pod.Status.PodIP)
		waitRounds(o, 4)
		o.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))

		By("somebody who puts it back")
		before := published["managed.jwks"]
		list := &corev1.ConfigMap{}
		list.Namespace, list.Name = server.Namespace, server.Name+"-jwks"
		editObject(ctx, list, func() {
			encoded, err := keys.MarshalPublic([]keys.Public{stolen.Public()})
			Expect(err).NotTo(HaveOccurred())
			list.Data["managed.jwks"] = string(encoded)
		})
		o.build(ctx, server)
		Expect(configMap(ctx, server, "-jwks")["managed.jwks"]).To(Equal(before))
	})

	It("reaches no gate that mounts an immutable object, and nobody is told that it does", func(ctx SpecContext) {
		o := start(testGateImage)
		s := &rotated{now: time.Now()}
		server, pod := proveUnwatched(ctx, o, minutely)
		s.MCPServer, s.pods = server, []*simulatedPod{pod}
		stolen := s.signing(ctx)
		editObject(ctx, server, func() {
			server.Spec.Auth = &v1alpha1.Auth{Revoked: &v1alpha1.Revoked{ConfigMapRef: v1alpha1.ConfigMapKeyRef{Name: "lost"}}}
		})
		for name, object := range map[string]client.Object{"-keys": &corev1.Secret{}, "-jwks": &corev1.ConfigMap{}} {
			object.SetNamespace(server.Namespace)
			object.SetName(server.Name + name)
			editObject(ctx, object, func() { makeImmutable(object) })
		}
		s.annotate(ctx, v1alpha1.AnnotationRevokeKey, stolen.ID())
		_, err := o.builder.Reconcile(ctx, fresh(ctx, server))
		Expect(err).To(MatchError(ContainSubstring("ConfigMap " + server.Name + "-jwks was made immutable")))
		Expect(fresh(ctx, server).Status.Renamed).To(ConsistOf(HaveField("Name", server.Name+"-keys")), "nobody mounts that one")
		Expect(s.phases(ctx)).To(Equal("Revoked Signing"))
		Expect(condition(ctx, server, v1alpha1.ConditionKeysReady)()).To(And(say(metav1.ConditionFalse, v1alpha1.ReasonKeyRevoked),
			HaveField("Message", ContainSubstring("may be published still"))))

		By("the spec mended")
		editObject(ctx, server, func() { server.Spec.Auth = nil })
		o.build(ctx, server)
		Expect(string(configMap(ctx, server, strings.TrimPrefix(mountedNow(ctx, server, "gatehouse-keys"), server.Name))["managed.jwks"])).NotTo(ContainSubstring(stolen.ID()))
	})
})

var _ = Describe("An object that was made immutable", func() {
	It("with a foreign key in it gets another name, and pods that mount that one are right", func(ctx SpecContext) {
		o := start(testGateImage)
		s := &rotated{now: time.Now()}
		server, pod := proveUnwatched(ctx, o, minutely)
		s.MCPServer, s.pods = server, []*simulatedPod{pod}
		his := publishForeignKey(ctx, server, true)
		pod.mount(ctx, server, pod.pod.Status.PodIP)
		Expect(s.answers(ctx, his)).To(HaveEach(http.StatusOK))

		o.finds(ctx, server, v1alpha1.ReasonGateConfigMismatch, his.ID()) // no round was due but for this
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(HaveField("Message", ContainSubstring("from ConfigMap "+server.Name+"-jwks:")))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionFalse))
		renamed := fresh(ctx, server).Status.Renamed
		Expect(renamed).To(ConsistOf(And(HaveField("Name", server.Name+"-jwks"), HaveField("NewName", MatchRegexp("^"+server.Name+"-jwks-[a-z2-7]{6}$")))))
		name := renamed[0].NewName
		Expect(mountedNow(ctx, server, "gatehouse-keys")).To(Equal(name))
		Expect(string(configMap(ctx, server, strings.TrimPrefix(name, server.Name))["managed.jwks"])).NotTo(ContainSubstring(his.ID()))
		Expect(eventsOf(ctx, server)()).To(ContainElement(And(
			HaveField("Reason", v1alpha1.EventObjectRenamed), HaveField("Note", ContainSubstring(name)), HaveField("Regarding.Name", server.Name))))
		Expect(condition(ctx, server, v1alpha1.ConditionAccepted)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonAccepted))

		By("a pod of the new template")
		s.pods = append(s.pods, startPod(ctx, server))
		Expect(s.answers(ctx, his)).To(Equal([]int{http.StatusOK, http.StatusUnauthorized}))
		Expect(k8s.Delete(ctx, pod.pod, client.GracePeriodSeconds(0))).To(Succeed())
		o.act(ctx, server)
		Expect(s.pods[1].proven(ctx)()).To(Equal(corev1.ConditionTrue))
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))

		By("one more look, and another operator, which change nothing")
		before := fresh(ctx, server)
		start(testGateImage).build(ctx, server)
		Expect(fresh(ctx, server).Status.Renamed).To(Equal(before.Status.Renamed))
		Expect(mountedNow(ctx, server, "gatehouse-keys")).To(Equal(name))
	})

	DescribeTable("gets another name at once if gates mount it", func(ctx SpecContext, suffix, volume string, object client.Object) {
		o := start(testGateImage)
		server, _ := proveUnwatched(ctx, o, minutely)
		Expect(fetch(ctx, server, object, suffix)).To(Succeed())
		before := dataOf(object)
		editObject(ctx, object, func() { makeImmutable(object) })
		o.build(ctx, server)
		renamed := fresh(ctx, server).Status.Renamed
		Expect(renamed).To(HaveLen(1))
		Expect(mountedNow(ctx, server, volume)).To(Equal(renamed[0].NewName))
		object.SetName("")
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: renamed[0].NewName}, object)).To(Succeed())
		Expect(dataOf(object)).To(Equal(before), "nothing is lost")
		Expect(metav1.IsControlledBy(object, server)).To(BeTrue())

		By("doing it again at once: the new name stays for a minute")
		editObject(ctx, object, func() { makeImmutable(object) })
		o.build(ctx, server)
		expectAccepted(ctx, server, v1alpha1.ReasonObjectTampered, "gets another in")
		Expect(fresh(ctx, server).Status.Renamed).To(Equal(renamed))
		o.builder.Now = func() time.Time { return time.Now().Add(2 * time.Minute) }
		o.build(ctx, server)
		Expect(fresh(ctx, server).Status.Renamed).To(HaveLen(2))
		Expect(mountedNow(ctx, server, volume)).To(Equal(fresh(ctx, server).Status.Renamed[1].NewName))
		Expect(condition(ctx, server, v1alpha1.ConditionAccepted)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonAccepted))
	},
		Entry("the public keys", "-jwks", "gatehouse-keys", &corev1.ConfigMap{}),
		Entry("the configuration", "-authproxy", "gatehouse-config", &corev1.ConfigMap{}),
		Entry("the gate's secret", "-gate", "gatehouse-secret", &corev1.Secret{}),
	)

	It("keeps its name while it is right, if it is the Secret of private keys, and loses no key when it is replaced", func(ctx SpecContext) {
		s := proveRotated(ctx, start(testGateImage), 1)
		older, secretOf := s.signing(ctx), func() string { return desired.KeysSecretName(fresh(ctx, s.MCPServer)) }
		object := &corev1.Secret{}
		Expect(fetch(ctx, s.MCPServer, object, "-keys")).To(Succeed())
		editObject(ctx, object, func() { object.Immutable = ptr.To(true) })
		s.act(ctx, start(testGateImage))
		Expect(secretOf()).To(Equal(s.Name + "-keys"))
		Expect(condition(ctx, s.MCPServer, v1alpha1.ConditionReady)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonReady))

		By("asking for a new key")
		s.annotate(ctx, v1alpha1.AnnotationRotateKeys, "now")
		s.act(ctx, start(testGateImage))
		Expect(secretOf()).To(HavePrefix(s.Name + "-keys-"))
		Expect(s.phases(ctx)).To(Equal("Signing Published"))
		stored := secretData(ctx, s.MCPServer, strings.TrimPrefix(secretOf(), s.Name))
		set, err := keys.ParsePrivate(stored["managed.jwks"])
		Expect(err).NotTo(HaveOccurred())
		Expect(set[0].ID()).To(Equal(older.ID()))
		s.mount(ctx)
		Expect(s.answers(ctx, older)).To(HaveEach(http.StatusOK))
		s.act(ctx, start(testGateImage))
		Expect(s.answers(ctx, older)).To(HaveEach(http.StatusOK))

		By("revoking it")
		s.annotate(ctx, v1alpha1.AnnotationRevokeKey, older.ID())
		s.act(ctx, start(testGateImage))
		s.mount(ctx)
		Expect(s.answers(ctx, older)).To(HaveEach(http.StatusUnauthorized))
	})

	It("by a policy, which would have it for the next one too, gets no other name", func(ctx SpecContext) {
		server, _ := proveUnwatched(ctx, start(testGateImage))
		patched(ctx, "", "configmaps", `{op: "add", path: "/immutable", value: true}`)
		list := &corev1.ConfigMap{}
		Expect(fetch(ctx, server, list, "-jwks")).To(Succeed())
		editObject(ctx, list, func() { list.Immutable = ptr.To(true) })
		start(testGateImage).build(ctx, server)
		expectAccepted(ctx, server, v1alpha1.ReasonObjectTampered, "on its way into the API server immutable is changed from false to true")
		Expect(fresh(ctx, server).Status.Renamed).To(BeEmpty())
	})

	It("and was made anew by its old name gets another one, as gates still have what nodes keep", func(ctx SpecContext) {
		o := start(testGateImage)
		server, pod := proveUnwatched(ctx, o, minutely)
		his := publishForeignKey(ctx, server, true)
		pod.mount(ctx, server, pod.pod.Status.PodIP)
		list := &corev1.ConfigMap{}
		Expect(fetch(ctx, server, list, "-jwks")).To(Succeed())
		Expect(k8s.Delete(ctx, list)).To(Succeed()) // before the operator has seen it
		o.build(ctx, server)
		Expect(fresh(ctx, server).Status.Renamed).To(BeEmpty())
		Expect(string(configMap(ctx, server, "-jwks")["managed.jwks"])).NotTo(ContainSubstring(his.ID()))

		waitRounds(o, 1)
		o.finds(ctx, server, v1alpha1.ReasonGateConfigMismatch, his.ID())
		Expect(fresh(ctx, server).Status.Renamed).To(BeEmpty(), "it may be a kubelet that takes its time")
		o.builder.Now = func() time.Time { return time.Now().Add(65*time.Second + 31*time.Second) }
		o.build(ctx, server)
		Expect(fresh(ctx, server).Status.Renamed).To(HaveLen(1))
		Expect(mountedNow(ctx, server, "gatehouse-keys")).To(Equal(fresh(ctx, server).Status.Renamed[0].NewName))

		By("a pod of the new template")
		next := startPod(ctx, server)
		Expect(k8s.Delete(ctx, pod.pod, client.GracePeriodSeconds(0))).To(Succeed())
		waitRounds(o, 3)
		o.act(ctx, server)
		Expect(next.proven(ctx)()).To(Equal(corev1.ConditionTrue))
		o.builder.Now = func() time.Time { return time.Now().Add(time.Hour) }
		o.build(ctx, server)
		Expect(fresh(ctx, server).Status.Renamed).To(HaveLen(1), "nothing is wrong with that one")
	})

	It("does not have a revoked key told to be published no more before it is so", func(ctx SpecContext) {
		o := start(testGateImage)
		server, _ := proveUnwatched(ctx, o, minutely)
		s := &rotated{MCPServer: server, now: time.Now()}
		stolen := s.signing(ctx)
		patched(ctx, "", "configmaps", `{op: "add", path: "/data/managed.jwks", value: "{}"}`)
		s.annotate(ctx, v1alpha1.AnnotationRevokeKey, stolen.ID())
		o.build(ctx, server) // The Secret is written, and the ConfigMap is not as it must be.
		o.build(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionKeysReady)()).To(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonKeyRevoked), HaveField("Message", And(
				ContainSubstring("may be published still"), Not(ContainSubstring("is no longer published"))))))
	})
})

func makeImmutable(object client.Object) {
	switch typed := object.(type) {
	case *corev1.ConfigMap:
		typed.Immutable = ptr.To(true)
	case *corev1.Secret:
		typed.Immutable = ptr.To(true)
	}
}

func dataOf(object client.Object) any {
	if typed, ok := object.(*corev1.Secret); ok {
		return typed.Data
	}
	return object.(*corev1.ConfigMap).Data
}
