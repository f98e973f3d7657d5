//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// soakFor is how long a soak lasts: SOAK_SECONDS, or else what it says itself.
func soakFor(otherwise time.Duration) time.Duration {
	GinkgoHelper()
	text := os.Getenv("SOAK_SECONDS")
	if text == "" {
		return otherwise
	}
	duration, err := time.ParseDuration(text + "s")
	Expect(err).NotTo(HaveOccurred(), "SOAK_SECONDS")
	return duration
}

var _ = Describe("Soak", Serial, Label("soak"), func() {
	It("tells how soon an open gate, and a repaired one, is seen", func(ctx SpecContext) {
		const runs = 20
		gatesAre(ctx, gateWithSwitchImage)
		server := create(ctx, fake(newStory(ctx), "turns"))
		pod := podsOf(ctx, server)[0]
		var opened, shut []time.Duration
		for range runs {
			opened = append(opened, until(ctx, server, metav1.ConditionFalse, func() { turn(ctx, pod, "/open") }))
			shut = append(shut, until(ctx, server, metav1.ConditionTrue, func() { turn(ctx, pod, "/shut") }))
		}
		interval := time.Duration(*server.Spec.AuthProbe.IntervalSeconds) * time.Second
		AddReportEntry("from fault to False, in intervals", spread(opened, interval))
		AddReportEntry("from repair to True, in intervals", spread(shut, interval))
	}, NodeTimeout(30*time.Minute))

	It("raises no false alarm while pods come and go", func(ctx SpecContext) {
		server := fake(newStory(ctx), "rolls")
		replicas := int32(2)
		server.Spec.Replicas = &replicas
		create(ctx, server)
		alarms := watchFor(ctx, server, func(c metav1.Condition) bool {
			return c.Type == v1alpha1.ConditionAuthHealthy && c.Status == metav1.ConditionFalse
		})
		restarts := 0
		for end := time.Now().Add(soakFor(30 * time.Minute)); time.Now().Before(end); restarts++ {
			restart(ctx, server)
			settles(ctx, server)
		}
		AddReportEntry("restarts", restarts)
		Expect(alarms()).To(BeEmpty())
	}, NodeTimeout(2*time.Hour))

	It("serves on while the operator is away", func(ctx SpecContext) {
		server := create(ctx, fake(newStory(ctx), "alone"))
		startLoad(ctx, server)
		DeferCleanup(stopLoad)
		stopOperator(ctx)
		before := server.Status.AuthHealth.LastProbeTime
		Consistently(func(g Gomega) {
			g.Expect(isReady(ctx, &podsOf(ctx, server)[0])).To(BeTrue())
		}, soakFor(10*time.Minute), "5s").WithContext(ctx).Should(Succeed())
		startOperator(ctx)
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
			g.Expect(server.Status.AuthHealth.LastProbeTime.Time).To(BeTemporally(">", before.Time))
			g.Expect(conditionOf(server, v1alpha1.ConditionAuthHealthy).Status).To(Equal(metav1.ConditionTrue))
		}).WithContext(ctx).WithTimeout(25 * time.Minute).Should(Succeed())
		breaksNone(ctx)
	}, NodeTimeout(time.Hour))
})

// until does something, at a moment that has nothing to do with the rounds of the probe, and gives the time until
// AuthHealthy has the status.
func until(ctx context.Context, server *v1alpha1.MCPServer, status metav1.ConditionStatus, do func()) time.Duration {
	GinkgoHelper()
	time.Sleep(rand.N(time.Duration(*server.Spec.AuthProbe.IntervalSeconds) * time.Second))
	begun := time.Now()
	do()
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
		g.Expect(conditionOf(server, v1alpha1.ConditionAuthHealthy).Status).To(Equal(status))
	}).WithContext(ctx).WithPolling(20 * time.Millisecond).Should(Succeed())
	return time.Since(begun)
}

// spread sums durations up as multiples of a unit.
func spread(all []time.Duration, unit time.Duration) string {
	slices.Sort(all)
	in := func(d time.Duration) float64 { return float64(d) / float64(unit) }
	return fmt.Sprintf("%d runs: least %.2f, median %.2f, most %.2f", len(all), in(all[0]), in(all[len(all)/2]), in(all[len(all)-1]))
}

// settles waits until all pods are of the newest revision, and serve.
func settles(ctx context.Context, server *v1alpha1.MCPServer) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		deployment := deploymentOf(server)
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(deployment), deployment)).To(Succeed())
		status, want := deployment.Status, *server.Spec.Replicas
		g.Expect(status.ObservedGeneration).To(Equal(deployment.Generation))
		g.Expect([]int32{status.Replicas, status.UpdatedReplicas, status.AvailableReplicas}).To(HaveEach(want))
		var pods corev1.PodList
		g.Expect(k8s.List(ctx, &pods, client.InNamespace(server.Namespace), client.MatchingLabels{v1alpha1.LabelServer: server.Name})).To(Succeed())
		g.Expect(pods.Items).To(HaveLen(int(want)), "old pods have yet to end")
	}).WithContext(ctx).Should(Succeed())
}

// watchFor collects the conditions of a server that match, each state of it once, until the function is called that it
// gives.
func watchFor(ctx context.Context, server *v1alpha1.MCPServer, matches func(metav1.Condition) bool) func() []metav1.Condition {
	GinkgoHelper()
	watching, stop := context.WithCancel(ctx)
	ended := make(chan []metav1.Condition)
	begun := make(chan struct{})
	go func() {
		defer GinkgoRecover()
		var found []metav1.Condition
		close(begun)
		for watching.Err() == nil {
			var now v1alpha1.MCPServer
			if err := k8s.Get(watching, client.ObjectKeyFromObject(server), &now); err == nil {
				for _, c := range now.Status.Conditions {
					if matches(c) && !slices.Contains(found, c) {
						found = append(found, c)
					}
				}
			}
			select {
			case <-watching.Done():
			case <-time.After(200 * time.Millisecond):
			}
		}
		ended <- found
	}()
	<-begun
	return func() []metav1.Condition {
		stop()
		return <-ended
	}
}
