//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// foundWithin bounds how long a leak stays unseen at a quick check a second: all forms have had their turn by then.
const foundWithin = 4 * time.Minute

// leak is a gate that begins to let in one form of request, and what AuthHealthy says of it.
type leak struct {
	to     string // see the gate with a switch in test/altered
	reason string
	says   string
	// stays: what came through was refused by the server, or the pod itself refuses, so it stays in the Service.
	stays bool
	// full: only full checks ask it. The story does not wait for the next: a change of the spec brings it.
	full bool
}

var _ = Describe("A gate that begins to let in", Serial, Ordered, ContinueOnFailure, Label("leaks"), func() {
	BeforeAll(func(ctx SpecContext) { gatesAre(ctx, gateWithSwitchImage) })

	DescribeTable("is found, taken out of the Service and not forgotten", func(ctx SpecContext, l leak) {
		server := fake(newStory(ctx), "leaks")
		server.Spec.Replicas = ptrTo(int32(2))
		server.Spec.AuthProbe = &v1alpha1.AuthProbe{IntervalSeconds: ptrTo(int32(1))}
		server.Spec.Gate = &v1alpha1.Gate{}
		for i := range 8 {
			server.Spec.Gate.ExtraPaths = append(server.Spec.Gate.ExtraPaths, fmt.Sprintf("/files-%d", i))
		}
		create(ctx, server)
		token := goodToken(ctx, server)
		pods := podsOf(ctx, server)
		begun := time.Now()
		for _, pod := range pods {
			Expect(turn(ctx, pod, "/open?to="+l.to)).To(HaveField("Status", http.StatusOK))
		}
		var notes []string
		note := func(what string) {
			notes = append(notes, fmt.Sprintf("%5.1f s  %s", time.Since(begun).Seconds(), what))
		}

		if l.full {
			edit(ctx, server, func() { server.Spec.AuthProbe.IntervalSeconds = ptrTo(int32(2)) })
		}
		told := conditionBecomes(ctx, server, l)
		note(fmt.Sprintf("AuthHealthy is %s, %s: %s", told.Status, told.Reason, told.Message))
		Expect(told.Message).To(ContainSubstring(l.says))
		if !l.stays {
			Eventually(countReady).WithContext(ctx).WithArguments(pods).Should(BeZero())
			note("no pod is ready")
			Eventually(ask).WithContext(ctx).WithArguments(listing(server, token)).ShouldNot(HaveField("Status", http.StatusOK))
			note("the Service leads nobody to them")
		}

		By("looking on for a minute, which is fifty checks or more")
		Consistently(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
			said := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionAuthHealthy)
			g.Expect(said).To(say(metav1.ConditionFalse, l.reason))
			if !l.stays {
				g.Expect(countReady(ctx, pods)).To(BeZero())
			}
		}, time.Minute, time.Second).WithContext(ctx).Should(Succeed())

		By("shutting it: what was seen has to be refuted, at once and once more")
		begun = time.Now()
		for _, pod := range pods {
			answer := turn(ctx, pod, "/shut")
			Expect(answer).To(HaveField("Status", http.StatusOK), "%+v", answer)
		}
		becomesHealthy(ctx, server)
		note("after it was shut, Ready and proven")
		AddReportEntry("open to "+l.to, strings.Join(notes, "\n"))
		GinkgoWriter.Println(strings.Join(notes, "\n"))
	},
		Entry("everybody, later", NodeTimeout(10*time.Minute), leak{to: "", reason: v1alpha1.ReasonUnauthenticatedAccepted, says: "without a token"}),
		Entry("whatever comes over HTTP/1.0", NodeTimeout(10*time.Minute), leak{to: "http10", reason: v1alpha1.ReasonInvalidTokenAccepted, says: "HTTP/1.0"}),
		Entry("batches", NodeTimeout(10*time.Minute), leak{to: "batch", reason: v1alpha1.ReasonWrongAnswer, says: "batch", stays: true}),
		Entry("anybody at one of eight extra paths", NodeTimeout(10*time.Minute), leak{to: "extra", reason: v1alpha1.ReasonWrongAnswer, says: "/files-7", stays: true, full: true}),
		Entry("forged tokens of clients", NodeTimeout(10*time.Minute), leak{to: "clients", reason: v1alpha1.ReasonInvalidTokenAccepted, says: "token"}),
		Entry("everybody at the Service's address alone", NodeTimeout(10*time.Minute), leak{to: "service", reason: v1alpha1.ReasonInvalidTokenAccepted, says: "Host "}),
	)
})

// conditionBecomes waits until AuthHealthy is False for that reason: the server behind the gate may have refused first.
func conditionBecomes(ctx context.Context, server *v1alpha1.MCPServer, l leak) metav1.Condition {
	GinkgoHelper()
	var told metav1.Condition
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
		told = *meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionAuthHealthy)
		g.Expect(told).To(say(metav1.ConditionFalse, l.reason), told.Message)
	}).WithContext(ctx).WithTimeout(foundWithin).Should(Succeed())
	return told
}

// countReady counts those of the pods that are ready, and so get traffic.
func countReady(ctx context.Context, pods []corev1.Pod) (int, error) {
	count := 0
	for i := range pods {
		is, err := isReady(ctx, &pods[i])
		if err != nil {
			return 0, err
		}
		if is {
			count++
		}
	}
	return count, nil
}
