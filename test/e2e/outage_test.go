//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/network"
	"github.com/mcp-gatehouse/gatehouse/test/loadclient"
)

// outageLoad is how long the server dies under load; it lives for serverLife each time.
const (
	outageLoad = 60 * time.Second
	serverLife = "9s"
)

var _ = Describe("A server that dies again and again under load", Label("outage"), Serial, func() {
	DescribeTable("is never a refused connection to the clients of its Service",
		func(ctx SpecContext, replicas int32) {
			namespace := newStory(ctx)
			server := fake(namespace, "dies", "--fault=die-after="+serverLife)
			server.Spec.Replicas = &replicas
			server.Spec.Gate = &v1alpha1.Gate{AllowedHosts: []string{"plain." + namespace + ".svc"}}
			Expect(k8s.Create(ctx, server)).To(Succeed())
			for _, pod := range haveBeenProven(ctx, server, replicas) {
				Expect(pod.Status.Conditions).NotTo(BeEmpty())
			}
			// A Service with the same pods and nothing else shows what clients would see without a fallback.
			plain := plainService(ctx, server)
			Eventually(ask).WithContext(ctx).WithArguments(listing(server, "")).Should(refusedFor("missing_token"))

			startOutageLoad(ctx, server, plain)
			DeferCleanup(stopLoad)
			watched := watchOutages(ctx, server, outageLoad)
			sum := total(loadReports(ctx))
			stopLoad(ctx)
			for _, caller := range []string{"none", "good", "none at plain", "good at plain"} {
				AddReportEntry(fmt.Sprintf("%d replicas: how the requests of %s ended", replicas, caller), fmt.Sprint(sum[caller].Ended))
			}
			AddReportEntry(fmt.Sprintf("%d replicas: without a ready pod", replicas), watched.String())

			Expect(sum["none"].Ended).To(And(HaveLen(1), HaveKey("401")), "%q", sum["none"].Odd)
			Expect(onlyOf(sum["good"], "200", "502", "503")).To(BeEmpty(), "%q", sum["good"].Odd)
			Expect(sum["good"].Ended).To(HaveKey("200"))
			Expect(watched.falseWords).To(BeEmpty(), "nobody had opened the lock")
			Expect(watched.unproven).To(BeEmpty(), "a pod has lost its proof for what its server does")
			if replicas == 1 {
				Expect(sum["none at plain"].Ended).To(HaveKey(string(loadclient.Refused)), "the outage is none: the test shows nothing")
			}

			By("being scaled to zero: there is nobody to be led to")
			edit(ctx, server, func() { server.Spec.Replicas = ptr.To[int32](0) })
			Eventually(fallbackSlices).WithContext(ctx).WithArguments(server).Should(BeEmpty())
		},
		Entry("with one replica", int32(1)),
		Entry("with three replicas", int32(3)),
	)
})

// haveBeenProven waits until that many pods have their proof, which a crash does not take from them.
func haveBeenProven(ctx context.Context, server *v1alpha1.MCPServer, count int32) []corev1.Pod {
	GinkgoHelper()
	Eventually(func() int {
		return len(slices.DeleteFunc(podsOf(ctx, server), func(pod corev1.Pod) bool {
			return !isSet(pod, v1alpha1.ConditionPodAuthProven)
		}))
	}).WithContext(ctx).Should(BeEquivalentTo(count))
	return podsOf(ctx, server)
}

func isSet(pod corev1.Pod, kind corev1.PodConditionType) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == kind && c.Status == corev1.ConditionTrue
	})
}

// plainService leads to the same pods as the server's own, and gives its URL.
func plainService(ctx context.Context, server *v1alpha1.MCPServer) string {
	GinkgoHelper()
	plain := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: server.Namespace, Name: "plain"}}
	plain.Spec.Selector = map[string]string{v1alpha1.LabelServer: server.Name}
	plain.Spec.SessionAffinity = corev1.ServiceAffinityClientIP
	plain.Spec.Ports = []corev1.ServicePort{{Name: desired.GatePortName, Port: 8080, TargetPort: intstr.FromString(desired.GatePortName)}}
	Expect(k8s.Create(ctx, plain)).To(Succeed())
	url := strings.Replace(desired.URL(server, false), "//"+server.Name+".", "//plain.", 1)
	Eventually(ask).WithContext(ctx).WithArguments(toMCP(url, "")).Should(refusedFor("missing_token"))
	return url
}

// startOutageLoad asks both Services, with and without a good token, on new connections.
func startOutageLoad(ctx context.Context, server *v1alpha1.MCPServer, plain string) {
	GinkgoHelper()
	good, none := listing(server, goodToken(ctx, server)), listing(server, "")
	callers := []loadclient.Caller{
		{Name: "none", Workers: 2, IntervalMillis: 100, Request: none, Want: "missing_token"},
		{Name: "good", Workers: 2, IntervalMillis: 100, Request: good},
	}
	for _, caller := range slices.Clone(callers) {
		caller.Name += " at plain"
		caller.Request.URL = plain
		callers = append(callers, caller)
	}
	for _, pod := range clients {
		var report loadclient.Report
		order(ctx, pod, http.MethodPost, "load", callers, &report)
	}
}

// outages are what was seen of a server over a while.
type outages struct {
	count      int
	lasted     time.Duration
	falseWords []string
	unproven   []string
}

func (o outages) String() string {
	return fmt.Sprintf("%d times, for %s of %s", o.count, o.lasted.Round(100*time.Millisecond), outageLoad)
}

// watchOutages looks ten times a second.
func watchOutages(ctx context.Context, server *v1alpha1.MCPServer, duration time.Duration) outages {
	GinkgoHelper()
	const tick = 100 * time.Millisecond
	var seen outages
	down := false
	begun, last := time.Now(), time.Now()
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
		for _, c := range server.Status.Conditions {
			if c.Type == v1alpha1.ConditionAuthHealthy && c.Status == metav1.ConditionFalse && !slices.Contains(seen.falseWords, c.Message) {
				seen.falseWords = append(seen.falseWords, c.Message)
			}
		}
		ready := false
		for _, pod := range podsOf(ctx, server) {
			ready = ready || isSet(pod, corev1.PodReady)
			if !isSet(pod, v1alpha1.ConditionPodAuthProven) {
				seen.unproven = append(seen.unproven, pod.Name)
			}
		}
		if !ready && !down {
			seen.count++
		}
		if !ready {
			seen.lasted += time.Since(last)
		}
		down, last = !ready, time.Now()
		g.Expect(time.Since(begun)).To(BeNumerically(">", duration))
	}).WithContext(ctx).WithPolling(tick).WithTimeout(3 * duration).Should(Succeed())
	return seen
}

// onlyOf names how requests ended in other ways than these.
func onlyOf(counts loadclient.Counts, ways ...string) []string {
	var others []string
	for how := range counts.Ended {
		if !slices.Contains(ways, strings.TrimSuffix(how, " without ")) {
			others = append(others, how)
		}
	}
	return others
}

func fallbackSlices(ctx context.Context, server *v1alpha1.MCPServer) ([]discoveryv1.EndpointSlice, error) {
	var list discoveryv1.EndpointSliceList
	err := k8s.List(ctx, &list, client.InNamespace(server.Namespace), client.MatchingLabels{
		discoveryv1.LabelServiceName: server.Name, discoveryv1.LabelManagedBy: network.FallbackManager,
	})
	return list.Items, err
}
