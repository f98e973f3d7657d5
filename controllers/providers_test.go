package controllers_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/keysource"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// withProviders is a server that trusts these issuers beside its managed key.
func withProviders(namespace string, providers ...v1alpha1.Provider) *v1alpha1.MCPServer {
	server := newServer(namespace, "x")
	managed := v1alpha1.Provider{Name: "managed", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysManaged}}
	server.Spec.Auth = &v1alpha1.Auth{Providers: append([]v1alpha1.Provider{managed}, providers...)}
	return server
}

// sharedSecret is a provider of tokens without issuer, signed with data key "current" of Secret "brought".
func sharedSecret() v1alpha1.Provider {
	return v1alpha1.Provider{Name: "shared", TokenTypes: []string{"JWT"}, Keys: v1alpha1.ProviderKeys{
		Type:   v1alpha1.KeysSecret,
		Secret: &v1alpha1.SecretKeys{Name: "brought", Keys: []string{"current"}, Format: v1alpha1.FormatSharedSecret},
	}}
}

// bring makes or changes the Secret "brought".
func bring(ctx context.Context, namespace string, data map[string][]byte) {
	GinkgoHelper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "brought", Namespace: namespace}, Data: data}
	err := k8s.Create(ctx, secret)
	if err != nil {
		Expect(k8s.Update(ctx, secret)).To(Succeed())
	}
}

func random(n int) []byte {
	out := make([]byte, n)
	rand.Read(out)
	return out
}

// loaded gives, for each key of a provider that status lists, how many pods are said to have loaded it.
func loaded(ctx context.Context, server *v1alpha1.MCPServer, provider string) func() []int32 {
	return func() (out []int32) {
		for _, key := range fresh(ctx, server).Status.Keys {
			if key.Provider == provider {
				out = append(out, ptr.Deref(key.ObservedPods, -1))
			}
		}
		return out
	}
}

// kidOf is the id of a provider's first key.
func kidOf(server *v1alpha1.MCPServer, provider string) string {
	for _, key := range server.Status.Keys {
		if key.Provider == provider {
			return key.KID
		}
	}
	return ""
}

const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":` +
	`{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"spec","version":"1"}}}`

// ask sends an initialize with the token to a pod's gate, and gives the status and the gate's reason.
func ask(ctx context.Context, pod *simulatedPod, token string) string {
	GinkgoHelper()
	url := fmt.Sprintf("http://%s:%d/mcp", pod.pod.Status.PodIP, 8080)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(initialize))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	response, err := http.DefaultClient.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	return strings.TrimSpace(fmt.Sprint(response.StatusCode, " ", response.Header.Get("Gatehouse-Reason")))
}

var _ = Describe("Providers", func() {
	It("take a shared secret that users bring, and say what is wrong with it", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		server := withProviders(namespace, sharedSecret())
		Expect(k8s.Create(ctx, server)).To(Succeed())
		keysReady := condition(ctx, server, v1alpha1.ConditionKeysReady)
		Eventually(keysReady).Should(And(say(metav1.ConditionFalse, v1alpha1.ReasonKeyMissing),
			HaveField("Message", ContainSubstring("spec.auth.providers[1].keys.secret.name: there is no Secret brought"))))
		Eventually(condition(ctx, server, v1alpha1.ConditionStalled)).Should(say(metav1.ConditionTrue, v1alpha1.ReasonKeyMissing))

		bring(ctx, namespace, map[string][]byte{"old": random(32)})
		Eventually(keysReady).Should(And(say(metav1.ConditionFalse, v1alpha1.ReasonKeyMissing),
			HaveField("Message", ContainSubstring("keys.secret.keys[0]: Secret brought has no data key current"))))
		bring(ctx, namespace, map[string][]byte{"current": []byte("weak")})
		Eventually(keysReady).Should(And(say(metav1.ConditionFalse, v1alpha1.ReasonKeysUnusable),
			HaveField("Message", And(ContainSubstring("at least 32"), Not(ContainSubstring("weak."))))))

		secret := random(32)
		bring(ctx, namespace, map[string][]byte{"current": secret})
		Eventually(keysReady).Should(say(metav1.ConditionTrue, v1alpha1.ReasonKeysPublished))
		Expect(fresh(ctx, server).Status.Keys).To(ContainElement(And(
			HaveField("Provider", "shared"), HaveField("KID", HavePrefix("secret-")), HaveField("Algorithm", "HS256"))))

		pod := startPod(ctx, server)
		key, err := keys.NewShared(secret, keys.HS256)
		Expect(err).NotTo(HaveOccurred())
		sign := func(key keys.Private) string {
			unsigned := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": "alice", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()})
			text, err := unsigned.SigningString()
			Expect(err).NotTo(HaveOccurred())
			signature, err := key.Sign(text)
			Expect(err).NotTo(HaveOccurred())
			return text + "." + unsigned.EncodeSegment(signature)
		}
		Expect(ask(ctx, pod, sign(key))).To(Equal("200"))
		other, err := keys.Generate(keys.HS256)
		Expect(err).NotTo(HaveOccurred())
		Expect(ask(ctx, pod, sign(other))).To(Equal("401 bad_signature"))
		Eventually(pod.proven(ctx)).Should(Equal(corev1.ConditionTrue))

		By("a new content reaches running pods at once, and a bad one leaves them alone")
		revision := func() string {
			now := &corev1.Pod{}
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(pod.pod), now)).To(Succeed())
			return now.Annotations[v1alpha1.AnnotationMountedRevision]
		}
		Eventually(revision).ShouldNot(BeEmpty())
		before := revision()
		Eventually(loaded(ctx, server, "shared")).Should(HaveExactElements(BeEquivalentTo(1)))
		bring(ctx, namespace, map[string][]byte{"current": random(32)})
		Eventually(revision).ShouldNot(Equal(before))
		Eventually(loaded(ctx, server, "shared")).Should(HaveExactElements(BeEquivalentTo(0)), "the pod has the old one yet")
		kid := kidOf(fresh(ctx, server), "shared")
		pod.says(func(state *admin.State) { state.Keys["shared"] = []string{kid} })
		Eventually(loaded(ctx, server, "shared")).Should(HaveExactElements(BeEquivalentTo(1)))
		before = revision()
		bring(ctx, namespace, map[string][]byte{"current": nil})
		Eventually(keysReady).Should(say(metav1.ConditionFalse, v1alpha1.ReasonKeysUnusable))
		Expect(revision()).To(Equal(before))
	})

	It("take the tokens of the cluster's ServiceAccounts for this server, and no others", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		server := withProviders(namespace, v1alpha1.Provider{Name: "pods", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysCluster}})
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(condition(ctx, server, v1alpha1.ConditionKeysReady)).Should(say(metav1.ConditionTrue, v1alpha1.ReasonKeysPublished))
		Expect(fresh(ctx, server).Status.Keys).To(ContainElement(HaveField("Provider", "pods")))
		pod := startPod(ctx, server)

		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "agent", Namespace: namespace}}
		Expect(k8s.Create(ctx, account)).To(Succeed())
		token := func(audience string) string {
			request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
				Audiences: []string{audience}, ExpirationSeconds: ptr.To(int64(600))}}
			Expect(k8s.SubResource("token").Create(ctx, account, request)).To(Succeed())
			return request.Status.Token
		}
		Expect(ask(ctx, pod, token("gatehouse:"+namespace+"/x"))).To(Equal("200"))
		Expect(ask(ctx, pod, token("gatehouse:"+namespace+"/y"))).To(Equal("401 wrong_audience"))
	})

	It("say that the cluster does not tell its issuer", func(ctx SpecContext) {
		server := newUnwatched(ctx)
		server.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{{Name: "pods", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysCluster}}}}
		Expect(k8s.Update(ctx, server)).To(Succeed())
		o := start(testGateImage)
		o.builder.Issuer = &keysource.ClusterIssuer{
			Now: time.Now, Get: func(context.Context, string) ([]byte, error) { return []byte("{}"), nil },
		}
		o.build(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionKeysReady)()).To(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonIssuerUnavailable), HaveField("Message", ContainSubstring("it names no issuer"))))
	})

	It("that contradict each other are not carried out", func(ctx SpecContext) {
		server := withProviders(newNamespace(ctx), sharedSecret())
		server.Spec.Auth.Providers[1].Issuer = "https://gateway"
		server.Spec.Auth.Providers[1].TokenTypes = []string{"a/b"}
		bring(ctx, server.Namespace, map[string][]byte{"current": random(32)})
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(condition(ctx, server, v1alpha1.ConditionAccepted)).Should(And(say(metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec),
			HaveField("Message", ContainSubstring("spec.auth.providers[1].tokenTypes[0]"))))
	})

	It("without a good token for the prober prove nothing", func(ctx SpecContext) {
		server := withProviders(newNamespace(ctx), sharedSecret())
		server.Spec.Auth.Providers = server.Spec.Auth.Providers[1:]
		bring(ctx, server.Namespace, map[string][]byte{"current": random(32)})
		Expect(k8s.Create(ctx, server)).To(Succeed())
		pod := startPod(ctx, server)
		Eventually(condition(ctx, server, v1alpha1.ConditionAuthHealthy)).Should(say(metav1.ConditionUnknown, v1alpha1.ReasonProbeCredentialMissing))

		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionUnknown))

		By("but an open gate is seen all the same")
		locked := *pod.client.Load()
		pod.serve(openDoor())
		Eventually(condition(ctx, server, v1alpha1.ConditionAuthHealthy)).Should(say(metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted))
		pod.serve(locked)
		Eventually(condition(ctx, server, v1alpha1.ConditionAuthHealthy)).Should(say(metav1.ConditionUnknown, v1alpha1.ReasonProbeCredentialMissing))
	})
})
