package controllers_test

import (
	"context"
	"net"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
	"github.com/mcp-gatehouse/gatehouse/test/pair"
)

// Each row is a server that was proven and then has a fault, and what one round through its gate makes of AuthHealthy.
var _ = Describe("One round on a server with the fault", func() {
	for _, row := range pair.Rows() {
		if row.Gated == "" {
			continue
		}
		It(row.Fault, func(ctx SpecContext) {
			server, pod := proveUnwatched(ctx, start(testGateImage), func(s *v1alpha1.MCPServer) {
				s.Spec.Auth = &v1alpha1.Auth{Forward: &v1alpha1.Forward{Authorization: v1alpha1.AuthorizationForward}}
				if pair.IsSilent(row.Fault) {
					s.Spec.AuthProbe.TimeoutSeconds = ptr.To(int32(1))
				}
			})
			pod.fails(ctx, row.Fault)
			start(testGateImage).act(ctx, server)
			kind := probe.Kind(strings.Fields(row.Gated)[1])
			Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(behindTheGate(kind))
			Expect(pod.proven(ctx)()).To(BeEquivalentTo(metav1.ConditionTrue), "a fault of the server is none of the lock")
		})
	}
})

// behindTheGate is what AuthHealthy says of a kind of round on one pod.
func behindTheGate(kind probe.Kind) OmegaMatcher {
	GinkgoHelper()
	switch kind {
	case probe.Locked:
		return say(metav1.ConditionTrue, v1alpha1.ReasonProven)
	case probe.ValidRejected:
		return say(metav1.ConditionFalse, v1alpha1.ReasonValidTokenRejected)
	case probe.UpstreamUnavailable:
		return say(metav1.ConditionUnknown, v1alpha1.ReasonUpstreamUnavailable)
	case probe.Inconclusive:
		return say(metav1.ConditionUnknown, v1alpha1.ReasonInconclusive)
	case probe.Open, probe.Broken, probe.ClockSkew, probe.Unreachable:
	}
	Fail("no fault of a server may come through the gate as " + string(kind))
	return nil
}

// fails puts a server with a fault into the place of the pod's own. A fault of its start keeps the port shut, and an exit
// shuts it.
func (p *simulatedPod) fails(ctx context.Context, fault string) {
	GinkgoHelper()
	Expect(p.server.Close()).To(Succeed())
	var server *mcpfake.Server
	server, err := mcpfake.New(mcpfake.Options{Faults: fault, Exit: func(int) { _ = server.Close() }})
	Expect(err).NotTo(HaveOccurred())
	starting, cancel := context.WithTimeout(ctx, time.Second/5)
	defer cancel()
	if server.Prepare(starting, func(string) (string, bool) { return "", false }) != nil {
		return
	}
	var listener net.Listener
	Eventually(func() (err error) {
		listener, err = net.Listen("tcp", p.upstream)
		return err
	}).Should(Succeed())
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	DeferCleanup(server.Close)
	if strings.Contains(fault, "-after=") { // its process is to be gone
		Eventually(served).Should(Receive())
	}
}
