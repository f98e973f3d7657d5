//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

var _ = Describe("A healthy server that nobody here wrote", Label("ci"), func() {
	It("is locked, proven and described", func(ctx SpecContext) {
		server := create(ctx, newServer(newStory(ctx), "everything", everythingImage, "-http=127.0.0.1:8000"))

		By("refusing a request without a token, in the form that clients understand")
		answer := ask(ctx, listing(server, ""))
		Expect(answer).To(refusedFor("missing_token"))
		Expect(answer.Header).To(HaveKeyWithValue("Www-Authenticate", ConsistOf(`Bearer realm="`+server.Namespace+`/everything"`)))
		Expect(answer.Header).To(HaveKeyWithValue("Content-Type", ConsistOf("application/json")))
		Expect(answer.Body).To(MatchJSON(`{"jsonrpc": "2.0", "id": 7, "error": {"code": -31401,
			"message": "Unauthorized: an access token is required: send it as Authorization: Bearer",
			"data": {"reason": "missing_token", "status": 401}}}`))

		By("refusing a malformed token")
		answer = ask(ctx, listing(server, token.Malformed))
		Expect(answer).To(refusedFor("malformed_token"))
		Expect(answer.Header).To(HaveKeyWithValue("Www-Authenticate", ConsistOf(`Bearer realm="`+server.Namespace+
			`/everything", error="invalid_token", error_description="the access token is not a well-formed JWT"`)))

		By("refusing tokens that are bad in one way only, and letting the good one in")
		Expect(ask(ctx, listing(server, badToken(ctx, server, token.Expired)))).To(refusedFor("expired"))
		Expect(ask(ctx, listing(server, badToken(ctx, server, token.WrongKey)))).To(refusedFor("bad_signature"))
		answer = ask(ctx, listing(server, goodToken(ctx, server)))
		Expect(answer).To(beLetIn())
		Expect(answer.Body).To(ContainSubstring(`"test_simple_text"`))

		By("saying so in its status")
		Expect(server.Status.ServerInfo).To(HaveField("Name", "mcp-conformance-test-server"))
		Expect(server.Status.ServerInfo.ProtocolVersion).NotTo(BeEmpty())
		Expect(server.Status.AuthHealth).To(And(HaveField("Pods", int32(1)), HaveField("ProvenPods", int32(1)), HaveField("Failures", BeEmpty())))
		for _, kind := range []string{v1alpha1.ConditionAccepted, v1alpha1.ConditionKeysReady, v1alpha1.ConditionAvailable} {
			eventually(ctx, server, kind).Should(HaveField("Status", metav1.ConditionTrue))
		}
		Expect(table(ctx, server)).To(And(
			HaveKeyWithValue("Name", "everything"), HaveKeyWithValue("Ready", "True"), HaveKeyWithValue("Auth", "Proven"),
			HaveKeyWithValue("Replicas", "1"), HaveKeyWithValue("URL", "http://everything."+server.Namespace+".svc:8080/mcp"),
			HaveKey("Age"), HaveKeyWithValue("Reason", "Ready"), HaveKeyWithValue("Image", everythingImage)))
	})
})

// table is the server's row of `kubectl get mcpserver -o wide`.
func table(ctx context.Context, server *v1alpha1.MCPServer) map[string]any {
	GinkgoHelper()
	data, err := typed.RESTClient().Get().
		AbsPath("/apis/mcp.gatehouse.dev/v1alpha1/namespaces", server.Namespace, "mcpservers", server.Name).
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").Do(ctx).Raw()
	Expect(err).NotTo(HaveOccurred())
	var printed metav1.Table
	Expect(json.Unmarshal(data, &printed)).To(Succeed())
	Expect(printed.Rows).To(HaveLen(1))
	row := map[string]any{}
	for i, column := range printed.ColumnDefinitions {
		row[column.Name] = printed.Rows[0].Cells[i]
	}
	return row
}
