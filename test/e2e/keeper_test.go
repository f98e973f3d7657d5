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
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/test/loadclient"
)

// intrusion is somebody with edit rights in the namespace, a key of his own, and what came of it.
type intrusion struct {
	*v1alpha1.MCPServer
	key    keys.Private
	bearer string
	begun  time.Time
	notes  []string
}

func intrude(ctx context.Context, server *v1alpha1.MCPServer) *intrusion {
	GinkgoHelper()
	his, err := keys.Generate(keys.EdDSA)
	Expect(err).NotTo(HaveOccurred())
	i := &intrusion{MCPServer: server, key: his}
	template := issuer(ctx, server)
	template.Key = i.key
	i.bearer = mintGood(template)
	Expect(ask(ctx, listing(server, i.bearer))).To(refusedFor("unknown_key"))
	return i
}

// publish puts the key among those that gates load, where nobody can take it away, and has the kubelet look at once.
func (i *intrusion) publish(ctx context.Context) {
	GinkgoHelper()
	list := &corev1.ConfigMap{}
	list.Namespace, list.Name = i.Namespace, desired.PublicKeysName(i.MCPServer)
	edit(ctx, list, func() {
		set, err := keys.ParsePublic([]byte(list.Data["managed.jwks"]))
		Expect(err).NotTo(HaveOccurred())
		encoded, err := keys.MarshalPublic(append(set.Keys, i.key.Public()))
		Expect(err).NotTo(HaveOccurred())
		list.Data["managed.jwks"], list.Immutable = string(encoded), ptrTo(true)
	})
	i.begun = time.Now()
	for _, pod := range podsOf(ctx, i.MCPServer) {
		edit(ctx, &pod, func() { metav1.SetMetaDataAnnotation(&pod.ObjectMeta, "example.com/look", "now") })
	}
}

func (i *intrusion) note(format string, args ...any) {
	i.notes = append(i.notes, fmt.Sprintf("%5.1f s  %s", time.Since(i.begun).Seconds(), fmt.Sprintf(format, args...)))
}

// atPods asks each pod with his token, and counts those that let him in.
func (i *intrusion) atPods(ctx context.Context) (letIn, pods int) {
	GinkgoHelper()
	for _, pod := range podsOf(ctx, i.MCPServer) {
		if pod.Status.PodIP == "" {
			continue
		}
		request := toMCP("http://"+pod.Status.PodIP+":8080/mcp", i.bearer)
		request.Body, request.TimeoutSeconds = listTools, 3
		switch answer := ask(ctx, request); answer.Status {
		case http.StatusOK:
			letIn++
			pods++
		case http.StatusUnauthorized:
			pods++
		}
	}
	return letIn, pods
}

// atService is what he gets where clients come: 0 is no connection.
func (i *intrusion) atService(ctx context.Context) loadclient.Answer {
	request := listing(i.MCPServer, i.bearer)
	request.TimeoutSeconds = 3
	return ask(ctx, request)
}

// follow watches until no pod that there is lets him in, and every pod was proven again. It notes when he was let in, when the
// condition said so, when the Service let him in last, and when the last pod did.
func (i *intrusion) follow(ctx context.Context) {
	GinkgoHelper()
	var told, healed bool
	var lastService, lastPod time.Time
	first := ""
	Eventually(func(g Gomega) {
		if letIn, pods := i.atPods(ctx); letIn > 0 {
			if lastPod.IsZero() {
				i.note("%d of %d pods let him in", letIn, pods)
			}
			lastPod = time.Now()
		}
		if i.atService(ctx).Status == http.StatusOK {
			lastService = time.Now()
		}
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(i.MCPServer), i.MCPServer)).To(Succeed())
		said := meta.FindStatusCondition(i.Status.Conditions, v1alpha1.ConditionAuthHealthy)
		if said.Reason == v1alpha1.ReasonGateConfigMismatch && !told {
			told, first = true, said.Message
			i.note("AuthHealthy is %s, %s: %s", said.Status, said.Reason, said.Message)
		}
		g.Expect(i.Status.Renamed).NotTo(BeEmpty())
		ready := meta.FindStatusCondition(i.Status.Conditions, v1alpha1.ConditionReady)
		g.Expect(ready).To(say(metav1.ConditionTrue, v1alpha1.ReasonReady))
		g.Expect(meta.FindStatusCondition(i.Status.Conditions, v1alpha1.ConditionReconciling)).To(BeNil())
		letIn, _ := i.atPods(ctx)
		g.Expect(letIn).To(BeZero())
		healed = true
	}).WithContext(ctx).WithTimeout(4 * time.Minute).WithPolling(200 * time.Millisecond).Should(Succeed())
	Expect(healed).To(BeTrue())
	since := func(at time.Time) string {
		if at.IsZero() {
			return "never"
		}
		return fmt.Sprintf("last after %.1f s", at.Sub(i.begun).Seconds())
	}
	i.note("Ready again, %s; he was let in by the Service %s, by a pod %s", i.Status.Renamed[len(i.Status.Renamed)-1].NewName, since(lastService), since(lastPod))
	if !lastPod.IsZero() {
		Expect(first).To(And(ContainSubstring(i.key.ID()), ContainSubstring("which the operator has not published")))
	}
	Consistently(func() int { letIn, _ := i.atPods(ctx); return letIn }, "10s").WithContext(ctx).Should(BeZero())
	AddReportEntry("a foreign key", strings.Join(i.notes, "\n"))
	GinkgoWriter.Println(strings.Join(i.notes, "\n"))
}

// staysOut waits until so many pods answer, those that were made afterwards among them, and each refuses him.
func (i *intrusion) staysOut(ctx context.Context, pods int) {
	GinkgoHelper()
	Eventually(func() []int {
		letIn, answer := i.atPods(ctx)
		Expect(letIn).To(BeZero())
		return []int{letIn, answer}
	}).WithContext(ctx).Should(Equal([]int{0, pods}))
}

var _ = Describe("A foreign signing key", Serial, Label("keeper"), func() {
	It("in an immutable ConfigMap is found, named and gone from running and new pods", func(ctx SpecContext) {
		server := fake(newStory(ctx), "keeper")
		server.Spec.Replicas = ptrTo(int32(2))
		i := intrude(ctx, create(ctx, server))
		token := goodToken(ctx, server)
		i.publish(ctx)
		i.follow(ctx)
		Expect(ask(ctx, listing(server, token))).To(beLetIn(), "tokens of the server's own key go on")
		Expect(k8s.Delete(ctx, &podsOf(ctx, server)[0])).To(Succeed())
		becomesHealthy(ctx, server)
		i.staysOut(ctx, 2)
	}, NodeTimeout(8*time.Minute))

	It("that nodes keep although the ConfigMap was made anew is gone from running and new pods", func(ctx SpecContext) {
		server := create(ctx, fake(newStory(ctx), "kept"))
		i := intrude(ctx, server)
		found, err := operator(ctx)
		Expect(err).NotTo(HaveOccurred())
		deployment := &found
		replicas := *deployment.Spec.Replicas
		By("waiting for a moment at which no operator runs")
		edit(ctx, deployment, func() { deployment.Spec.Replicas = ptrTo(int32(0)) })
		restore := func(ctx SpecContext) {
			edit(ctx, deployment, func() { deployment.Spec.Replicas = &replicas })
		}
		DeferCleanup(restore)
		Eventually(func(g Gomega) {
			var pods corev1.PodList
			g.Expect(k8s.List(ctx, &pods, client.InNamespace(deployment.Namespace), client.MatchingLabels(deployment.Spec.Selector.MatchLabels))).To(Succeed())
			g.Expect(pods.Items).To(BeEmpty())
		}).WithContext(ctx).WithTimeout(time.Minute).Should(Succeed())
		i.publish(ctx)
		Eventually(func() int { letIn, _ := i.atPods(ctx); return letIn }).WithContext(ctx).WithTimeout(time.Minute).Should(Equal(1))
		list := &corev1.ConfigMap{}
		list.Namespace, list.Name = server.Namespace, server.Name+"-jwks"
		Expect(k8s.Delete(ctx, list)).To(Succeed())
		i.note("he is let in, and has deleted the ConfigMap; the operator comes back")
		restore(ctx)
		i.follow(ctx)
		Expect(k8s.Delete(ctx, &podsOf(ctx, server)[0])).To(Succeed())
		becomesHealthy(ctx, server)
		i.staysOut(ctx, 1)
	}, NodeTimeout(10*time.Minute))
})
