//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/test/loadclient"
)

// fleetTokenLife is longer than an API server needs to restart, which waits a minute for its watches: meanwhile nobody can hand
// out new tokens.
const fleetTokenLife = 3 * time.Minute

// loadedFleet is some servers under load, whose conditions are watched.
type loadedFleet struct {
	servers []*v1alpha1.MCPServer
	begun   time.Time

	// unkept: the controller manager stands still, so nobody takes a pod that is gone out of the EndpointSlices.
	unkept atomic.Bool

	mu     sync.Mutex
	notes  []string
	alarms func() []metav1.Condition
}

// startFleet makes three servers, of two pods each to begin with, and puts them under load.
func startFleet(ctx context.Context) *loadedFleet {
	GinkgoHelper()
	f := &loadedFleet{begun: time.Now()}
	namespace := newStory(ctx)
	for i := range 3 {
		server := fake(namespace, fmt.Sprint("server-", i))
		server.Spec.Replicas = ptrTo[int32](2)
		server.Spec.Service = &v1alpha1.Service{SessionAffinity: corev1.ServiceAffinityNone}
		server.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{{
			Name: "managed", ClockSkewSeconds: ptrTo[int32](0), MaxTokenLifetimeSeconds: ptrTo(int32(fleetTokenLife / time.Second)),
			Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysManaged},
		}}}
		f.servers = append(f.servers, create(ctx, server))
	}
	f.feed(ctx)
	f.load(ctx)
	f.watch(ctx)
	return f
}

// feed hands the clients a fresh token for each server all the time, until the story ends. While the API server is away
// they use those that they have.
func (f *loadedFleet) feed(ctx context.Context) {
	GinkgoHelper()
	hand := func(ctx context.Context) error {
		minted := map[string]string{}
		for _, server := range f.servers {
			template, err := tryIssuer(ctx, server.DeepCopy())
			if err != nil {
				return err
			}
			template.Lifetime = fleetTokenLife
			if minted[server.Name], err = template.Good(time.Now()); err != nil {
				return err
			}
		}
		for _, pod := range clients {
			var taken int
			if err := tryOrder(ctx, pod, http.MethodPost, "tokens", minted, &taken); err != nil {
				return err
			}
		}
		return nil
	}
	Expect(hand(ctx)).To(Succeed())
	// The context of the spec is done before its clean-up.
	feeding, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-feeding.Done():
				return
			case <-time.After(feedPause):
				if err := hand(context.WithoutCancel(feeding)); err != nil {
					f.note("no new tokens: %v", err)
				}
			}
		}
	}()
	DeferCleanup(func() {
		stop()
		<-ended
	})
}

// load has both clients ask every server, with a token and without, on new connections and on kept ones.
func (f *loadedFleet) load(ctx context.Context) {
	GinkgoHelper()
	var callers []loadclient.Caller
	for _, server := range f.servers {
		for _, keep := range []bool{false, true} {
			name := server.Name
			if keep {
				name += ", kept connections"
			}
			request := listing(server, "")
			callers = append(callers,
				loadclient.Caller{Name: "none, " + name, Workers: 1, Keep: keep, Request: request, Want: `"missing_token"`},
				loadclient.Caller{Name: "good, " + name, Workers: 1, Keep: keep, Request: request, Want: `"result"`, Token: server.Name})
		}
	}
	for i := range callers {
		callers[i].IntervalMillis = 300
	}
	for _, pod := range clients {
		var report loadclient.Report
		order(ctx, pod, http.MethodPost, "load", callers, &report)
	}
	DeferCleanup(stopLoad)
}

// watch collects what conditions say that must not be said of servers that are well.
func (f *loadedFleet) watch(ctx context.Context) {
	GinkgoHelper()
	var all []func() []metav1.Condition
	for _, server := range f.servers {
		all = append(all, watchFor(ctx, server, func(c metav1.Condition) bool {
			switch c.Type {
			case v1alpha1.ConditionStalled:
				return c.Status == metav1.ConditionTrue
			case v1alpha1.ConditionAccepted, v1alpha1.ConditionKeysReady, v1alpha1.ConditionAuthHealthy:
				return c.Status == metav1.ConditionFalse
			default:
				return false
			}
		}))
	}
	f.alarms = func() (found []metav1.Condition) {
		for _, alarms := range all {
			found = append(found, alarms()...)
		}
		return found
	}
}

// trouble has the local cluster's parts fail, one after the other, until the function that it gives is called: the
// controller manager stands still for a minute, the enforcer of policies for ten seconds, and the API server restarts.
func (f *loadedFleet) trouble(ctx context.Context) (stop func()) {
	GinkgoHelper()
	if os.Getenv("GATEHOUSE_COMPONENT") == "" {
		Skip("the cluster is not the local one: its parts cannot be stopped from here")
	}
	troubling, end := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer GinkgoRecover()
		defer close(ended)
		for troubling.Err() == nil {
			f.unkept.Store(true)
			f.standStill(troubling, "kube-controller-manager", time.Minute)
			f.unkept.Store(false)
			f.pause(troubling, time.Minute)
			f.standStill(troubling, "netpol", 10*time.Second)
			f.pause(troubling, time.Minute)
			f.component("restart", "kube-apiserver")
			f.pause(troubling, 2*time.Minute)
		}
	}()
	return func() {
		end()
		<-ended
	}
}

func (f *loadedFleet) standStill(ctx context.Context, name string, lasting time.Duration) {
	f.component("stop", name)
	defer f.component("continue", name)
	f.pause(ctx, lasting)
}

func (*loadedFleet) pause(ctx context.Context, lasting time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(lasting):
	}
}

// component is hack/cluster/component.
func (f *loadedFleet) component(what, name string) {
	f.note("%s %s", what, name)
	said, err := exec.Command(os.Getenv("GATEHOUSE_COMPONENT"), what, name).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s %s: %s", what, name, said)
}

// note writes down what happened, and when.
func (f *loadedFleet) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notes = append(f.notes, fmt.Sprintf("%s %7.1f s  %s", time.Now().UTC().Format(time.TimeOnly), time.Since(f.begun).Seconds(), fmt.Sprintf(format, args...)))
}

// count ends the load, and reports: no answer may be odd, and nothing false may have been said.
func (f *loadedFleet) count(ctx context.Context) {
	GinkgoHelper()
	sum := total(loadReports(ctx))
	stopLoad(ctx)
	AddReportEntry("what happened", strings.Join(f.notes, "\n"), ReportEntryVisibilityFailureOrVerbose)
	answers, requests := map[string]int{}, 0
	var odd []string
	for caller, counts := range sum {
		kind, _, _ := strings.Cut(caller, ",")
		for how, n := range counts.Ended {
			answers[kind+": "+how] += n
			requests += n
			if how != map[string]string{"none": "401", "good": "200"}[kind] {
				odd = append(odd, fmt.Sprintf("%s: %d x %s: %q", caller, n, how, counts.Odd))
			}
		}
	}
	alarms := f.alarms()
	AddReportEntry("requests", fmt.Sprint(requests, " ", answers))
	AddReportEntry("alarms", fmt.Sprint(alarms))
	slices.Sort(odd)
	Expect(odd).To(BeEmpty())
	Expect(alarms).To(BeEmpty())
}

// tryRestart is restart for a time in which the API server may be away.
func tryRestart(ctx context.Context, server *v1alpha1.MCPServer) error {
	patch := fmt.Sprintf(`{"spec":{"template":{"metadata":{"annotations":{%q:%q}}}}}`, restartedAt, time.Now().Format(time.RFC3339))
	deployment := appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: server.Namespace, Name: server.Name}}
	return k8s.Patch(ctx, &deployment, client.RawPatch(types.StrategicMergePatchType, []byte(patch)))
}

// tryPods lists the server's pods that are not ending.
func tryPods(ctx context.Context, server *v1alpha1.MCPServer) ([]corev1.Pod, error) {
	var list corev1.PodList
	err := k8s.List(ctx, &list, client.InNamespace(server.Namespace), client.MatchingLabels{v1alpha1.LabelServer: server.Name})
	return slices.DeleteFunc(list.Items, func(pod corev1.Pod) bool { return pod.DeletionTimestamp != nil }), err
}
