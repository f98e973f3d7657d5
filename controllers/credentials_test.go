package controllers_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/keysource"
	"github.com/mcp-gatehouse/gatehouse/controllers/probecredentials"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

const testAudience = "https://mcp.example.com/mcp"

// idp is an identity provider on loopback.
type idp struct {
	*httptest.Server
	key  keys.Private
	down atomic.Bool
}

func newIDP() *idp {
	GinkgoHelper()
	key, err := keys.Generate(keys.ES256)
	Expect(err).NotTo(HaveOccurred())
	document, err := keys.MarshalPublic([]keys.Public{key.Public()})
	Expect(err).NotTo(HaveOccurred())
	i := &idp{key: key}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if i.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write(document)
	}))
	DeferCleanup(i.Close)
	return i
}

// provider trusts it.
func (i *idp) provider() v1alpha1.Provider {
	return v1alpha1.Provider{Name: "corp", Issuer: i.URL, Audiences: []string{testAudience}, IdentityClaims: []string{"tid", "oid"},
		Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysRemote, Remote: &v1alpha1.RemoteKeys{
			JWKSURI: i.URL + "/keys", PlainHTTP: v1alpha1.PlainHTTPAllow,
		}}}
}

// token is a good one, that ends at a time.
func (i *idp) token(ends time.Time) string {
	GinkgoHelper()
	raw, err := token.Template{
		Key: i.key, Issuer: i.URL, Audience: testAudience, Subject: "robot", Lifetime: time.Hour, Claims: map[string]any{"tid": "t", "oid": "o"},
	}.Good(ends.Add(-time.Hour))
	Expect(err).NotTo(HaveOccurred())
	return raw
}

// only is a server that trusts no other provider. change may make it another.
func only(namespace string, p v1alpha1.Provider, change ...func(*v1alpha1.MCPServer)) *v1alpha1.MCPServer {
	server := newServer(namespace, "x")
	server.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{p}}
	for _, do := range change {
		do(server)
	}
	return server
}

// publicKeys is a provider whose public keys are brought in the Secret "brought".
func publicKeys(ctx context.Context, namespace string) v1alpha1.Provider {
	GinkgoHelper()
	key, err := keys.Generate(keys.ES256)
	Expect(err).NotTo(HaveOccurred())
	document, err := keys.MarshalPublic([]keys.Public{key.Public()})
	Expect(err).NotTo(HaveOccurred())
	bring(ctx, namespace, map[string][]byte{"jwks": document})
	return v1alpha1.Provider{Name: "partner", Issuer: "https://partner", Audiences: []string{testAudience}, Keys: v1alpha1.ProviderKeys{
		Type: v1alpha1.KeysSecret, Secret: &v1alpha1.SecretKeys{Name: "brought", Keys: []string{"jwks"}, Format: v1alpha1.FormatJWKS}}}
}

func sharedKeys(ctx context.Context, namespace string) v1alpha1.Provider {
	GinkgoHelper()
	bring(ctx, namespace, map[string][]byte{"current": random(32)})
	return sharedSecret()
}

func setClaims(server *v1alpha1.MCPServer) {
	server.Spec.AuthProbe.Claims = map[string]v1alpha1.ClaimValue{"sub": "probe"}
}

var _ = Describe("The lock of a server without a managed key", func() {
	DescribeTable("is proven where the keys are", func(ctx SpecContext, trusted func(context.Context, string) v1alpha1.Provider, note string, change ...func(*v1alpha1.MCPServer)) {
		namespace := newNamespace(ctx)
		server := only(namespace, trusted(ctx, namespace), change...)
		Expect(k8s.Create(ctx, server)).To(Succeed())
		pod := startPod(ctx, server)
		healthy := condition(ctx, server, v1alpha1.ConditionAuthHealthy)
		Eventually(healthy).Should(And(say(metav1.ConditionTrue, v1alpha1.ReasonProven), HaveField("Message", ContainSubstring(note))))
		Eventually(pod.proven(ctx)).Should(Equal(corev1.ConditionTrue))
	},
		Entry("fetched by the gate", func(context.Context, string) v1alpha1.Provider { return newIDP().provider() }, "probe key: corp;"),
		Entry("brought, and public", publicKeys, "probe key: partner;"),
		Entry("the cluster's", func(context.Context, string) v1alpha1.Provider {
			return v1alpha1.Provider{Name: "pods", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysCluster}}
		}, "probe key: pods;"),
		Entry("a shared secret, of tokens that claims describe", sharedKeys, "let the good one in.", setClaims),
		Entry("a shared secret of the Quilt catalog", sharedKeys, "let the good one in.", func(s *v1alpha1.MCPServer) {
			s.Spec.Profile = v1alpha1.ProfileQuilt
			s.Spec.Env = []corev1.EnvVar{{Name: "QUILT_CATALOG_URL", Value: "u"}, {Name: "QUILT_REGISTRY_URL", Value: "u"}}
			s.Spec.Auth.Providers[0].TokenTypes = nil
		}),
		Entry("the issuer's, where rules bind even the probe key", publicKeys, "probe key: partner;", func(s *v1alpha1.MCPServer) {
			s.Spec.Auth.Authorization = &v1alpha1.Authorization{
				RequiredScopes: []string{"mcp"}, DefaultAction: v1alpha1.ActionDeny,
				Rules: []v1alpha1.Rule{{Methods: []string{"tools/list"}, Scopes: []string{"tools"}}},
			}
		}),
	)

	It("is not proven before the keys of its identity provider are loaded", func(ctx SpecContext) {
		issuer := newIDP()
		issuer.down.Store(true)
		server := only(newNamespace(ctx), issuer.provider())
		Expect(k8s.Create(ctx, server)).To(Succeed())
		pod := startPod(ctx, server)
		healthy := condition(ctx, server, v1alpha1.ConditionAuthHealthy)
		Eventually(healthy).Should(And(say(metav1.ConditionUnknown, v1alpha1.ReasonGateNotConverged),
			HaveField("Message", ContainSubstring("key set of provider corp is empty (the gate could not fetch it"))))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionUnknown))

		By("and an open gate is seen all the same")
		locked := *pod.client.Load()
		pod.serve(openDoor())
		Eventually(healthy).Should(say(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted))
		pod.serve(locked)
		issuer.down.Store(false)
		Eventually(healthy).WithTimeout(time.Minute).Should(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
	})

	It("is not taken for proven by tokens of somebody who is not let in", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		putConfigMap(ctx, namespace, "lost", map[string]string{"revoked": "sub:probe"})
		server := only(namespace, sharedKeys(ctx, namespace), setClaims, func(s *v1alpha1.MCPServer) {
			s.Spec.Auth.Revoked = &v1alpha1.Revoked{ConfigMapRef: v1alpha1.ConfigMapKeyRef{Name: "lost"}}
		})
		Expect(k8s.Create(ctx, server)).To(Succeed())
		startPod(ctx, server)
		Eventually(condition(ctx, server, v1alpha1.ConditionAuthHealthy)).Should(say(metav1.ConditionFalse, v1alpha1.ReasonValidTokenRejected))
	})

	It("stays proven on the pods that have the keys of an identity provider that is away, and is not proven on new ones", func(ctx SpecContext) {
		issuer, o := newIDP(), start(testGateImage)
		server, old := proveUnwatched(ctx, o, func(s *v1alpha1.MCPServer) {
			s.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{issuer.provider()}}
		})
		issuer.down.Store(true)
		added := startPod(ctx, server)
		// A gate without any keys is not ready, and so its pod is not.
		added.update(ctx, func(status *corev1.PodStatus) {
			for i := range status.Conditions {
				if status.Conditions[i].Type == corev1.ContainersReady {
					status.Conditions[i].Status = corev1.ConditionFalse
				}
			}
		})
		waitRounds(o, 3)
		o.act(ctx, server)
		healthy := condition(ctx, server, v1alpha1.ConditionAuthHealthy)
		Expect(healthy()).To(And(say(metav1.ConditionTrue, v1alpha1.ReasonProven), HaveField("Message", And(
			ContainSubstring("1 of 1 pods refused every bad token"),
			ContainSubstring("Pod "+added.pod.Name+" takes no traffic: The gate does not run what the spec asks for: "+
				"its key set of provider corp is empty (the gate could not fetch it")))))
		AddReportEntry("what the condition says", healthy().Message)
		Expect(old.proven(ctx)()).To(Equal(corev1.ConditionTrue))
		Expect(added.proven(ctx)()).To(Equal(corev1.ConditionUnknown))
	})

	It("is not proven where the server wants a token, until one is brought that it takes", func(ctx SpecContext) {
		issuer := newIDP()
		server := only(newNamespace(ctx), issuer.provider())
		Expect(k8s.Create(ctx, server)).To(Succeed())
		pod := startPod(ctx, server)
		healthy := condition(ctx, server, v1alpha1.ConditionAuthHealthy)
		Eventually(healthy).Should(say(metav1.ConditionTrue, v1alpha1.ReasonProven))

		By("refusing everybody where it gets nobody's")
		pod.fails(ctx, "any-bearer")
		Eventually(healthy).Should(say(metav1.ConditionFalse, v1alpha1.ReasonValidTokenRejected))

		By("getting those of clients, and none of the probe key")
		editObject(ctx, server, func() {
			server.Spec.Auth.Forward = &v1alpha1.Forward{Authorization: v1alpha1.AuthorizationForward}
		})
		Eventually(func() string { return gateConfig(ctx, server) }).Should(ContainSubstring(`"forwardAuthorization": true`))
		pod.mount(ctx, server, pod.pod.Status.PodIP)
		Eventually(healthy).Should(And(say(metav1.ConditionUnknown, v1alpha1.ReasonProbeCredentialMissing), HaveField("Message", And(
			ContainSubstring("The gate let the operator's probe of provider corp in, and the server behind it refused it"),
			ContainSubstring("name that in authProbe.tokenSecretRef, and set authProbe.credential to SecretRef.")))))
		bring(ctx, server.Namespace, map[string][]byte{"token": []byte(issuer.token(time.Now().Add(time.Hour)))})
		editObject(ctx, server, func() {
			server.Spec.AuthProbe.Credential, server.Spec.AuthProbe.TokenSecretRef = v1alpha1.CredentialSecretRef, &v1alpha1.TokenSecretRef{Name: "brought"}
		})
		Eventually(func() string { return gateConfig(ctx, server) }).ShouldNot(ContainSubstring("probeKey"))
		pod.mount(ctx, server, pod.pod.Status.PodIP)
		Eventually(healthy).Should(And(say(metav1.ConditionTrue, v1alpha1.ReasonProven),
			HaveField("Message", ContainSubstring("Tried with the token of authProbe.tokenSecretRef: corp."))))
	})

	It("is proven by a token that is brought, as long as there is a good one", func(ctx SpecContext) {
		issuer := newIDP()
		server := only(newNamespace(ctx), issuer.provider(), func(s *v1alpha1.MCPServer) {
			s.Spec.AuthProbe.Credential = v1alpha1.CredentialSecretRef
			s.Spec.AuthProbe.TokenSecretRef = &v1alpha1.TokenSecretRef{Name: "brought"}
		})
		Expect(k8s.Create(ctx, server)).To(Succeed())
		pod := startPod(ctx, server)
		healthy := condition(ctx, server, v1alpha1.ConditionAuthHealthy)
		missing := func(part string) OmegaMatcher {
			return And(say(metav1.ConditionUnknown, v1alpha1.ReasonProbeCredentialMissing), HaveField("Message", ContainSubstring(part)))
		}
		Eventually(healthy).Should(missing("Provider corp: authProbe.tokenSecretRef.name: there is no Secret brought"))
		expired := issuer.token(time.Now().Add(-time.Minute))
		for part, content := range map[string]map[string][]byte{
			"has no data key token, or an empty one": {"other": []byte("x")},
			"is no JWT":                              {"token": []byte("opaque")},
			"is of an issuer that no provider has":   {"token": []byte(newIDP().token(time.Now().Add(time.Hour)))},
			"expired at 20":                          {"token": []byte(expired)},
		} {
			bring(ctx, server.Namespace, content)
			Eventually(healthy).Should(missing(part))
			Expect(healthy().Message).NotTo(Or(ContainSubstring("opaque"), ContainSubstring(expired)))
		}
		bring(ctx, server.Namespace, map[string][]byte{"token": []byte(issuer.token(time.Now().Add(time.Hour)) + "\n")})
		Eventually(healthy).Should(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
		Eventually(pod.proven(ctx)).Should(Equal(corev1.ConditionTrue))
		Expect(gateConfig(ctx, server)).NotTo(ContainSubstring("probeKey"))
	})
})

var _ = Describe("The master of the probe keys", Serial, func() {
	secretOf := func(ctx context.Context) *corev1.Secret {
		GinkgoHelper()
		found := &corev1.Secret{}
		Eventually(func() error {
			return k8s.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: keysource.MasterSecretName}, found)
		}).Should(Succeed())
		return found
	}
	It("is replaced when it is gone or damaged, and gates are told", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		server := only(namespace, publicKeys(ctx, namespace))
		Expect(k8s.Create(ctx, server)).To(Succeed())
		pod := startPod(ctx, server)
		healthy := condition(ctx, server, v1alpha1.ConditionAuthHealthy)
		Eventually(healthy).Should(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
		for _, spoil := range []func(){
			func() { Expect(k8s.Delete(ctx, secretOf(ctx))).To(Succeed()) },
			func() {
				damaged := secretOf(ctx)
				damaged.Data[keysource.MasterKey] = []byte("short")
				Expect(k8s.Update(ctx, damaged)).To(Succeed())
			},
			func() {
				replaced := secretOf(ctx)
				replaced.Data[keysource.MasterKey] = random(32)
				Expect(k8s.Update(ctx, replaced)).To(Succeed())
			},
		} {
			before := gateConfig(ctx, server)
			spoil()
			Eventually(func() string { return gateConfig(ctx, server) }).Should(And(Not(Equal(before)), ContainSubstring("probeKey")))
			Expect(secretOf(ctx).Data[keysource.MasterKey]).To(HaveLen(32))

			By("a pod that does not follow is no failure of the lock")
			Eventually(func() string {
				now := healthy()
				Expect(now.Status).NotTo(Equal(metav1.ConditionFalse), now.Message)
				return now.Reason + " " + now.Message
			}).Should(And(HavePrefix(v1alpha1.ReasonGateNotConverged), ContainSubstring("its probe key is ")))
			pod.mount(ctx, server, pod.pod.Status.PodIP)
			Eventually(healthy).Should(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
		}
	})

	It("is the same for two operators that begin at once, and none without a namespace", func(ctx SpecContext) {
		server := newServer("n", "x")
		server.UID = "u"
		other := &keysource.ProbeMaster{Live: k8s, Writer: k8s, Namespace: operatorNamespace, Now: time.Now}
		Eventually(func(g Gomega) {
			a, found, err := other.Key(ctx, server)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(found).To(BeTrue())
			master.Forget()
			b, _, err := master.Key(ctx, server)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(a.ID()).To(Equal(b.ID()))
		}).Should(Succeed())
		_, found, err := (&keysource.ProbeMaster{}).Key(ctx, server)
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(BeFalse())
	})
})

var _ = Describe("An operator whose account gets no token", func() {
	It("tries the cluster's provider with the probe key alone", func(ctx SpecContext) {
		o := start(testGateImage)
		o.prober.Account = &probecredentials.Account{Client: k8s, Namespace: operatorNamespace, Name: "nobody", Now: time.Now}
		server, _ := proveUnwatched(ctx, o, func(s *v1alpha1.MCPServer) {
			s.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{{Name: "pods", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysCluster}}}}
		})
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(HaveField("Message", ContainSubstring("probe key: pods;")))
	})
})
