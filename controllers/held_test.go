package controllers_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

var _ = Describe("A provider whose file the pods that there are do not mount", func() {
	It("is for new pods: the others go on as they were until they are replaced", func(ctx SpecContext) {
		server, pod := proveUnwatched(ctx, start(testGateImage))
		set, err := keys.ParsePrivate(secretData(ctx, server, "-keys")["managed.jwks"])
		Expect(err).NotTo(HaveOccurred())
		issuer := desired.ManagedIssuer(server)
		good, err := token.Template{Key: set[0], Issuer: issuer, Audience: issuer, Subject: "somebody", Lifetime: time.Hour}.Good(time.Now())
		Expect(err).NotTo(HaveOccurred())
		answer := func() int {
			request := httptest.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1/mcp", strings.NewReader(`{"jsonrpc":"2.0","id":7,"method":"ping"}`))
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("Accept", "application/json, text/event-stream")
			request.Header.Set("Authorization", "Bearer "+good)
			got := httptest.NewRecorder()
			(*pod.client.Load()).ServeHTTP(got, request)
			return got.Code
		}
		Expect(answer()).NotTo(BeElementOf(http.StatusUnauthorized, http.StatusServiceUnavailable))
		before := pod.configFiles(ctx, server)[gateapi.ConfigFile]

		chain, _ := newCertificate()
		authority := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: server.Namespace, Name: server.Name + "-ca"}}
		authority.Data = map[string][]byte{"ca.crt": chain}
		Expect(k8s.Create(ctx, authority)).To(Succeed())
		editObject(ctx, server, func() {
			server.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{{
				Name: "corp", Issuer: "https://corp.example.com", Audiences: []string{"tools"},
				Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysRemote, Remote: &v1alpha1.RemoteKeys{
					JWKSURI: "https://corp.example.com/jwks", CASecretRef: &v1alpha1.SecretKeyRef{Name: authority.Name},
				}},
			}}}
		})
		start(testGateImage).act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAccepted)()).To(HaveField("Status", metav1.ConditionTrue))
		Expect(gateConfig(ctx, server)).To(ContainSubstring(`"caFile": "corp.ca.crt"`), "new pods get the new one")
		Expect(pod.configFiles(ctx, server)[gateapi.ConfigFile]).To(Equal(before))

		By("its gate starting anew with what is mounted")
		pod.mount(ctx, server, pod.pod.Status.PodIP)
		Expect(answer()).NotTo(BeElementOf(http.StatusUnauthorized, http.StatusServiceUnavailable))
		start(testGateImage).act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).NotTo(HaveField("Status", metav1.ConditionFalse))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))

		By("an operator that knows for long what was published")
		known := start(testGateImage)
		known.act(ctx, server)
		waitRounds(known, 12)
		known.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).NotTo(HaveField("Status", metav1.ConditionFalse))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))

		By("the last of them being gone")
		replicaSet := &appsv1.ReplicaSet{}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(pod.pod), replicaSet)).To(Succeed())
		Expect(k8s.Delete(ctx, replicaSet)).To(Succeed())
		Expect(k8s.Delete(ctx, pod.pod, client.GracePeriodSeconds(0))).To(Succeed())
		start(testGateImage).act(ctx, server)
		Expect(configMap(ctx, server, "-authproxy")).To(HaveLen(1))
		Expect(configMap(ctx, server, "-jwks")).NotTo(HaveKey("managed.jwks"))
	})
})
