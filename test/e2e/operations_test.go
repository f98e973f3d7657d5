//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

var _ = Describe("Operations at random under load", Serial, Label("soak", "operations"), func() {
	It("of users raise no false alarm, and give no odd answer", func(ctx SpecContext) {
		f := startFleet(ctx)
		f.operate(ctx, soakFor(30*time.Minute), f.usersDo())
		f.settle(ctx)
		f.count(ctx)
	}, NodeTimeout(2*time.Hour))

	It("of users and of a cluster in trouble raise no false alarm, and give no odd answer", func(ctx SpecContext) {
		f := startFleet(ctx)
		stop := f.trouble(ctx)
		f.operate(ctx, soakFor(20*time.Minute), append(f.usersDo(), f.othersDo()...))
		stop()
		f.settle(ctx)
		f.count(ctx)
	}, NodeTimeout(2*time.Hour))
})

// operation is something that is done to one of the servers, or to the operator.
type operation struct {
	name string
	do   func(ctx context.Context, server *v1alpha1.MCPServer)
}

// operate does one operation after the other, for a while.
func (f *loadedFleet) operate(ctx context.Context, lasting time.Duration, all []operation) {
	GinkgoHelper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("OPERATIONS_SEED"); text != "" {
		given, err := strconv.ParseUint(text, 10, 64)
		Expect(err).NotTo(HaveOccurred(), "OPERATIONS_SEED")
		seed = given
	}
	AddReportEntry("OPERATIONS_SEED", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	done := map[string]int{}
	for end := time.Now().Add(lasting); time.Now().Before(end); {
		chosen, server := all[random.IntN(len(all))], f.servers[random.IntN(len(f.servers))]
		f.note("%s: %s", server.Name, chosen.name)
		chosen.do(ctx, server.DeepCopy())
		done[chosen.name]++
		time.Sleep(2*time.Second + time.Duration(random.Int64N(int64(9*time.Second))))
	}
	AddReportEntry("operations", fmt.Sprint(done))
}

// settle waits until all servers are well again.
func (f *loadedFleet) settle(ctx context.Context) {
	GinkgoHelper()
	for _, server := range f.servers {
		becomesHealthy(ctx, server.DeepCopy())
	}
}

// usersDo is what the owners of servers do every day.
func (f *loadedFleet) usersDo() []operation {
	annotate := func(name string) func(context.Context, *v1alpha1.MCPServer) {
		return func(ctx context.Context, server *v1alpha1.MCPServer) {
			edit(ctx, server, func() { metav1.SetMetaDataAnnotation(&server.ObjectMeta, name, time.Now().Format(time.RFC3339Nano)) })
		}
	}
	change := func(do func(*v1alpha1.MCPServer)) func(context.Context, *v1alpha1.MCPServer) {
		return func(ctx context.Context, server *v1alpha1.MCPServer) { edit(ctx, server, func() { do(server) }) }
	}
	return []operation{
		{"restart", func(ctx context.Context, server *v1alpha1.MCPServer) {
			Eventually(func(g Gomega) { g.Expect(tryRestart(ctx, server)).To(Succeed()) }).WithContext(ctx).Should(Succeed())
		}},
		{"scale", change(func(server *v1alpha1.MCPServer) { server.Spec.Replicas = ptrTo(2 + (*server.Spec.Replicas-1)%3) })},
		{"change the server's environment", change(func(server *v1alpha1.MCPServer) {
			server.Spec.Env = []corev1.EnvVar{{Name: "CHANGED", Value: time.Now().Format(time.RFC3339)}}
		})},
		{"change the interval of the probe", change(func(server *v1alpha1.MCPServer) {
			server.Spec.AuthProbe.IntervalSeconds = ptrTo(2 + *server.Spec.AuthProbe.IntervalSeconds%3)
		})},
		{"rotate keys", annotate(v1alpha1.AnnotationRotateKeys)},
		{"rotate the gate's secret", annotate(v1alpha1.AnnotationRotateGateSecret)},
		{"evict a pod", f.evictOne},
		{"restart the operator", func(ctx context.Context, _ *v1alpha1.MCPServer) { f.note("killed operator %s", killLeader(ctx)) }},
	}
}

// othersDo is what happens to objects that users do not own.
func (f *loadedFleet) othersDo() []operation {
	remove := func(named func(metav1.ObjectMeta) client.Object) func(context.Context, *v1alpha1.MCPServer) {
		return func(ctx context.Context, server *v1alpha1.MCPServer) {
			object := named(metav1.ObjectMeta{Namespace: server.Namespace, Name: server.Name})
			Eventually(func() error { return client.IgnoreNotFound(k8s.Delete(ctx, object)) }).WithContext(ctx).Should(Succeed())
		}
	}
	return []operation{
		{"delete the keys' ConfigMap", remove(func(meta metav1.ObjectMeta) client.Object {
			meta.Name += "-jwks"
			return &corev1.ConfigMap{ObjectMeta: meta}
		})},
		{"delete the NetworkPolicy", remove(func(meta metav1.ObjectMeta) client.Object { return &networkingv1.NetworkPolicy{ObjectMeta: meta} })},
		{"delete the PodDisruptionBudget", remove(func(meta metav1.ObjectMeta) client.Object { return &policyv1.PodDisruptionBudget{ObjectMeta: meta} })},
	}
}

// evictOne is what `kubectl drain` does: a budget may forbid it. While nobody keeps the EndpointSlices, every Service leads to
// an evicted pod, whatever is behind it.
func (f *loadedFleet) evictOne(ctx context.Context, server *v1alpha1.MCPServer) {
	GinkgoHelper()
	if f.unkept.Load() {
		return
	}
	pods, err := tryPods(ctx, server)
	if err != nil || len(pods) == 0 {
		return
	}
	pod := pods[rand.IntN(len(pods))]
	err = k8s.SubResource("eviction").Create(ctx, &pod, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name}})
	if err != nil && !strings.Contains(err.Error(), "disruption budget") {
		GinkgoWriter.Printf("evict %s: %v\n", pod.Name, err)
	}
}
