//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

const (
	// startsOfEach is how often each of the four servers is started.
	startsOfEach = 5
	// longestQuestion is how long a gate may take from its readiness until its log says what the server did without it.
	longestQuestion = 45 * time.Second
	// afterStart is three times the interval of the prober: what the gate has found out is in the status by then.
	afterStart = "6s"
)

var _ = Describe("A healthy server that is started again and again", Label("barestart"), func() {
	It("is never said to exit, to hang or to refuse connections without its gate", func(ctx SpecContext) {
		s := starts{heard: heard{pattern: faultOfBareServer}, results: map[string]int{}}
		namespace := newStory(ctx)
		servers := []*v1alpha1.MCPServer{
			asked(newServer(namespace, "everything", everythingImage, "-http=127.0.0.1:8000")),
			asked(fake(namespace, "open")),
		}
		s.listen(ctx, namespace)
		for _, server := range servers {
			Expect(k8s.Create(ctx, server)).To(Succeed())
		}
		for _, quilt := range []quiltServer{playedQuilt("0.21", bothLacking, false, anyBearer), playedQuilt("0.14", oldLacking, true, refuses)} {
			server := quilt.deploy(ctx, wholeCatalog()) // asked by default
			s.listen(ctx, server.Namespace)
			servers = append(servers, server)
		}
		DeferCleanup(s.report)
		statuses := map[*v1alpha1.MCPServer]func() string{}
		for _, server := range servers {
			becomesHealthy(ctx, server)
			statuses[server] = watchStatus(ctx, server)
		}

		var all sync.WaitGroup
		for _, server := range servers {
			all.Go(func() {
				defer GinkgoRecover()
				s.startAgain(ctx, server)
			})
		}
		all.Wait()
		for server, ended := range statuses {
			s.hear("gatehouse status --watch of "+server.Name, ended())
			s.hear("gatehouse status of "+server.Name, gatehouse(ctx, server, "status", server.Name))
		}
		words, _ := s.all()
		Expect(words).To(BeEmpty())
		Expect(s.count).To(Equal(startsOfEach * len(servers)))
		Expect(s.unasked).To(BeNumerically("<", s.count/2), "gates that do not ask have nothing to say")
	}, NodeTimeout(30*time.Minute))
})

// asked has the gate ask the server what it does without it.
func asked(server *v1alpha1.MCPServer) *v1alpha1.MCPServer {
	server.Spec.AuthProbe.BareServer = v1alpha1.BareServerOnce
	return server
}

// starts are those of several servers, and what was said of them.
type starts struct {
	heard

	counting sync.Mutex
	// count is of all starts, unasked of those whose gate did not ask; results counts what the others found.
	count, unasked int
	results        map[string]int
}

// startAgain deletes the server's pod several times, and each time waits until the new one is proven, its gate has asked, and the
// prober has reported what came of that.
func (s *starts) startAgain(ctx context.Context, server *v1alpha1.MCPServer) {
	GinkgoHelper()
	for range startsOfEach {
		before := podsOf(ctx, server)
		Expect(before).To(HaveLen(1))
		Expect(k8s.Delete(ctx, &before[0])).To(Succeed())
		var fresh corev1.Pod
		Eventually(func(g Gomega) {
			now := podsOf(ctx, server)
			g.Expect(now).To(ConsistOf(HaveField("UID", Not(Equal(before[0].UID)))))
			fresh = now[0]
			g.Expect(isSet(fresh, v1alpha1.ConditionPodAuthProven)).To(BeTrue())
			g.Expect(isSet(fresh, corev1.PodReady)).To(BeTrue())
		}).WithContext(ctx).Should(Succeed())
		result := s.resultOf(ctx, fresh)
		Consistently(func() []string {
			words, _ := s.all()
			return words
		}, afterStart).WithContext(ctx).Should(BeEmpty())
		s.add(server, result)
	}
}

// loggedResult is the line in which a gate says what its server did without it.
var loggedResult = regexp.MustCompile(`"bareServer":"(\w+)"`)

// resultOf is what the gate of a pod has found; empty if it did not ask, as one whose server took long to be well.
func (s *starts) resultOf(ctx context.Context, pod corev1.Pod) string {
	GinkgoHelper()
	found := ""
	err := wait.PollUntilContextTimeout(ctx, 250*time.Millisecond, longestQuestion, true, func(ctx context.Context) (bool, error) {
		log, err := typed.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: desired.GateContainer}).DoRaw(ctx)
		if line := loggedResult.FindSubmatch(log); line != nil {
			found = string(line[1])
		}
		return found != "", err
	})
	Expect(err).To(Or(Succeed(), MatchError(wait.Interrupted, "Interrupted")))
	s.hear("the gate's log of pod "+pod.Name, found)
	return found
}

func (s *starts) add(server *v1alpha1.MCPServer, result string) {
	s.counting.Lock()
	defer s.counting.Unlock()
	s.count++
	if result == "" {
		s.unasked++
		result = "not asked"
	}
	s.results[server.Name+" in "+server.Namespace+": "+result]++
}

// report prints the counts, also of a story that failed.
func (s *starts) report() {
	s.counting.Lock()
	defer s.counting.Unlock()
	words, looked := s.all()
	AddReportEntry("starts", fmt.Sprintf("%d, of which %d without a question", s.count, s.unasked))
	AddReportEntry("what gates found", fmt.Sprint(maps.Clone(s.results)))
	AddReportEntry("false words", fmt.Sprintf("%d in %d texts\n%s", len(words), looked, strings.Join(words, "\n")))
}
