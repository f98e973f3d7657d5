package controllers_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// newCertificate gives a certificate for nobody, and its key, in PEM.
func newCertificate() (chain, key []byte) { return certificateUntil(time.Now().Add(time.Hour)) }

func certificateUntil(end time.Time) (chain, key []byte) {
	GinkgoHelper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: end.Add(-2 * time.Hour), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	Expect(err).NotTo(HaveOccurred())
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	Expect(err).NotTo(HaveOccurred())
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}

// putConfigMap makes a ConfigMap, or changes it.
func putConfigMap(ctx context.Context, namespace, name string, data map[string]string) {
	GinkgoHelper()
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}, Data: data}
	if k8s.Create(ctx, object) != nil {
		Expect(k8s.Update(ctx, object)).To(Succeed())
	}
}

var _ = Describe("What a token may do", func() {
	It("follows the list of revoked tokens, and says which line is none", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		server.Spec.Auth = &v1alpha1.Auth{Revoked: &v1alpha1.Revoked{ConfigMapRef: v1alpha1.ConfigMapKeyRef{Name: "lost"}}}
		Expect(k8s.Create(ctx, server)).To(Succeed())
		accepted := condition(ctx, server, v1alpha1.ConditionAccepted)
		Eventually(accepted).Should(And(say(metav1.ConditionFalse, v1alpha1.ReasonRevocationsUnusable),
			HaveField("Message", ContainSubstring("spec.auth.revoked.configMapRef.name: there is no ConfigMap lost"))))
		putConfigMap(ctx, server.Namespace, "lost", map[string]string{"other": ""})
		Eventually(accepted).Should(HaveField("Message", ContainSubstring("has no data key revoked")))
		putConfigMap(ctx, server.Namespace, "lost", map[string]string{"revoked": "sub:mallory\nmallory\n"})
		Eventually(accepted).Should(HaveField("Message", ContainSubstring("line 2")))

		putConfigMap(ctx, server.Namespace, "lost", map[string]string{"revoked": "sub:mallory"})
		Eventually(accepted).Should(say(metav1.ConditionTrue, v1alpha1.ReasonAccepted))
		uid := string(fresh(ctx, server).UID)
		sentinel := "jti:gatehouse-probe-revoked-" + uid + "\nsub:gatehouse-probe-revoked-" + uid +
			"\nissuedBefore:9999-12-31T23:59:59Z gatehouse-probe-outdated-" + uid + "\n"
		Expect(configMap(ctx, server, "-jwks")["revoked"]).To(BeEquivalentTo("sub:mallory\n" + sentinel))

		By("what can be used of a list with faults is in force beside the last good one")
		putConfigMap(ctx, server.Namespace, "lost", map[string]string{"revoked": "jit:1\nsub:eve"})
		Eventually(func() string { return string(configMap(ctx, server, "-jwks")["revoked"]) }).Should(Equal("sub:mallory\nsub:eve\n" + sentinel))
		Eventually(accepted).Should(And(say(metav1.ConditionFalse, v1alpha1.ReasonRevocationsUnusable), HaveField("Message", ContainSubstring("line 1"))))
		putConfigMap(ctx, server.Namespace, "lost", map[string]string{"revoked": ""})
		Eventually(func() string { return string(configMap(ctx, server, "-jwks")["revoked"]) }).Should(Equal(sentinel))
	})

	It("follows the list of revoked tokens also while the rest of the spec cannot be carried out", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		list := func(name string) *v1alpha1.Revoked {
			return &v1alpha1.Revoked{ConfigMapRef: v1alpha1.ConfigMapKeyRef{Name: name}}
		}
		putConfigMap(ctx, server.Namespace, "first", map[string]string{"revoked": "sub:mallory"})
		server.Spec.Auth = &v1alpha1.Auth{Revoked: list("first")}
		Expect(k8s.Create(ctx, server)).To(Succeed())
		published := func() string {
			found := &corev1.ConfigMap{}
			_ = fetch(ctx, server, found, "-jwks")
			text, _, _ := strings.Cut(found.Data["revoked"], "jti:gatehouse-probe")
			return text
		}
		Eventually(published).Should(Equal("sub:mallory\n"))

		By("a line on the list of the spec in force")
		editObject(ctx, server, func() {
			server.Spec.Gate = &v1alpha1.Gate{TLS: &v1alpha1.GateTLS{SecretRef: v1alpha1.LocalSecretRef{Name: "lost"}}}
		})
		accepted := condition(ctx, server, v1alpha1.ConditionAccepted)
		Eventually(accepted).Should(say(metav1.ConditionFalse, v1alpha1.ReasonCertificateUnusable))
		putConfigMap(ctx, server.Namespace, "first", map[string]string{"revoked": "sub:mallory\nsub:eve"})
		Eventually(published).Should(Equal("sub:mallory\nsub:eve\n"))

		By("another list, which is named in that spec: what was revoked stays so")
		putConfigMap(ctx, server.Namespace, "second", map[string]string{"revoked": "sub:trudy"})
		editObject(ctx, server, func() { server.Spec.Auth.Revoked = list("second") })
		Eventually(published).Should(Equal("sub:mallory\nsub:eve\nsub:trudy\n"))
		putConfigMap(ctx, server.Namespace, "second", map[string]string{"revoked": "trudy"})
		Eventually(published).Should(Equal("sub:mallory\nsub:eve\n"))
		editObject(ctx, server, func() { server.Spec.Auth.Revoked = list("first") })
		Expect(k8s.Delete(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: server.Namespace, Name: "first"}})).To(Succeed())
		Eventually(condition(ctx, server, v1alpha1.ConditionAccepted)).Should(HaveField("Status", metav1.ConditionFalse))
		Consistently(published, "500ms").Should(Equal("sub:mallory\nsub:eve\n"), "it was lost")

		By("mending the slip")
		putConfigMap(ctx, server.Namespace, "first", map[string]string{"revoked": "sub:mallory"})
		editObject(ctx, server, func() { server.Spec.Gate = nil })
		Eventually(published).Should(Equal("sub:mallory\n"))
		Eventually(accepted).Should(say(metav1.ConditionTrue, v1alpha1.ReasonAccepted))
	})

	It("is proven where rules bind even the prober", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		server.Spec.Auth = &v1alpha1.Auth{Authorization: &v1alpha1.Authorization{
			RequiredScopes: []string{"mcp"}, DefaultAction: v1alpha1.ActionDeny,
			Rules: []v1alpha1.Rule{{
				Methods: []string{"tools/list"}, Tools: []string{"echo"}, Scopes: []string{"tools"},
				Claims: []v1alpha1.ClaimMatch{{Name: "group", Values: []string{"staff"}}},
			}},
		}}
		Expect(k8s.Create(ctx, server)).To(Succeed())
		pod := startPod(ctx, server)
		Eventually(pod.proven(ctx)).Should(Equal(corev1.ConditionTrue))
	})
})

var _ = Describe("A gate with TLS", func() {
	It("says what is wrong with its certificate, and is proven by the one that it shows", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		server.Spec.Gate = &v1alpha1.Gate{TLS: &v1alpha1.GateTLS{SecretRef: v1alpha1.LocalSecretRef{Name: "brought"}}}
		Expect(k8s.Create(ctx, server)).To(Succeed())
		accepted := condition(ctx, server, v1alpha1.ConditionAccepted)
		Eventually(accepted).Should(And(say(metav1.ConditionFalse, v1alpha1.ReasonCertificateUnusable),
			HaveField("Message", ContainSubstring("spec.gate.tls.secretRef.name: there is no Secret brought"))))
		chain, key := newCertificate()
		bring(ctx, server.Namespace, map[string][]byte{"tls.crt": chain, "tls.key": []byte("none")})
		Eventually(accepted).Should(HaveField("Message", ContainSubstring("has no certificate in tls.crt with its key")))
		bring(ctx, server.Namespace, map[string][]byte{"tls.crt": chain, "tls.key": key})
		Eventually(accepted).Should(say(metav1.ConditionTrue, v1alpha1.ReasonAccepted))

		Expect(fresh(ctx, server).Status.Address.URL).To(HavePrefix("https://x."))
		pod := startPod(ctx, server)
		Eventually(pod.proven(ctx)).Should(Equal(corev1.ConditionTrue))
	})

	It("says that its certificate has expired, and keeps its traffic", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		server.Spec.Gate = &v1alpha1.Gate{TLS: &v1alpha1.GateTLS{SecretRef: v1alpha1.LocalSecretRef{Name: "brought"}}}
		chain, key := certificateUntil(time.Now().Add(-time.Minute))
		bring(ctx, server.Namespace, map[string][]byte{"tls.crt": chain, "tls.key": key})
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(condition(ctx, server, v1alpha1.ConditionAccepted)).Should(say(metav1.ConditionTrue, v1alpha1.ReasonAccepted))
		pod := startPod(ctx, server)
		Eventually(condition(ctx, server, v1alpha1.ConditionAuthHealthy)).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonCertificateExpired), HaveField("Message", ContainSubstring("Renew Secret brought"))))
		Eventually(pod.proven(ctx)).Should(Equal(corev1.ConditionTrue))
	})
})
