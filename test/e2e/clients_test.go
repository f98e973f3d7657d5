//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/loadclient"
)

// clients are pods outside the namespaces of the stories. There are two, because Services keep a client to one pod.
var clients []*corev1.Pod

const clientPort = "9000"

func startClients(ctx context.Context) {
	GinkgoHelper()
	namespace := createNamespace(ctx, "e2e-clients-")
	DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, namespace)).To(Succeed()) })
	for i := range 2 {
		pod := clientPod(namespace.Name, fmt.Sprintf("client-%d", i))
		Expect(k8s.Create(ctx, pod)).To(Succeed())
		clients = append(clients, pod)
	}
	for _, pod := range clients {
		Eventually(isReady).WithContext(ctx).WithArguments(pod).Should(BeTrue(), "client pods do not run; image %s", clientImage)
	}
}

func clientPod(namespace, name string) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	no := false
	grace := int64(1)
	pod.Spec = corev1.PodSpec{
		AutomountServiceAccountToken:  &no,
		TerminationGracePeriodSeconds: &grace,
		Containers: []corev1.Container{{
			Name: "client", Image: clientImage, Args: []string{"-listen", ":" + clientPort}, SecurityContext: restricted(),
			ReadinessProbe: &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{
				HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: portOf(clientPort)},
			}},
		}},
	}
	return pod
}

// order sends a client pod something to do, through the API server's proxy. That one drops Authorization headers; the
// tokens of the requests that the client is to put are in the body.
func order(ctx context.Context, pod *corev1.Pod, method, path string, body, into any) {
	GinkgoHelper()
	Expect(tryOrder(ctx, pod, method, path, body, into)).To(Succeed())
}

// tryOrder is order for a time in which the API server may be away.
func tryOrder(ctx context.Context, pod *corev1.Pod, method, path string, body, into any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	answer, err := typed.CoreV1().RESTClient().Verb(method).Namespace(pod.Namespace).Resource("pods").
		Name(pod.Name + ":" + clientPort).SubResource("proxy").Suffix(path).Body(data).Do(ctx).Raw()
	if err != nil {
		return fmt.Errorf("%s %s of client pod %s: %w: %s", method, path, pod.Name, err, answer)
	}
	return json.Unmarshal(answer, into)
}

// ask puts a request from inside the cluster.
func ask(ctx context.Context, request loadclient.Request) loadclient.Answer {
	GinkgoHelper()
	var answer loadclient.Answer
	order(ctx, clients[0], http.MethodPost, "ask", request, &answer)
	return answer
}

const listTools = `{"jsonrpc":"2.0","id":7,"method":"tools/list"}`

// listing is a request for the list of tools, through the Service. An empty token sends none.
func listing(server *v1alpha1.MCPServer, bearer string) loadclient.Request {
	request := toMCP(desired.URL(server, false), bearer)
	request.Body = listTools
	return request
}

func toMCP(url, bearer string) loadclient.Request {
	request := loadclient.Request{URL: url, Header: map[string]string{
		"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
	}}
	if bearer != "" {
		request.Header["Authorization"] = "Bearer " + bearer
	}
	return request
}

// issuer mints tokens for a server with its managed key, good and bad.
func issuer(ctx context.Context, server *v1alpha1.MCPServer) token.Template {
	GinkgoHelper()
	template, err := tryIssuer(ctx, server)
	Expect(err).NotTo(HaveOccurred())
	return template
}

// tryIssuer is issuer for a time in which the API server may be away.
func tryIssuer(ctx context.Context, server *v1alpha1.MCPServer) (token.Template, error) {
	var secret corev1.Secret
	if err := k8s.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: desired.KeysSecretName(server)}, &secret); err != nil {
		return token.Template{}, err
	}
	provider := desired.Resolve(server).Providers[0]
	set, err := keys.ParsePrivate(secret.Data[gateapi.KeysFile(provider.Name)])
	if err != nil {
		return token.Template{}, err
	}
	return token.Template{
		Key: set[0], Issuer: desired.ManagedIssuer(server), Audience: desired.ManagedIssuer(server),
		Subject: "somebody", Lifetime: time.Hour,
	}, nil
}

func goodToken(ctx context.Context, server *v1alpha1.MCPServer) string {
	GinkgoHelper()
	minted, err := issuer(ctx, server).Good(time.Now())
	Expect(err).NotTo(HaveOccurred())
	return minted
}

func badToken(ctx context.Context, server *v1alpha1.MCPServer, defect token.Defect) string {
	GinkgoHelper()
	minted, err := issuer(ctx, server).Bad(defect, time.Now())
	Expect(err).NotTo(HaveOccurred())
	return minted
}

// beLetIn matches an answer of the server with the list of its tools.
func beLetIn() OmegaMatcher {
	return And(HaveField("Failure", BeEmpty()), HaveField("Status", http.StatusOK), HaveField("Body", ContainSubstring(`"result"`)))
}

// refusedFor matches the gate's own 401.
func refusedFor(reason string) OmegaMatcher {
	return And(HaveField("Failure", BeEmpty()), HaveField("Status", http.StatusUnauthorized),
		HaveField("Header", HaveKeyWithValue("Www-Authenticate", ConsistOf(HavePrefix("Bearer ")))),
		HaveField("Body", ContainSubstring(`"reason":"`+reason+`"`)))
}

// answersAsItShould asks the three questions that matter most, through the Service.
func answersAsItShould(ctx context.Context, server *v1alpha1.MCPServer) {
	GinkgoHelper()
	expectAnswers(ctx, Default, server)
}

// comesToAnswer waits until the server answers as it should: after its Service was made anew, clients have the old
// address for a while.
func comesToAnswer(ctx context.Context, server *v1alpha1.MCPServer) {
	GinkgoHelper()
	Eventually(func(g Gomega) { expectAnswers(ctx, g, server) }).WithContext(ctx).Should(Succeed())
}

func expectAnswers(ctx context.Context, g Gomega, server *v1alpha1.MCPServer) {
	GinkgoHelper()
	g.Expect(ask(ctx, listing(server, ""))).To(refusedFor("missing_token"))
	g.Expect(ask(ctx, listing(server, token.Malformed))).To(refusedFor("malformed_token"))
	g.Expect(ask(ctx, listing(server, badToken(ctx, server, token.WrongKey)))).To(refusedFor("bad_signature"))
	g.Expect(ask(ctx, listing(server, goodToken(ctx, server)))).To(beLetIn())
}
