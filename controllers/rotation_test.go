package controllers_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/keyobjects"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/uncached"
)

// Tokens of the servers here live for a minute, so that a key overlaps for two: the other minute is for who was signing.
const (
	tokenLife = time.Minute
	overlap   = 2 * time.Minute
)

// rotated is a server of which the keys are replaced.
type rotated struct {
	*v1alpha1.MCPServer
	pods []*simulatedPod
	// now is the operator's clock.
	now time.Time
}

// proveRotated brings a server with some pods to Ready.
func proveRotated(ctx context.Context, o *operator, replicas int32, changes ...func(*v1alpha1.MCPServerSpec)) *rotated {
	GinkgoHelper()
	server := newUnwatched(ctx, func(s *v1alpha1.MCPServer) {
		s.Spec.Replicas = ptr.To(replicas)
		s.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{{
			Name: "managed", ClockSkewSeconds: ptr.To(int32(0)), MaxTokenLifetimeSeconds: ptr.To(int32(tokenLife / time.Second)),
			Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysManaged},
		}}}
		for _, change := range changes {
			change(&s.Spec)
		}
	})
	s := &rotated{MCPServer: server, now: time.Now()}
	o.build(ctx, server)
	for range replicas {
		s.pods = append(s.pods, startPod(ctx, server))
	}
	available(ctx, server, replicas, replicas)
	s.act(ctx, o)
	Expect(condition(ctx, server, v1alpha1.ConditionReady)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonReady))
	return s
}

// act is one turn of an operator, by the server's clock.
func (s *rotated) act(ctx context.Context, o *operator) {
	GinkgoHelper()
	o.builder.Now = func() time.Time { return s.now }
	o.act(ctx, s.MCPServer)
}

// mount has all pods see what is published.
func (s *rotated) mount(ctx context.Context) {
	GinkgoHelper()
	for _, pod := range s.pods {
		pod.mount(ctx, s.MCPServer, pod.pod.Status.PodIP)
	}
}

// importKeys does what "gatehouse keys import" does.
func (s *rotated) importKeys(ctx context.Context, exported *corev1.Secret) {
	GinkgoHelper()
	wanted, _, err := keyobjects.ImportedKeys(s.MCPServer, *exported, s.now)
	Expect(err).NotTo(HaveOccurred())
	there := &corev1.Secret{}
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(wanted), there)).To(Succeed())
	there.Data, there.OwnerReferences = wanted.Data, wanted.OwnerReferences
	Expect(k8s.Update(ctx, there)).To(Succeed())
}

// annotate asks for something.
func (s *rotated) annotate(ctx context.Context, key, value string) {
	GinkgoHelper()
	now := fresh(ctx, s.MCPServer)
	before := now.DeepCopy()
	metav1.SetMetaDataAnnotation(&now.ObjectMeta, key, value)
	Expect(k8s.Patch(ctx, now, client.MergeFrom(before))).To(Succeed())
}

// phases are those of the keys in status, in the order in which they were made; one that is refused everywhere has a dash.
func (s *rotated) phases(ctx context.Context) string {
	GinkgoHelper()
	var out []string
	for _, key := range fresh(ctx, s.MCPServer).Status.Keys {
		text := string(key.Phase)
		if !key.RefusedTime.IsZero() {
			text += "-"
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

// signing gives the key with which people sign now.
func (s *rotated) signing(ctx context.Context) keys.Private {
	GinkgoHelper()
	set, err := keys.ParsePrivate(secretData(ctx, s.MCPServer, "-keys")["managed.jwks"])
	Expect(err).NotTo(HaveOccurred())
	return set[0]
}

// answers asks every pod with a token of a key, and gives the answers.
func (s *rotated) answers(ctx context.Context, key keys.Private) []int {
	GinkgoHelper()
	bearer, err := token.Template{
		Key: key, Issuer: desired.ManagedIssuer(s.MCPServer), Audience: desired.ManagedIssuer(s.MCPServer), Subject: "somebody", Lifetime: tokenLife,
	}.Good(time.Now())
	Expect(err).NotTo(HaveOccurred())
	var out []int
	for _, pod := range s.pods {
		body := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+pod.pod.Status.PodIP+":8080/mcp", strings.NewReader(body))
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Authorization", "Bearer "+bearer)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "application/json, text/event-stream")
		request.Host = s.Name
		response, err := http.DefaultClient.Do(request)
		Expect(err).NotTo(HaveOccurred())
		Expect(response.Body.Close()).To(Succeed())
		out = append(out, response.StatusCode)
	}
	return out
}

// mortal is what carries the requests of an operator that dies at a write, which is then not stored; to die right after a
// write is to die at the next. From then on it gets no answer.
type mortal struct {
	// left is how many writes there are before that one.
	left int
	dead atomic.Bool
}

var errDead = errors.New("the operator is dead")

func (m *mortal) carry(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		switch {
		case m.dead.Load():
			return nil, errDead
		case r.Method == http.MethodGet:
			return next.RoundTrip(r)
		case m.left > 0:
			m.left--
			return next.RoundTrip(r)
		}
		m.dead.Store(true)
		return nil, errDead
	})
}

// actMortal is the turn of an operator that may die in it, and then that of the next one. It tells whether it died.
func (s *rotated) actMortal(ctx context.Context, m *mortal) bool {
	GinkgoHelper()
	config := rest.CopyConfig(restConfig)
	config.Wrap(m.carry)
	config.QPS = -1
	c, err := client.New(config, client.Options{Scheme: k8s.Scheme(), Mapper: k8s.RESTMapper()})
	Expect(err).NotTo(HaveOccurred())
	o, next := start(testGateImage), start(testGateImage)
	// They ask about keys alone: the lock was proven before.
	o.prober.Jitter, next.prober.Jitter = halfway, halfway
	o.builder.Client, o.builder.Live, o.prober.Client, o.prober.Live = uncached.Client{Client: c}, c, uncached.Client{Client: c}, c
	o.builder.Now = func() time.Time { return s.now }
	_, err = o.builder.Reconcile(ctx, fresh(ctx, s.MCPServer))
	if err == nil {
		_, err = o.prober.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(s.MCPServer)})
	}
	if err == nil {
		_, err = o.builder.Reconcile(ctx, fresh(ctx, s.MCPServer))
	}
	if !m.dead.Load() {
		Expect(err).NotTo(HaveOccurred())
		return false
	}
	s.act(ctx, next)
	return true
}

// halfway of an interval is when an operator first tries a lock that was proven before it came.
func halfway() float64 { return 0.5 }

// phasesSince are those of a key and of all newer ones.
func (s *rotated) phasesSince(ctx context.Context, kid string) string {
	GinkgoHelper()
	all := fresh(ctx, s.MCPServer).Status.Keys
	at := slices.IndexFunc(all, func(key v1alpha1.KeyStatus) bool { return key.KID == kid })
	Expect(at).To(BeNumerically(">=", 0))
	return strings.Join(strings.Fields(s.phases(ctx))[at:], " ")
}

// rotateMortal replaces the key by operators each of which dies at such a write of its turn, if it makes as many, and is
// followed by one that lives. It tells whether any died.
func (s *rotated) rotateMortal(ctx context.Context, writes int) (died bool) {
	GinkgoHelper()
	older := s.signing(ctx)
	s.annotate(ctx, v1alpha1.AnnotationRotateKeys, fmt.Sprint(writes))
	for _, step := range []struct {
		phases string
		before func()
	}{
		{"Signing Published", func() {}},
		{"Retiring Signing", func() { s.mount(ctx) }},
		{"Retired Signing", func() { s.now = s.now.Add(overlap) }},
		{"Retired- Signing", func() { s.mount(ctx) }},
	} {
		step.before()
		died = s.actMortal(ctx, &mortal{left: writes}) || died
		Expect(s.phasesSince(ctx, older.ID())).To(Equal(step.phases))
		Expect(s.answers(ctx, s.signing(ctx))).To(HaveEach(http.StatusOK), "what people sign with is refused")
	}
	Expect(s.answers(ctx, older)).To(HaveEach(http.StatusUnauthorized))
	Expect(s.answers(ctx, s.signing(ctx))).To(HaveEach(http.StatusOK))
	return died
}

// maxWrites is more than one turn makes.
const maxWrites = 20

var _ = Describe("The keys of an MCPServer whose operators die", func() {
	It("at any write of any step are replaced all the same", func(ctx SpecContext) {
		s := proveRotated(ctx, start(testGateImage), 1)
		writes := 0
		for s.rotateMortal(ctx, writes) {
			writes++
			Expect(writes).To(BeNumerically("<", maxWrites))
		}
		AddReportEntry("writes at which an operator died", writes)
		Expect(writes).To(BeNumerically(">", 3), "Secret, ConfigMap, pod and status are written")
	})

	It("at any write of a revocation are refused all the same", func(ctx SpecContext) {
		s := proveRotated(ctx, start(testGateImage), 1)
		for writes, died := 0, true; died; writes++ {
			Expect(writes).To(BeNumerically("<", maxWrites))
			stolen := s.signing(ctx)
			s.annotate(ctx, v1alpha1.AnnotationRevokeKey, stolen.ID())
			died = s.actMortal(ctx, &mortal{left: writes})
			Expect(s.phasesSince(ctx, stolen.ID())).To(Equal("Revoked Signing"))
			s.mount(ctx)
			died = s.actMortal(ctx, &mortal{left: writes}) || died
			Expect(s.phasesSince(ctx, stolen.ID())).To(Equal("Revoked- Signing"))
			Expect(s.answers(ctx, stolen)).To(HaveEach(http.StatusUnauthorized))
		}
	})
})

var _ = Describe("The keys of an MCPServer", func() {
	It("are replaced on request, without a good token refused, whoever of the operators comes and goes", func(ctx SpecContext) {
		s := proveRotated(ctx, start(testGateImage), 2)
		older := s.signing(ctx)
		Expect(s.phases(ctx)).To(Equal("Signing"))
		s.annotate(ctx, v1alpha1.AnnotationRotateKeys, "now")

		// Each turn is that of an operator that knows nothing of those before.
		s.act(ctx, start(testGateImage))
		Expect(s.phases(ctx)).To(Equal("Signing Published"))
		Expect(condition(ctx, s.MCPServer, v1alpha1.ConditionKeysReady)()).To(And(
			say(metav1.ConditionTrue, v1alpha1.ReasonKeysRotating), HaveField("Message", ContainSubstring(s.pods[0].pod.Name))))
		s.act(ctx, start(testGateImage))
		Expect(s.phases(ctx)).To(Equal("Signing Published"), "no pod has seen the new key")

		s.pods[0].mount(ctx, s.MCPServer, s.pods[0].pod.Status.PodIP)
		s.now = s.now.Add(24 * time.Hour)
		s.act(ctx, start(testGateImage))
		Expect(s.phases(ctx)).To(Equal("Signing Published"), "one pod is slow, and no time is long enough")
		Expect(fresh(ctx, s.MCPServer).Status.Keys[1].ObservedPods).To(HaveValue(BeEquivalentTo(1)))
		Expect(s.signing(ctx).ID()).To(Equal(older.ID()))

		s.mount(ctx)
		s.act(ctx, start(testGateImage))
		Expect(s.phases(ctx)).To(Equal("Retiring Signing"))
		newer := s.signing(ctx)
		Expect(newer.ID()).NotTo(Equal(older.ID()))
		Expect(s.answers(ctx, newer)).To(HaveEach(http.StatusOK))
		Expect(s.answers(ctx, older)).To(HaveEach(http.StatusOK))

		s.now = s.now.Add(overlap - time.Second)
		s.act(ctx, start(testGateImage))
		Expect(s.phases(ctx)).To(Equal("Retiring Signing"))
		s.mount(ctx)
		Expect(s.answers(ctx, older)).To(HaveEach(http.StatusOK))

		s.now = s.now.Add(time.Second)
		s.act(ctx, start(testGateImage))
		Expect(s.phases(ctx)).To(Equal("Retired Signing"))
		Expect(s.answers(ctx, older)).To(HaveEach(http.StatusOK), "no pod has seen it yet")
		Expect(condition(ctx, s.MCPServer, v1alpha1.ConditionKeysReady)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonKeysRotating))

		s.mount(ctx)
		s.act(ctx, start(testGateImage))
		Expect(s.phases(ctx)).To(Equal("Retired- Signing"))
		Expect(s.answers(ctx, older)).To(HaveEach(http.StatusUnauthorized))
		Expect(s.answers(ctx, newer)).To(HaveEach(http.StatusOK))
		Expect(condition(ctx, s.MCPServer, v1alpha1.ConditionKeysReady)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonKeysPublished))
		version := fresh(ctx, s.MCPServer).ResourceVersion
		s.act(ctx, start(testGateImage))
		Expect(s.phases(ctx)).To(Equal("Retired- Signing"), "the same request is carried out once")
		Expect(fresh(ctx, s.MCPServer).ResourceVersion).To(Equal(version))
	})

	It("are as they were when an operator dies between the Secret and what pods mount", func(ctx SpecContext) {
		s := proveRotated(ctx, start(testGateImage), 1)
		published := configMap(ctx, s.MCPServer, "-jwks")
		s.annotate(ctx, v1alpha1.AnnotationRotateKeys, "now")
		s.act(ctx, start(testGateImage))
		after := configMap(ctx, s.MCPServer, "-jwks")
		Expect(after).NotTo(Equal(published))
		stored := secretData(ctx, s.MCPServer, "-keys")

		object := &corev1.ConfigMap{}
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: s.Name + "-jwks"}, object)).To(Succeed())
		object.Data["managed.jwks"] = string(published["managed.jwks"])
		Expect(k8s.Update(ctx, object)).To(Succeed())
		s.act(ctx, start(testGateImage))
		Expect(configMap(ctx, s.MCPServer, "-jwks")).To(Equal(after))
		Expect(secretData(ctx, s.MCPServer, "-keys")).To(Equal(stored))
	})

	It("leave the lock proven while a kubelet takes its time, and not when a pod never sees the new one", func(ctx SpecContext) {
		s := proveRotated(ctx, start(testGateImage), 1)
		s.annotate(ctx, v1alpha1.AnnotationRotateKeys, "now")
		s.act(ctx, start(testGateImage))
		Expect(s.phases(ctx)).To(Equal("Signing Published"))
		for after, want := range map[time.Duration]OmegaMatcher{
			2 * time.Minute: say(metav1.ConditionTrue, v1alpha1.ReasonProven),
			4 * time.Minute: say(metav1.ConditionUnknown, v1alpha1.ReasonGateNotConverged),
		} {
			o := start(testGateImage)
			o.prober.Now = func() time.Time { return s.now.Add(after) }
			s.act(ctx, o)
			Expect(s.phases(ctx)).To(Equal("Signing Published"))
			Expect(condition(ctx, s.MCPServer, v1alpha1.ConditionAuthHealthy)()).To(want, "after %v", after)
			Expect(s.pods[0].proven(ctx)()).To(Equal(corev1.ConditionTrue))
		}
	})

	It("that are revoked are refused at once, and status says since when by every pod", func(ctx SpecContext) {
		o := start(testGateImage)
		s := proveRotated(ctx, o, 2)
		stolen := s.signing(ctx)
		s.annotate(ctx, v1alpha1.AnnotationRevokeKey, stolen.ID())
		s.act(ctx, o)
		Expect(s.phases(ctx)).To(Equal("Revoked Signing"))
		Expect(s.signing(ctx).ID()).NotTo(Equal(stolen.ID()))
		Expect(condition(ctx, s.MCPServer, v1alpha1.ConditionReady)()).To(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonKeyRevoked), HaveField("Message", ContainSubstring(s.pods[1].pod.Name))))

		s.pods[0].mount(ctx, s.MCPServer, s.pods[0].pod.Status.PodIP)
		s.act(ctx, o)
		Expect(condition(ctx, s.MCPServer, v1alpha1.ConditionReady)()).To(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonKeyRevoked), HaveField("Message", Not(ContainSubstring(s.pods[0].pod.Name)))))

		s.mount(ctx)
		s.now = s.now.Add(time.Minute)
		s.act(ctx, o)
		Expect(s.phases(ctx)).To(Equal("Revoked- Signing"))
		Expect(fresh(ctx, s.MCPServer).Status.Keys[0].RefusedTime.Time).To(BeTemporally("~", s.now, time.Second))
		Expect(s.answers(ctx, stolen)).To(HaveEach(http.StatusUnauthorized))
		Expect(s.answers(ctx, s.signing(ctx))).To(HaveEach(http.StatusOK))
		Expect(condition(ctx, s.MCPServer, v1alpha1.ConditionKeysReady)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonKeysPublished))

		s.annotate(ctx, v1alpha1.AnnotationRevokeKey, "a-slip")
		s.act(ctx, o)
		Expect(condition(ctx, s.MCPServer, v1alpha1.ConditionKeysReady)()).To(HaveField("Message", ContainSubstring("names no key")))
	})

	It("are revoked although the rest of the spec cannot be carried out", func(ctx SpecContext) {
		o := start(testGateImage)
		s := proveRotated(ctx, o, 1)
		stolen := s.signing(ctx)
		editObject(ctx, s.MCPServer, func() {
			s.Spec.Path = "/other"
			s.Spec.Auth.Revoked = &v1alpha1.Revoked{ConfigMapRef: v1alpha1.ConfigMapKeyRef{Name: "lost"}}
		})
		s.annotate(ctx, v1alpha1.AnnotationRevokeKey, stolen.ID())
		s.act(ctx, o)
		Expect(condition(ctx, s.MCPServer, v1alpha1.ConditionAccepted)()).To(say(metav1.ConditionFalse, v1alpha1.ReasonRevocationsUnusable))
		Expect(s.phases(ctx)).To(Equal("Revoked Signing"))
		Expect(condition(ctx, s.MCPServer, v1alpha1.ConditionKeysReady)()).To(And(say(metav1.ConditionFalse, v1alpha1.ReasonKeyRevoked),
			HaveField("Message", ContainSubstring("is no longer published"))))
		Expect(string(configMap(ctx, s.MCPServer, "-jwks")["managed.jwks"])).NotTo(ContainSubstring(stolen.ID()))
		Expect(string(configMap(ctx, s.MCPServer, "-authproxy")[gateapi.ConfigFile])).NotTo(ContainSubstring("/other"), "the rest waits")

		s.mount(ctx)
		s.now = s.now.Add(time.Minute)
		s.act(ctx, o)
		Expect(s.answers(ctx, stolen)).To(HaveEach(http.StatusUnauthorized))
		Expect(s.answers(ctx, s.signing(ctx))).To(HaveEach(http.StatusOK))
		Expect(s.phases(ctx)).To(Equal("Revoked- Signing"), "every pod was seen to refuse it")

		editObject(ctx, s.MCPServer, func() { s.Spec.Path, s.Spec.Auth.Revoked = "", nil })
		s.act(ctx, o)
		Expect(s.phases(ctx)).To(Equal("Revoked- Signing"))
	})

	It("are revoked although the API server refuses what comes before them", func(ctx SpecContext) {
		o := start(testGateImage)
		s := proveRotated(ctx, o, 1)
		stolen := s.signing(ctx)
		spoil := func() {
			taken := &corev1.Secret{}
			taken.Namespace, taken.Name = s.Namespace, desired.GateSecretName(fresh(ctx, s.MCPServer))
			editObject(ctx, taken, func() { taken.Immutable = ptr.To(true) })
		}
		spoil()
		s.act(ctx, o) // It gets another name, and no second one so soon.
		spoil()
		s.annotate(ctx, v1alpha1.AnnotationRevokeKey, stolen.ID())
		s.act(ctx, o)
		Expect(condition(ctx, s.MCPServer, v1alpha1.ConditionAccepted)()).To(say(metav1.ConditionFalse, v1alpha1.ReasonObjectTampered))
		Expect(string(configMap(ctx, s.MCPServer, "-jwks")["managed.jwks"])).NotTo(ContainSubstring(stolen.ID()))
	})

	It("stay where their provider gets another name", func(ctx SpecContext) {
		server := newUnwatched(ctx)
		start(testGateImage).build(ctx, server)
		before := fresh(ctx, server).Status.Keys
		editObject(ctx, server, func() {
			server.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{
				{Name: "internal", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysManaged}},
			}}
		})
		start(testGateImage).build(ctx, server)
		Expect(fresh(ctx, server).Status.Keys).To(ConsistOf(And(
			HaveField("Provider", "internal"), HaveField("KID", before[0].KID), HaveField("Phase", v1alpha1.KeyPhase("Signing")))))
		Expect(secretData(ctx, server, "-keys")).To(And(HaveLen(2), HaveKey("internal.jwks")))
		Expect(string(configMap(ctx, server, "-jwks")["internal.jwks"])).To(ContainSubstring(before[0].KID))
	})

	It("never come back from a backup once they were revoked", func(ctx SpecContext) {
		o := start(testGateImage)
		s := proveRotated(ctx, o, 1)
		backup := secretData(ctx, s.MCPServer, "-keys")
		stolen := s.signing(ctx)
		s.annotate(ctx, v1alpha1.AnnotationRevokeKey, stolen.ID())
		s.act(ctx, o)
		s.mount(ctx)
		s.act(ctx, o)

		object := &corev1.Secret{}
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: s.Name + "-keys"}, object)).To(Succeed())
		object.Data = backup
		Expect(k8s.Update(ctx, object)).To(Succeed())
		s.act(ctx, o)
		Expect(s.phases(ctx)).To(Equal("Revoked- Signing"), "the annotation is there still")
		Expect(string(configMap(ctx, s.MCPServer, "-jwks")["managed.jwks"])).NotTo(ContainSubstring(stolen.ID()))
		s.mount(ctx)
		Expect(s.answers(ctx, stolen)).To(HaveEach(http.StatusUnauthorized))
		Expect(s.answers(ctx, s.signing(ctx))).To(HaveEach(http.StatusOK))
	})

	It("are made anew when their Secret is deleted in the middle of a rotation", func(ctx SpecContext) {
		o := start(testGateImage)
		s := proveRotated(ctx, o, 1)
		older := s.signing(ctx)
		s.annotate(ctx, v1alpha1.AnnotationRotateKeys, "now")
		s.act(ctx, o)
		Expect(s.phases(ctx)).To(Equal("Signing Published"))
		object := &corev1.Secret{}
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: s.Name + "-keys"}, object)).To(Succeed())
		exported, err := keyobjects.ExportedKeys(s.MCPServer, *object, s.now)
		Expect(err).NotTo(HaveOccurred())
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		s.act(ctx, o)
		Expect(s.phases(ctx)).To(Equal("Signing"))
		s.mount(ctx)
		Expect(s.answers(ctx, older)).To(HaveEach(http.StatusUnauthorized))
		Expect(s.answers(ctx, s.signing(ctx))).To(HaveEach(http.StatusOK))

		By("telling which key is gone and what that ended, until its tokens have expired or it is back")
		keysReady := condition(ctx, s.MCPServer, v1alpha1.ConditionKeysReady)
		gone := ContainSubstring("no longer has key " + older.ID() + ": every token that was signed with it is refused with 401 (unknown_key)")
		Expect(keysReady()).To(And(say(metav1.ConditionTrue, v1alpha1.ReasonKeysReplaced), HaveField("Message", gone)))
		Eventually(eventsOf(ctx, s.MCPServer)).Should(ContainElement(And(
			HaveField("Reason", v1alpha1.ReasonKeysReplaced), HaveField("Type", corev1.EventTypeWarning), HaveField("Note", gone))))
		s.act(ctx, start(testGateImage))
		Expect(keysReady()).To(say(metav1.ConditionTrue, v1alpha1.ReasonKeysReplaced), "another operator tells it as well")
		newer := s.signing(ctx)
		s.importKeys(ctx, exported)
		s.act(ctx, o)
		s.mount(ctx)
		Expect(s.answers(ctx, older)).To(HaveEach(http.StatusOK), "it was restored")
		Expect(s.answers(ctx, newer)).To(HaveEach(http.StatusUnauthorized))
		Expect(keysReady()).To(HaveField("Message", And(ContainSubstring(newer.ID()), Not(ContainSubstring("has key "+older.ID())))))
		s.now = s.now.Add(overlap)
		s.act(ctx, o)
		Expect(keysReady()).NotTo(HaveField("Reason", v1alpha1.ReasonKeysReplaced), "no token of the key can be alive")
	})

	It("move to another server with the issuer of its tokens", func(ctx SpecContext) {
		o := start(testGateImage)
		s := proveRotated(ctx, o, 1)
		older := s.signing(ctx)
		object := &corev1.Secret{}
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: s.Name + "-keys"}, object)).To(Succeed())
		exported, err := keyobjects.ExportedKeys(s.MCPServer, *object, s.now)
		Expect(err).NotTo(HaveOccurred())

		moved := proveRotated(ctx, o, 1, func(spec *v1alpha1.MCPServerSpec) {
			spec.Auth.Providers[0].Keys.Managed = &v1alpha1.ManagedKeys{Issuer: keyobjects.IssuerOf(s.MCPServer, *exported)}
		})
		Expect(moved.answers(ctx, older)).To(HaveEach(http.StatusUnauthorized))
		moved.importKeys(ctx, exported)
		moved.act(ctx, o)
		moved.mount(ctx)
		Expect(desired.ManagedIssuer(moved.MCPServer)).To(Equal(desired.OwnIssuer(s.MCPServer)))
		Expect(moved.answers(ctx, older)).To(HaveEach(http.StatusOK))
		moved.act(ctx, o)
		Expect(condition(ctx, moved.MCPServer, v1alpha1.ConditionReady)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonReady))
	})

	It("of before there were rotations are taken for what they are", func(ctx SpecContext) {
		o := start(testGateImage)
		s := proveRotated(ctx, o, 1)
		older := s.signing(ctx)
		object := &corev1.Secret{}
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: s.Name + "-keys"}, object)).To(Succeed())
		delete(object.Data, "managed.rotation.json")
		Expect(k8s.Update(ctx, object)).To(Succeed())
		s.act(ctx, o)
		Expect(s.phases(ctx)).To(Equal("Signing"))
		Expect(s.signing(ctx).ID()).To(Equal(older.ID()))
	})

	It("are replaced by operators that run, as pods come to see them", func(ctx SpecContext) {
		server, pod := proveOne(ctx)
		s := &rotated{MCPServer: server, pods: []*simulatedPod{pod}}
		older := s.signing(ctx)
		s.annotate(ctx, v1alpha1.AnnotationRotateKeys, "now")
		Eventually(s.phases).WithArguments(ctx).Should(Equal("Signing Published"))
		s.mount(ctx)
		Eventually(s.phases).WithArguments(ctx).Should(Equal("Retiring Signing"))
		Expect(s.answers(ctx, s.signing(ctx))).To(HaveEach(http.StatusOK))
		s.annotate(ctx, v1alpha1.AnnotationRevokeKey, older.ID())
		Eventually(s.phases).WithArguments(ctx).Should(Equal("Revoked Signing"))
		s.mount(ctx)
		Eventually(s.phases).WithArguments(ctx).Should(Equal("Revoked- Signing"))
		Eventually(condition(ctx, server, v1alpha1.ConditionReady)).Should(say(metav1.ConditionTrue, v1alpha1.ReasonReady))
	})
})
