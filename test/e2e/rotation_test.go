//go:build e2e

package e2e_test

import (
	"context"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

var _ = Describe("Keys under load", func() {
	// It waits two minutes for tokens to die: the others are told meanwhile.
	It("of every type are replaced without a failed request", Label("ci", "rotation"), SpecPriority(1), func(ctx SpecContext) {
		t := startTurning(ctx, "managed", "partner", "corp")
		t.rotateAll(ctx)
		t.count(ctx)
	}, NodeTimeout(10*time.Minute))

	It("of every type are replaced five times without a failed request", Label("soak"), func(ctx SpecContext) {
		t := startTurning(ctx, "managed", "partner", "corp")
		for range 5 {
			t.rotateAll(ctx)
		}
		t.count(ctx)
	}, NodeTimeout(time.Hour))

	It("are replaced without a failed request though the leading operator is killed at every step", Serial, Label("rotation"), func(ctx SpecContext) {
		t := startTurning(ctx, "managed")
		t.rotateManaged(ctx, func(step string) {
			t.note("managed", "killed operator %s, %s", killLeader(ctx), step)
		})
		t.count(ctx)
	}, NodeTimeout(15*time.Minute))

	It("are refused on every pod within seconds when they are revoked, and the new one is accepted", Label("rotation"), func(ctx SpecContext) {
		t := startTurning(ctx, "managed")
		stolen := t.template(ctx, "managed")
		Expect(t.answers(ctx, stolen)).To(onEveryPod(acceptedByPod))
		t.annotate(ctx, v1alpha1.AnnotationRevokeKey, stolen.Key.ID())
		revoked := time.Now()
		Eventually(t.answers).WithContext(ctx).WithArguments(stolen).WithTimeout(20 * time.Second).Should(onEveryPod(refusedByPod))
		t.note("managed", "refused on every pod %.1f s after it was revoked", time.Since(revoked).Seconds())
		newer := t.template(ctx, "managed")
		Expect(newer.Key.ID()).NotTo(Equal(stolen.Key.ID()))
		t.comesTo(ctx, acceptedByPod, newer)
		t.note("managed", "the new one is accepted on every pod")
		t.await(ctx, func(all map[string]v1alpha1.KeyStatus) bool {
			return all[stolen.Key.ID()].Phase == v1alpha1.KeyRevoked && isRefused(all[stolen.Key.ID()])
		})
		eventually(ctx, t.MCPServer, v1alpha1.ConditionReady).Should(say(metav1.ConditionTrue, v1alpha1.ReasonReady))
		during := total(loadReports(ctx))
		for caller, counts := range during {
			t.note("managed", "%s, while the key was revoked: %v", caller, counts.Ended)
			for how := range counts.Ended {
				Expect(how).To(BeElementOf("200", "401", `401 without "result"`), "%s: %q", caller, counts.Odd)
			}
		}

		By("going on with the new key")
		t.load(ctx)
		Eventually(finished).WithContext(ctx).WithArguments("managed, newest token").Should(BeNumerically(">", 50))
		t.count(ctx)
	}, NodeTimeout(5*time.Minute))
})

// rotateAll replaces the keys of all providers at the same time.
func (t *turning) rotateAll(ctx context.Context) {
	GinkgoHelper()
	var rotating sync.WaitGroup
	for _, rotate := range []func(){
		func() { t.rotateManaged(ctx, func(string) {}) },
		func() { t.rotateBrought(ctx, "partner", t.bring) },
		func() { t.rotateBrought(ctx, "corp", t.serve) },
	} {
		rotating.Go(func() {
			defer GinkgoRecover()
			rotate()
		})
	}
	rotating.Wait()
}

// rotateManaged asks for a new key and follows it to the end. at is called before, and after each step.
func (t *turning) rotateManaged(ctx context.Context, at func(step string)) {
	GinkgoHelper()
	older := t.template(ctx, "managed")
	before, _ := t.keyStatuses(ctx)
	t.annotate(ctx, v1alpha1.AnnotationRotateKeys, time.Now().Format(time.RFC3339Nano))
	t.note("managed", "asked for a new key")
	at("before the new key is published")

	var fresh string
	t.await(ctx, func(all map[string]v1alpha1.KeyStatus) bool {
		for kid := range all {
			if _, known := before[kid]; !known {
				fresh = kid
			}
		}
		return fresh != ""
	})
	at("after the new key was published")

	t.await(ctx, func(all map[string]v1alpha1.KeyStatus) bool { return all[fresh].Phase == v1alpha1.KeySigning })
	newer := t.template(ctx, "managed")
	Expect(newer.Key.ID()).To(Equal(fresh))
	Expect(t.answers(ctx, newer)).To(onEveryPod(acceptedByPod), "it signs before every pod accepts it")
	Expect(t.answers(ctx, older)).To(onEveryPod(acceptedByPod), "its tokens live")
	at("after the new key has signed")

	kid := older.Key.ID()
	t.await(ctx, func(all map[string]v1alpha1.KeyStatus) bool { return all[kid].Phase == v1alpha1.KeyRetired })
	at("after the old key was withdrawn")
	t.await(ctx, func(all map[string]v1alpha1.KeyStatus) bool { return isRefused(all[kid]) })
	Expect(t.answers(ctx, older)).To(onEveryPod(refusedByPod))
	Expect(t.answers(ctx, newer)).To(onEveryPod(acceptedByPod))
	eventually(ctx, t.DeepCopy(), v1alpha1.ConditionKeysReady).Should(say(metav1.ConditionTrue, v1alpha1.ReasonKeysPublished))
}

// rotateBrought replaces the key of an issuer that we play, as docs/auth.md says: add, wait until it was observed on every
// pod, switch, wait as long as a token lives, remove.
func (t *turning) rotateBrought(ctx context.Context, provider string, publish func(context.Context, ...keys.Public)) {
	GinkgoHelper()
	older := t.template(ctx, provider)
	newer := older
	newer.Key = generate()
	publish(ctx, older.Key.Public(), newer.Key.Public())
	t.note(provider, "added %.6s", newer.Key.ID())
	t.comesTo(ctx, acceptedByPod, newer)
	t.note(provider, "%.6s is accepted on every pod", newer.Key.ID())
	if provider == "partner" {
		t.lists(ctx, newer.Key.ID())
	}

	t.mu.Lock()
	t.signs[provider] = newer.Key
	t.mu.Unlock()
	t.note(provider, "%.6s signs", newer.Key.ID())
	// What was minted just before has to be handed over still.
	Consistently(t.answers, tokenLife+10*feedPause, "10s").WithContext(ctx).WithArguments(older).Should(onEveryPod(acceptedByPod))

	publish(ctx, newer.Key.Public())
	t.note(provider, "removed %.6s", older.Key.ID())
	t.comesTo(ctx, refusedByPod, older)
	t.note(provider, "%.6s is refused on every pod", older.Key.ID())
	Expect(t.answers(ctx, newer)).To(onEveryPod(acceptedByPod))
}

// lists waits until the status lists a key.
func (t *turning) lists(ctx context.Context, kid string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		var now v1alpha1.MCPServer
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(t.MCPServer), &now)).To(Succeed())
		g.Expect(now.Status.Keys).To(ContainElement(HaveField("KID", kid)))
	}).WithContext(ctx).Should(Succeed())
}

func (t *turning) annotate(ctx context.Context, name, value string) {
	GinkgoHelper()
	server := t.DeepCopy()
	before := server.DeepCopy()
	metav1.SetMetaDataAnnotation(&server.ObjectMeta, name, value)
	Expect(k8s.Patch(ctx, server, client.MergeFrom(before))).To(Succeed())
}

// await follows the Managed keys of the status until they are so, and writes down every change.
func (t *turning) await(ctx context.Context, done func(map[string]v1alpha1.KeyStatus) bool) {
	GinkgoHelper()
	Eventually(func() bool {
		all, text := t.keyStatuses(ctx)
		if text != t.told {
			t.note("managed", "%s", text)
			t.told = text
		}
		return done(all)
	}).WithContext(ctx).WithTimeout(5 * time.Minute).WithPolling(100 * time.Millisecond).Should(BeTrue())
}

// isRefused tells that every pod was seen to refuse the key.
func isRefused(key v1alpha1.KeyStatus) bool { return !key.RefusedTime.IsZero() }

// killLeader ends the operator that acts, without a word to it, and gives its name.
func killLeader(ctx context.Context) string {
	GinkgoHelper()
	pod := &corev1.Pod{}
	Eventually(func(g Gomega) {
		deployment, err := operator(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		var lease coordinationv1.Lease
		g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: deployment.Namespace, Name: "operator.gatehouse.dev"}, &lease)).To(Succeed())
		g.Expect(lease.Spec.HolderIdentity).NotTo(BeNil())
		name, _, _ := strings.Cut(*lease.Spec.HolderIdentity, "_") // and what tells the holder from its predecessors
		g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: deployment.Namespace, Name: name}, pod)).To(Succeed(), "the one before is gone, and none leads yet")
		g.Expect(pod.DeletionTimestamp).To(BeNil())
	}).WithContext(ctx).Should(Succeed())
	Eventually(func() error { return client.IgnoreNotFound(k8s.Delete(ctx, pod, client.GracePeriodSeconds(0))) }).WithContext(ctx).Should(Succeed())
	return pod.Name
}
