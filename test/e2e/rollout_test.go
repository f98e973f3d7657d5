//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/loadclient"
)

const (
	restartedAt = "kubectl.kubernetes.io/restartedAt"
	// slowSeconds is how long the slow requests take: longer than a pod waits for endpoints to go, so that every pod
	// that ends has some in flight.
	slowSeconds = 8
)

var _ = Describe("A rolling restart under load", Label("ci"), func() {
	It("lets every good request in, refuses every bad one, and breaks none", func(ctx SpecContext) {
		server := fake(newStory(ctx), "busy")
		replicas := int32(2)
		server.Spec.Replicas = &replicas
		create(ctx, server)
		before := podsOf(ctx, server)
		Expect(before).To(HaveLen(2))

		startLoad(ctx, server)
		DeferCleanup(stopLoad)
		Eventually(finished).WithContext(ctx).WithArguments("slow").Should(BeNumerically(">", 1))
		steady := finished(ctx, "good-new")

		By("restarting it as kubectl does")
		restart(ctx, server)
		Eventually(func(g Gomega) {
			var pods corev1.PodList
			g.Expect(k8s.List(ctx, &pods, client.InNamespace(server.Namespace), client.MatchingLabels{v1alpha1.LabelServer: server.Name})).To(Succeed())
			g.Expect(pods.Items).To(HaveLen(2), "old pods are there, or new ones are not")
			for _, old := range before {
				g.Expect(pods.Items).NotTo(ContainElement(HaveField("UID", old.UID)))
			}
		}).WithContext(ctx).Should(Succeed())
		becomesHealthy(ctx, server)

		By("keeping up the load for as long again")
		during := finished(ctx, "good-new")
		Eventually(finished).WithContext(ctx).WithArguments("good-new").Should(BeNumerically(">", during+steady))
		slow := finished(ctx, "slow")
		Eventually(finished).WithContext(ctx).WithArguments("slow").Should(BeNumerically(">", slow+3))

		By("counting")
		breaksNone(ctx)
		deployment := deploymentOf(server)
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(deployment), deployment)).To(Succeed())
		Expect(deployment.Spec.Template.Annotations).To(HaveKey(restartedAt), "the operator took the restart back")
	})
})

// expected is the one way in which all requests of each caller may end.
var expected = map[string]string{
	"good-new": "200", "good-kept": "200", "slow": "200", "none-new": "401", "malformed-kept": "401", "forged-new": "401",
	"unruled-new": "403",
}

// startLoad sets both clients to work: about 40 requests a second each, on new connections and on kept ones, spread over
// the servers. The callers of all servers but the first are named with theirs.
func startLoad(ctx context.Context, servers ...*v1alpha1.MCPServer) {
	GinkgoHelper()
	var callers []loadclient.Caller
	for i, server := range servers {
		for _, caller := range callersOf(ctx, server) {
			caller.IntervalMillis = 200 * len(servers)
			if i > 0 {
				caller.Name += " of " + server.Name
			}
			callers = append(callers, caller)
		}
	}
	for _, pod := range clients {
		var report loadclient.Report
		order(ctx, pod, http.MethodPost, "load", callers, &report)
	}
}

// callersOf ask a server in each way that is expected of some. Where rules stand, one asks for what none allows.
func callersOf(ctx context.Context, server *v1alpha1.MCPServer) []loadclient.Caller {
	GinkgoHelper()
	good, none := listing(server, goodToken(ctx, server)), listing(server, "")
	slow := toMCP(good.URL, goodToken(ctx, server))
	slow.Body = fmt.Sprintf(`{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"sleep","arguments":{"seconds":%d}}}`, slowSeconds)
	slow.TimeoutSeconds = 60
	callers := []loadclient.Caller{
		{Name: "good-new", Workers: 2, Request: good, Want: `"result"`},
		{Name: "good-kept", Workers: 2, Keep: true, Request: good, Want: `"result"`},
		{Name: "slow", Workers: 2, Request: slow, Want: "slept"},
		{Name: "none-new", Workers: 1, Request: none, Want: `"missing_token"`},
		{Name: "malformed-kept", Workers: 2, Keep: true, Request: listing(server, token.Malformed), Want: `"malformed_token"`},
		{Name: "forged-new", Workers: 1, Request: listing(server, badToken(ctx, server, token.WrongKey)), Want: `"bad_signature"`},
	}
	if server.Spec.Auth != nil && server.Spec.Auth.Authorization != nil {
		unruled := good
		unruled.Body = callEcho
		callers = append(callers, loadclient.Caller{Name: "unruled-new", Workers: 1, Request: unruled, Want: `"reason"`})
	}
	return callers
}

// breaksNone reports how the requests of the load have ended so far. None may have ended otherwise than it should.
func breaksNone(ctx context.Context) {
	GinkgoHelper()
	sum, answers := total(loadReports(ctx)), map[string]int{}
	for caller, counts := range sum {
		AddReportEntry("how the requests of "+caller+" ended", fmt.Sprint(counts.Ended))
		for how, n := range counts.Ended {
			answers[how] += n
		}
	}
	AddReportEntry("how all requests ended", fmt.Sprint(answers))
	for caller, counts := range sum {
		kind, _, _ := strings.Cut(caller, " ")
		Expect(counts.Ended).To(And(HaveLen(1), HaveKey(expected[kind])), "%s: %q", caller, counts.Odd)
	}
}

func stopLoad(ctx context.Context) {
	for _, pod := range clients {
		var report loadclient.Report
		order(ctx, pod, http.MethodPost, "load", []loadclient.Caller{}, &report)
	}
}

func loadReports(ctx context.Context) []loadclient.Report {
	GinkgoHelper()
	all := make([]loadclient.Report, len(clients))
	for i, pod := range clients {
		order(ctx, pod, http.MethodGet, "load", nil, &all[i])
	}
	return all
}

// total adds the clients up.
func total(reports []loadclient.Report) loadclient.Report {
	sum := loadclient.Report{}
	for _, report := range reports {
		for caller, counts := range report {
			all := sum[caller]
			if all.Ended == nil {
				all.Ended = map[string]int{}
			}
			for how, n := range counts.Ended {
				all.Ended[how] += n
			}
			all.Odd = append(all.Odd, counts.Odd...)
			sum[caller] = all
		}
	}
	return sum
}

// finished counts the requests of one caller so far, of that client which has fewer.
func finished(ctx context.Context, caller string) int {
	GinkgoHelper()
	fewest := -1
	for _, report := range loadReports(ctx) {
		if n := report[caller].Total(); fewest < 0 || n < fewest {
			fewest = n
		}
	}
	return fewest
}

// restart is `kubectl rollout restart deployment`.
func restart(ctx context.Context, server *v1alpha1.MCPServer) {
	GinkgoHelper()
	Expect(tryRestart(ctx, server)).To(Succeed())
}
