//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	toolswatch "k8s.io/client-go/tools/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// faultOfBareServer matches what must not be said of a healthy server, with the sentence around it: that without its gate it
// exits, hangs, ends or refuses connections, or gives no answer. It matches the words of internal/authhealth and
// internal/statusreport, and the results in status.authHealth.bareServer and in the gate's log.
var faultOfBareServer = regexp.MustCompile(`(?i)[^."]*(\b(exits|hangs|resets)\b|refuses connections|without its gate[^.]*\b(refused connections|no answer))[^."]*`)

// heard collects what matches a pattern of all that is said in a namespace: every state of every object that says something.
type heard struct {
	pattern *regexp.Regexp

	mu     sync.Mutex
	looked int
	words  []string
}

// listen hears what MCPServers and pods say in their status, and Events, until the story ends.
func (h *heard) listen(ctx context.Context, namespace string) {
	GinkgoHelper()
	for _, list := range []client.ObjectList{&v1alpha1.MCPServerList{}, &corev1.PodList{}, &corev1.EventList{}} {
		h.follow(ctx, namespace, list)
	}
}

// follow hears each state of the objects of one kind, from those that exist on. A watch leaves none out.
func (h *heard) follow(ctx context.Context, namespace string, list client.ObjectList) {
	GinkgoHelper()
	c, err := client.NewWithWatch(cluster, client.Options{Scheme: k8s.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	Expect(c.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
	objects, err := meta.ExtractList(list)
	Expect(err).NotTo(HaveOccurred())
	for _, object := range objects {
		h.read(object)
	}
	from := &cache.ListWatch{WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
		return c.Watch(ctx, list, &client.ListOptions{Namespace: namespace, Raw: &options})
	}}
	watcher, err := toolswatch.NewRetryWatcherWithContext(context.WithoutCancel(ctx), list.GetResourceVersion(), from)
	Expect(err).NotTo(HaveOccurred())
	ended := make(chan struct{})
	go func() {
		defer GinkgoRecover()
		defer close(ended)
		for event := range watcher.ResultChan() {
			Expect(event.Type).NotTo(Equal(watch.Error), "states were missed: %v", event.Object)
			h.read(event.Object)
		}
	}()
	DeferCleanup(func() {
		watcher.Stop()
		<-ended
	})
}

// read hears what an object says.
func (h *heard) read(object runtime.Object) {
	GinkgoHelper()
	switch said := object.(type) {
	case *v1alpha1.MCPServer:
		status, err := json.Marshal(said.Status)
		Expect(err).NotTo(HaveOccurred())
		h.hear("status of "+said.Name, string(status))
	case *corev1.Pod:
		for _, condition := range said.Status.Conditions {
			h.hear("pod "+said.Name, condition.Reason+": "+condition.Message)
		}
	case *corev1.Event:
		h.hear("Event about "+said.InvolvedObject.Kind+" "+said.InvolvedObject.Name, said.Reason+": "+said.Message)
	}
}

// hear notes what matches of a text.
func (h *heard) hear(where, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.looked++
	for _, words := range h.pattern.FindAllString(text, -1) {
		h.words = append(h.words, fmt.Sprintf("%s: %s", where, words))
	}
}

// all returns what was heard, and of how many texts.
func (h *heard) all() (words []string, looked int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.words...), h.looked
}
