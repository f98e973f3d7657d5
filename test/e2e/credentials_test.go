//go:build e2e

package e2e_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

var _ = Describe("What the prober goes by", Label("credentials"), func() {
	It("is the probe key for an issuer whose keys the gate fetches", func(ctx SpecContext) {
		key := generate()
		server := create(ctx, trusting(fake(newStory(ctx), "remote"), corp(ctx, clients[0], key)))
		tell(server)
		Expect(server).To(beTriedWith("Tried with the operator's probe key: corp; the keys of the issuer are loaded."))
		Expect(ask(ctx, listing(server, corpToken(key)))).To(beLetIn())
		Expect(ask(ctx, listing(server, corpToken(generate())))).To(refusedFor("unknown_key"))
	})

	It("is the probe key and a token of the operator's own ServiceAccount for those of the cluster", func(ctx SpecContext) {
		server := create(ctx, trusting(fake(newStory(ctx), "cluster"),
			v1alpha1.Provider{Name: "pods", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysCluster}}))
		tell(server)
		Expect(server).To(beTriedWith("Tried with the operator's probe key: pods; the keys of the issuer are loaded. " +
			"Tried with a token of the operator's own ServiceAccount: pods."))
		Expect(ask(ctx, listing(server, accountToken(ctx, server.Namespace, "gatehouse:"+server.Namespace+"/"+server.Name)))).To(beLetIn())
		Expect(ask(ctx, listing(server, accountToken(ctx, server.Namespace, "gatehouse:"+server.Namespace+"/another")))).To(refusedFor("wrong_audience"))
	})

	It("is a token that somebody brings, for a server that wants one", func(ctx SpecContext) {
		key := generate()
		server := forwarding(fake(newStory(ctx), "brought", "--fault=any-bearer"))
		server.Spec.Auth.Providers = []v1alpha1.Provider{corp(ctx, clients[0], key)}
		Expect(k8s.Create(ctx, server)).To(Succeed())
		eventually(ctx, server, v1alpha1.ConditionAuthHealthy).Should(And(say(metav1.ConditionUnknown, v1alpha1.ReasonProbeCredentialMissing),
			HaveField("Message", ContainSubstring("name that in authProbe.tokenSecretRef"))))
		tell(server)

		edit(ctx, server, func() {
			server.Spec.AuthProbe.Credential = v1alpha1.CredentialSecretRef
			server.Spec.AuthProbe.TokenSecretRef = &v1alpha1.TokenSecretRef{Name: "probe-token"}
		})
		eventually(ctx, server, v1alpha1.ConditionAuthHealthy).Should(And(say(metav1.ConditionUnknown, v1alpha1.ReasonProbeCredentialMissing),
			HaveField("Message", ContainSubstring("there is no Secret probe-token"))))
		tell(server)

		createSecret(ctx, server.Namespace, "probe-token", "token", []byte(corpToken(key)))
		becomesHealthy(ctx, server)
		tell(server)
		Expect(server).To(beTriedWith("Tried with the token of authProbe.tokenSecretRef: corp."))
		Expect(ask(ctx, listing(server, corpToken(key)))).To(beLetIn())
	})

	It("is the shared secret itself, for whom claims name", func(ctx SpecContext) {
		namespace, shared := newStory(ctx), make([]byte, 32)
		rand.Read(shared)
		createSecret(ctx, namespace, "shared", "current", shared)
		server := trusting(fake(namespace, "shared"), v1alpha1.Provider{Name: "shared", TokenTypes: []string{"JWT"}, Keys: v1alpha1.ProviderKeys{
			Type:   v1alpha1.KeysSecret,
			Secret: &v1alpha1.SecretKeys{Name: "shared", Keys: []string{"current"}, Format: v1alpha1.FormatSharedSecret},
		}})
		Expect(k8s.Create(ctx, server)).To(Succeed())
		eventually(ctx, server, v1alpha1.ConditionAuthHealthy).Should(And(say(metav1.ConditionUnknown, v1alpha1.ReasonProbeCredentialMissing),
			HaveField("Message", ContainSubstring("set authProbe.claims"))))
		tell(server)

		edit(ctx, server, func() { server.Spec.AuthProbe.Claims = map[string]v1alpha1.ClaimValue{"sub": "gatehouse-probe"} })
		becomesHealthy(ctx, server)
		tell(server)
		key, err := keys.NewShared(shared, keys.HS256)
		Expect(err).NotTo(HaveOccurred())
		bearer, err := token.Template{Key: key, Type: "JWT", Subject: "somebody", Lifetime: time.Hour}.Good(time.Now())
		Expect(err).NotTo(HaveOccurred())
		Expect(ask(ctx, listing(server, bearer))).To(beLetIn())
	})

	It("is nothing where that is asked for, and then nothing is proven", func(ctx SpecContext) {
		server := fake(newStory(ctx), "none")
		server.Spec.AuthProbe.Credential, server.Spec.AuthProbe.ReadinessGate = v1alpha1.CredentialNone, v1alpha1.ReadinessGateOff
		Expect(k8s.Create(ctx, server)).To(Succeed())
		eventually(ctx, server, v1alpha1.ConditionAvailable).Should(HaveField("Status", metav1.ConditionTrue))
		eventually(ctx, server, v1alpha1.ConditionAuthHealthy).Should(And(say(metav1.ConditionUnknown, v1alpha1.ReasonProbeCredentialMissing),
			HaveField("Message", ContainSubstring("authProbe.credential is None."))))
		tell(server)
		comesToAnswer(ctx, server)

		By("replacing its key by what the gate says of it")
		before := server.Status.Keys
		edit(ctx, server, func() {
			metav1.SetMetaDataAnnotation(&server.ObjectMeta, v1alpha1.AnnotationRotateKeys, "now")
		})
		eventually(ctx, server, v1alpha1.ConditionKeysReady).Should(say(metav1.ConditionTrue, v1alpha1.ReasonKeysRotating))
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
			g.Expect(server.Status.Keys).To(ContainElement(And(HaveField("Phase", v1alpha1.KeySigning), HaveField("KID", Not(Equal(before[0].KID))))))
		}).WithContext(ctx).Should(Succeed())
		answersAsItShould(ctx, server)
	})
})

var _ = Describe("An identity provider that is away", Label("credentials"), func() {
	It("keeps new pods from traffic, and takes nothing from those that have its keys", func(ctx SpecContext) {
		namespace, key := newStory(ctx), generate()
		provider := clientPod(namespace, "identity-provider")
		Expect(k8s.Create(ctx, provider)).To(Succeed())
		Eventually(isReady).WithContext(ctx).WithArguments(provider).Should(BeTrue())
		server := trusting(fake(namespace, "outage"), corp(ctx, provider, key))
		server.Spec.Service = &v1alpha1.Service{SessionAffinity: corev1.ServiceAffinityNone}
		create(ctx, server)
		Expect(k8s.Delete(ctx, provider)).To(Succeed())
		Eventually(k8s.Get).WithContext(ctx).WithArguments(client.ObjectKeyFromObject(provider), provider).ShouldNot(Succeed())

		edit(ctx, server, func() { server.Spec.Replicas = ptrTo[int32](2) })
		Eventually(podsOf).WithContext(ctx).WithArguments(server).Should(HaveLen(2))
		eventually(ctx, server, v1alpha1.ConditionAuthHealthy).WithTimeout(5 * time.Minute).Should(And(
			say(metav1.ConditionTrue, v1alpha1.ReasonProven), HaveField("Message", And(
				ContainSubstring("1 of 1 pods refused every bad token"), ContainSubstring("takes no traffic"),
				ContainSubstring("key set of provider corp is empty (the gate could not fetch it")))))
		tell(server)
		ready := 0
		for _, pod := range podsOf(ctx, server) {
			if serves, err := isReady(ctx, &pod); err == nil && serves {
				ready++
			}
		}
		Expect(ready).To(Equal(1))
		for range 10 {
			Expect(ask(ctx, listing(server, corpToken(key)))).To(beLetIn())
		}
	}, NodeTimeout(10*time.Minute))
})

// trusting is the server with these providers alone.
func trusting(server *v1alpha1.MCPServer, providers ...v1alpha1.Provider) *v1alpha1.MCPServer {
	server.Spec.Auth = &v1alpha1.Auth{Providers: providers}
	return server
}

const corpIssuer, corpAudience = "https://corp.example.com", "tried"

// corp is an issuer whose keys a client pod serves.
func corp(ctx context.Context, at *corev1.Pod, key keys.Private) v1alpha1.Provider {
	GinkgoHelper()
	data, err := keys.MarshalPublic([]keys.Public{key.Public()})
	Expect(err).NotTo(HaveOccurred())
	var published int
	document := "documents/" + key.ID()
	order(ctx, at, http.MethodPost, document, rawJSON(data), &published)
	return v1alpha1.Provider{Name: "corp", Issuer: corpIssuer, Audiences: []string{corpAudience}, Keys: v1alpha1.ProviderKeys{
		Type: v1alpha1.KeysRemote, Remote: &v1alpha1.RemoteKeys{
			JWKSURI: "http://" + at.Status.PodIP + ":" + clientPort + "/" + document, PlainHTTP: v1alpha1.PlainHTTPAllow,
		},
	}}
}

// corpToken is one of that issuer for a client.
func corpToken(key keys.Private) string {
	GinkgoHelper()
	bearer, err := token.Template{Key: key, Issuer: corpIssuer, Audience: corpAudience, Subject: "somebody", Lifetime: time.Hour}.Good(time.Now())
	Expect(err).NotTo(HaveOccurred())
	return bearer
}

// accountToken is one of a ServiceAccount, as a pod with a projected token has it.
func accountToken(ctx context.Context, namespace, audience string) string {
	GinkgoHelper()
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: []string{audience}}}
	granted, err := typed.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, "default", request, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	return granted.Status.Token
}

func createSecret(ctx context.Context, namespace, name, key string, value []byte) {
	GinkgoHelper()
	Expect(k8s.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string][]byte{key: value},
	})).To(Succeed())
}

// tell reports what the user of the server sees of its lock.
func tell(server *v1alpha1.MCPServer) {
	now := conditionOf(server, v1alpha1.ConditionAuthHealthy)
	AddReportEntry("AuthHealthy of "+server.Name, string(now.Status)+" "+now.Reason+": "+now.Message)
}

// beTriedWith matches a server whose proof says so of its good tokens.
func beTriedWith(note string) OmegaMatcher {
	return WithTransform(func(server *v1alpha1.MCPServer) string {
		return conditionOf(server, v1alpha1.ConditionAuthHealthy).Message
	}, ContainSubstring(note))
}
