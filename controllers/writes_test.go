package controllers_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// written are the writes of the operator under test.
var written writes

// writes counts the requests that change something, by their path.
type writes struct {
	mu   sync.Mutex
	seen []string
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (w *writes) count(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method != http.MethodGet {
			w.mu.Lock()
			w.seen = append(w.seen, r.Method+" "+r.URL.Path)
			w.mu.Unlock()
		}
		return next.RoundTrip(r)
	})
}

// in gives the writes in a namespace, but for Events.
func (w *writes) in(namespace string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []string
	for _, write := range w.seen {
		if strings.Contains(write, "/namespaces/"+namespace+"/") && !strings.Contains(write, "/events") {
			found = append(found, write)
		}
	}
	return found
}

var _ = Describe("The operator's writes", func() {
	// Eight objects are created, and their fields taken over; status and pod follow what happens.
	const toReady = 45

	It("are few until a server is ready, none while it rests, and one for each drift", func(ctx SpecContext) {
		server, pod := proveOne(ctx)
		Eventually(condition(ctx, server, v1alpha1.ConditionReady)).Should(say(metav1.ConditionTrue, v1alpha1.ReasonReady))
		var before []string
		rests := func() bool {
			last := len(before)
			before = written.in(server.Namespace)
			return len(before) == last
		}
		Eventually(rests).WithPolling(1500 * time.Millisecond).Should(BeTrue())
		fmt.Fprintf(GinkgoWriter, "%d writes until Ready and at rest:\n%s\n", len(before), strings.Join(before, "\n"))
		Expect(len(before)).To(BeNumerically("<", toReady), strings.Join(before, "\n"))

		By("being tried every second, and looked at again")
		touch(ctx, server)
		Consistently(func() []string { return written.in(server.Namespace)[len(before):] }, 3*time.Second).Should(BeEmpty())

		By("being spoilt")
		deployment, err := deploymentOf(ctx, server)()
		Expect(err).NotTo(HaveOccurred())
		edit(ctx, deployment, func() { delete(deployment.Labels, v1alpha1.LabelServer) })
		Eventually(deploymentOf(ctx, server)).Should(HaveField("Labels", HaveKey(v1alpha1.LabelServer)))
		Eventually(rests).WithPolling(1500 * time.Millisecond).Should(BeTrue())
		Expect(pod).NotTo(BeNil())
	})
})
