//go:build e2e

package e2e_test

import (
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

var _ = Describe("The MCP reference server from npm", Label("npm"), func() {
	It("is locked and works through its gate, sessions included", func(ctx SpecContext) {
		Expect(missing("NPM_IMG")).To(Succeed(), "or leave this story out with LABEL='!npm'")
		server := newServer(newStory(ctx), "npm", os.Getenv("NPM_IMG"))
		port := int32(3001)
		server.Spec.Port = &port
		create(ctx, server)
		Expect(server.Status.ServerInfo.Name).To(ContainSubstring("everything"))

		By("opening a session")
		request := toMCP(desired.URL(server, false), goodToken(ctx, server))
		request.Body = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18",` +
			`"capabilities":{},"clientInfo":{"name":"story","version":"1"}}}`
		answer := ask(ctx, request)
		Expect(answer).To(beLetIn())
		Expect(answer.Header).To(HaveKeyWithValue("Mcp-Session-Id", HaveLen(1)))
		request.Header["Mcp-Session-Id"] = answer.Header.Get("Mcp-Session-Id")
		request.Header["Mcp-Protocol-Version"] = "2025-06-18"
		request.Body = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
		Expect(ask(ctx, request)).To(HaveField("Status", 202))

		By("using it with a token, and trying to without")
		request.Body = `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","arguments":{"message":"through the gate"}}}`
		Expect(ask(ctx, request)).To(And(beLetIn(), HaveField("Body", ContainSubstring("through the gate"))))
		delete(request.Header, "Authorization")
		Expect(ask(ctx, request)).To(refusedFor("missing_token"))
	})
})
