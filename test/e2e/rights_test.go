//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/loadclient"
)

const (
	readScopes  = "mcp tools:read"
	writeScopes = "mcp tools:read tools:write"
	hello       = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"e2e","version":"1"}}}`
	callEcho    = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"text":"through"}}}`
	callSleep   = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"sleep","arguments":{"seconds":0}}}`
)

var _ = Describe("What a token may do", Label("ci", "rights"), func() {
	It("is judged on every replica: scopes, time, sessions, and what is revoked", func(ctx SpecContext) {
		server, revoked := ruled(ctx, newStory(ctx))
		alice, bob := issuer(ctx, server), issuer(ctx, server)
		alice.Subject, alice.Scope, alice.ID = "alice@example.com", readScopes, "alices-token"
		bob.Subject, bob.Scope = "bob@example.com", writeScopes

		By("refusing a tool for want of a scope, and naming the scopes to ask for")
		for _, pod := range podsOf(ctx, server) {
			session := openSession(ctx, pod, mintGood(alice))
			Expect(ask(ctx, inSession(pod, mintGood(alice), session, callEcho))).To(And(
				HaveField("Status", http.StatusOK), HaveField("Body", ContainSubstring("through"))))
			answer := ask(ctx, inSession(pod, mintGood(alice), session, callSleep))
			Expect(answer).To(And(HaveField("Status", http.StatusForbidden), HaveField("Body", ContainSubstring(`"reason":"insufficient_scope"`))))
			Expect(answer.Header).To(HaveKeyWithValue("Www-Authenticate", ConsistOf(And(
				ContainSubstring(`error="insufficient_scope"`), ContainSubstring("tools:write")))))
			Expect(ask(ctx, inSession(pod, mintGood(bob), openSession(ctx, pod, mintGood(bob)), callSleep))).To(HaveField("Status", http.StatusOK))
		}

		By("refusing an expired token, and another caller's session")
		expired, err := alice.Bad(token.Expired, time.Now())
		Expect(err).NotTo(HaveOccurred())
		session := openSession(ctx, podsOf(ctx, server)[0], mintGood(alice))
		for _, pod := range podsOf(ctx, server) {
			Expect(ask(ctx, inSession(pod, expired, session, listTools))).To(refusedFor("expired"))
			Expect(ask(ctx, inSession(pod, mintGood(bob), session, listTools))).To(And(
				HaveField("Status", http.StatusNotFound), HaveField("Body", ContainSubstring(`"reason":"unknown_session"`))))
		}

		By("revoking a token while it has a stream open")
		cut := make(chan loadclient.Answer, 1)
		stream := inSession(podsOf(ctx, server)[0], mintGood(alice), session, "")
		stream.Method, stream.TimeoutSeconds = http.MethodGet, 120
		go func() {
			defer GinkgoRecover()
			cut <- ask(ctx, stream)
		}()
		Consistently(cut, "3s").ShouldNot(Receive(), "the stream is open")
		edit(ctx, revoked, func() { revoked.Data = map[string]string{"revoked": "jti:" + alice.ID + "\n"} })
		begun := time.Now()
		Eventually(func(g Gomega) {
			for _, pod := range podsOf(ctx, server) {
				g.Expect(ask(ctx, inSession(pod, mintGood(alice), session, listTools))).To(refusedFor("revoked"))
			}
		}).WithContext(ctx).WithTimeout(20 * time.Second).Should(Succeed())
		AddReportEntry("refused on every pod after", fmt.Sprintf("%.1f s", time.Since(begun).Seconds()))
		var answer loadclient.Answer
		Eventually(cut).WithContext(ctx).WithTimeout(20 * time.Second).Should(Receive(&answer))
		AddReportEntry("the stream was cut after", fmt.Sprintf("%.1f s: %+v", time.Since(begun).Seconds(), answer))
		fresh := alice
		fresh.ID = "another-token-of-hers"
		for _, pod := range podsOf(ctx, server) {
			Expect(ask(ctx, inSession(pod, mintGood(fresh), openSession(ctx, pod, mintGood(fresh)), callEcho))).To(HaveField("Status", http.StatusOK))
		}
	}, NodeTimeout(5*time.Minute))
})

// ruled is a server of two pods with a scope for everybody and one for each tool, and its list of what is revoked.
func ruled(ctx context.Context, namespace string) (*v1alpha1.MCPServer, *corev1.ConfigMap) {
	GinkgoHelper()
	revoked := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "revoked"}, Data: map[string]string{"revoked": ""}}
	Expect(k8s.Create(ctx, revoked)).To(Succeed())
	server := newServer(namespace, "ruled", fakeImage, "--addr=127.0.0.1:8000")
	server.Spec.Replicas = ptrTo[int32](2)
	server.Spec.Auth = &v1alpha1.Auth{
		Authorization: &v1alpha1.Authorization{RequiredScopes: []string{"mcp"}, Rules: []v1alpha1.Rule{
			{Tools: []string{"echo"}, Scopes: []string{"tools:read"}}, {Tools: []string{"sleep"}, Scopes: []string{"tools:write"}},
		}},
		Revoked: &v1alpha1.Revoked{ConfigMapRef: v1alpha1.ConfigMapKeyRef{Name: revoked.Name}},
	}
	Expect(k8s.Create(ctx, server)).To(Succeed())
	becomesHealthy(ctx, server)
	return server, revoked
}

// mintGood mints a token that is good now.
func mintGood(template token.Template) string {
	GinkgoHelper()
	minted, err := template.Good(time.Now())
	Expect(err).NotTo(HaveOccurred())
	return minted
}

// openSession gives the id of a new session on a pod.
func openSession(ctx context.Context, pod corev1.Pod, bearer string) string {
	GinkgoHelper()
	answer := ask(ctx, inSession(pod, bearer, "", hello))
	Expect(answer).To(And(HaveField("Status", http.StatusOK), HaveField("Header", HaveKey("Mcp-Session-Id"))))
	return answer.Header.Get("Mcp-Session-Id")
}

// inSession is a request to one pod. An empty session is none.
func inSession(pod corev1.Pod, bearer, session, body string) loadclient.Request {
	request := toMCP("http://"+pod.Status.PodIP+":8080/mcp", bearer)
	request.Body = body
	if session != "" {
		request.Header["Mcp-Session-Id"] = session
	}
	return request
}
