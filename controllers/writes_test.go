package controllers_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/test/uncached"
)

// written has the requests of the operator under test.
var written requestLog

// requestLog are those to the API server, as "METHOD path".
type requestLog struct {
	mu   sync.Mutex
	seen []string
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (r *requestLog) count(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		r.mu.Lock()
		r.seen = append(r.seen, request.Method+" "+request.URL.Path)
		r.mu.Unlock()
		return next.RoundTrip(request)
	})
}

// in gives the requests of a method in a namespace, but for Events, without the path to the namespace.
func (r *requestLog) in(namespace string, methods ...string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []string
	for _, request := range r.seen {
		method, path, _ := strings.Cut(request, " ")
		_, what, within := strings.Cut(path, "/namespaces/"+namespace+"/")
		if within && slices.Contains(methods, method) && !strings.HasPrefix(what, "events") {
			found = append(found, method+" "+what)
		}
	}
	return found
}

// writesIn gives those in a namespace that change something.
func (r *requestLog) writesIn(namespace string) []string {
	return r.in(namespace, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete)
}

// client gives one whose requests are counted.
func (r *requestLog) client() client.Client {
	GinkgoHelper()
	config := rest.CopyConfig(restConfig)
	config.Wrap(r.count)
	counted, err := client.New(config, client.Options{Scheme: k8s.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	return counted
}

var _ = Describe("The operator's writes", func() {
	// Eight objects are created; status and pod follow what happens.
	const toReady = 15

	It("are one for each object that is created, without a look first", func(ctx SpecContext) {
		server := newUnwatched(ctx)
		var made, looked requestLog
		o := start(testGateImage)
		o.builder.Client, o.builder.Live = uncached.Client{Client: client.NewNamespacedClient(made.client(), unwatched)}, looked.client()
		name, begun := server.Name, fresh(ctx, server)
		for range 2 { // the second time as with a cache that does not know the status yet
			_, err := o.builder.Reconcile(ctx, begun.DeepCopy())
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(made.writesIn(unwatched)).To(ConsistOf(
			"POST secrets", "POST secrets", "POST configmaps", "POST configmaps", "POST serviceaccounts", "POST services",
			"POST networkpolicies", "POST deployments", "PATCH mcpservers/"+name+"/status"))
		reads := slices.DeleteFunc(looked.in(unwatched, http.MethodGet), func(read string) bool {
			return strings.HasPrefix(read, "GET httproutes/") // for which this operator has no cache, once a spec has brought them
		})
		// No key is made a second time, so these are looked for past the cache.
		key, gate := "GET secrets/"+name+"-keys", "GET secrets/"+name+"-gate"
		Expect(reads).To(ConsistOf(key, gate))
	})

	It("tell of a proof before its pod takes traffic, so that nobody sums up without it", func(ctx SpecContext) {
		server := newUnwatched(ctx)
		var made requestLog
		o := start(testGateImage)
		o.build(ctx, server)
		pod := startPod(ctx, server)
		o.prober.Client = uncached.Client{Client: client.NewNamespacedClient(made.client(), unwatched)}
		o.act(ctx, server)
		Expect(made.writesIn(unwatched)).To(Equal([]string{
			"PATCH mcpservers/" + server.Name + "/status", "PATCH pods/" + pod.pod.Name + "/status"}))
	})

	It("are few until a server is ready, none while it rests, and one for each drift", func(ctx SpecContext) {
		server, pod := proveOne(ctx)
		Eventually(condition(ctx, server, v1alpha1.ConditionReady)).Should(say(metav1.ConditionTrue, v1alpha1.ReasonReady))
		var before []string
		rests := func() bool {
			last := len(before)
			before = written.writesIn(server.Namespace)
			return len(before) == last
		}
		Eventually(rests).WithPolling(1500 * time.Millisecond).Should(BeTrue())
		fmt.Fprintf(GinkgoWriter, "%d writes until Ready and at rest:\n%s\n", len(before), strings.Join(before, "\n"))
		Expect(len(before)).To(BeNumerically("<", toReady), strings.Join(before, "\n"))

		By("being tried every second, and looked at again")
		touch(ctx, server)
		Consistently(func() []string { return written.writesIn(server.Namespace)[len(before):] }, 3*time.Second).Should(BeEmpty())

		By("being spoilt")
		deployment, err := deploymentOf(ctx, server)()
		Expect(err).NotTo(HaveOccurred())
		editObject(ctx, deployment, func() { delete(deployment.Labels, v1alpha1.LabelServer) })
		Eventually(deploymentOf(ctx, server)).Should(HaveField("Labels", HaveKey(v1alpha1.LabelServer)))
		Eventually(rests).WithPolling(1500 * time.Millisecond).Should(BeTrue())
		Expect(pod).NotTo(BeNil())
	})
})
