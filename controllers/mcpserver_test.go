package controllers_test

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	kstatus "sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// children are the objects that belong to the MCPServer x, and an edit by hand of each that must be put right.
var children = []struct {
	object func() client.Object
	suffix string
	spoil  func(client.Object)
}{
	{func() client.Object { return &corev1.Secret{} }, "-keys", func(o client.Object) { o.SetLabels(nil) }},
	{func() client.Object { return &corev1.Secret{} }, "-gate", func(o client.Object) { o.(*corev1.Secret).Data["current"] = []byte("short") }},
	{func() client.Object { return &corev1.ConfigMap{} }, "-jwks", func(o client.Object) { o.(*corev1.ConfigMap).Data["managed.jwks"] = "{}" }},
	{func() client.Object { return &corev1.ConfigMap{} }, "-authproxy", func(o client.Object) { o.(*corev1.ConfigMap).Data["authproxy.v2.json"] = "{}" }},
	{func() client.Object { return &corev1.ServiceAccount{} }, "", func(o client.Object) {
		o.(*corev1.ServiceAccount).AutomountServiceAccountToken = nil
	}},
	{func() client.Object { return &networkingv1.NetworkPolicy{} }, "", func(o client.Object) {
		o.(*networkingv1.NetworkPolicy).Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{}}
	}},
	{func() client.Object { return &corev1.Service{} }, "", func(o client.Object) {
		o.(*corev1.Service).Spec.PublishNotReadyAddresses = true
	}},
	{func() client.Object { return &appsv1.Deployment{} }, "", func(o client.Object) {
		o.(*appsv1.Deployment).Spec.Template.Spec.InitContainers[0].Image = "example.com/open-door"
	}},
}

// fetch reads a child; its absence is an error.
func fetch(ctx context.Context, server *v1alpha1.MCPServer, object client.Object, suffix string) error {
	return k8s.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: server.Name + suffix}, object)
}

// essence is what of an object stays the same when it was spoilt and put right.
func essence(object client.Object) map[string]any {
	data, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	Expect(err).NotTo(HaveOccurred())
	delete(data, "status")
	for _, field := range []string{"resourceVersion", "generation", "managedFields", "annotations"} {
		delete(data["metadata"].(map[string]any), field)
	}
	return data
}

// touch makes the server be looked at again.
func touch(ctx context.Context, server *v1alpha1.MCPServer) {
	GinkgoHelper()
	Expect(k8s.Patch(ctx, server, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":{"touched":"yes"}}}`)))).To(Succeed())
}

// condition reads one condition of the server; nil while it is absent.
func condition(ctx context.Context, server *v1alpha1.MCPServer, kind string) func() *metav1.Condition {
	return func() *metav1.Condition {
		now := &v1alpha1.MCPServer{}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), now)).To(Succeed())
		return meta.FindStatusCondition(now.Status.Conditions, kind)
	}
}

var _ = Describe("An MCPServer", func() {
	It("becomes its objects, all owned by it", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		Expect(k8s.Create(ctx, server)).To(Succeed())
		for _, child := range children {
			object := child.object()
			Eventually(func() error { return fetch(ctx, server, object, child.suffix) }).Should(Succeed())
			Expect(metav1.IsControlledBy(object, server)).To(BeTrue(), "%T%s", object, child.suffix)
		}
		Eventually(condition(ctx, server, v1alpha1.ConditionAccepted)).Should(say(metav1.ConditionTrue, v1alpha1.ReasonAccepted))
		Eventually(condition(ctx, server, v1alpha1.ConditionKeysReady)).Should(say(metav1.ConditionTrue, v1alpha1.ReasonKeysPublished))
		Eventually(condition(ctx, server, v1alpha1.ConditionAvailable)).Should(say(metav1.ConditionFalse, v1alpha1.ReasonProgressing))
		Eventually(condition(ctx, server, v1alpha1.ConditionReady)).Should(say(metav1.ConditionFalse, v1alpha1.ReasonProgressing))
		Expect(judgedBy(ctx, server)()).To(Equal(kstatus.InProgressStatus))
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
		Expect(server.Status.Address.URL).To(Equal("http://x." + server.Namespace + ".svc:8080/mcp"))
		Expect(server.Status.Keys).To(ConsistOf(And(HaveField("Provider", "managed"), HaveField("Algorithm", "EdDSA"))))
	})

	It("changes nothing when it is reconciled again", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(condition(ctx, server, v1alpha1.ConditionAccepted)).ShouldNot(BeNil())
		versions := func() map[string]string {
			found := map[string]string{}
			for _, child := range children {
				object := child.object()
				Expect(fetch(ctx, server, object, child.suffix)).To(Succeed())
				found[fmt.Sprintf("%T%s", object, child.suffix)] = object.GetResourceVersion()
			}
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
			found["MCPServer"] = server.ResourceVersion
			return found
		}
		// The manager's own rounds after the creation come to rest first.
		var before map[string]string
		Eventually(func() bool {
			last := before
			before = versions()
			return equality.Semantic.DeepEqual(last, before)
		}).WithPolling(500 * time.Millisecond).Should(BeTrue())
		for range 2 {
			_, err := builder.Reconcile(ctx, server.DeepCopy())
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(versions()).To(Equal(before))
	})

	It("puts right what was edited or deleted by hand", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(condition(ctx, server, v1alpha1.ConditionAccepted)).ShouldNot(BeNil())
		for _, child := range children {
			right, spoilt := child.object(), child.object()
			Expect(fetch(ctx, server, right, child.suffix)).To(Succeed())
			what := fmt.Sprintf("%T%s", right, child.suffix)
			// A gate secret that is spoilt is made anew; all else comes back as it was.
			same := func(now client.Object) bool {
				if child.suffix == "-gate" {
					return len(now.(*corev1.Secret).Data["current"]) == 32
				}
				return equality.Semantic.DeepEqual(essence(now), essence(right))
			}
			Eventually(func() error {
				if err := fetch(ctx, server, spoilt, child.suffix); err != nil {
					return err
				}
				child.spoil(spoilt)
				return k8s.Update(ctx, spoilt)
			}).Should(Succeed(), "edit %s", what)
			Eventually(func() bool {
				now := child.object()
				return fetch(ctx, server, now, child.suffix) == nil && same(now)
			}).Should(BeTrue(), "%s was edited and not put right", what)

			Expect(k8s.Delete(ctx, right)).To(Succeed())
			Eventually(func() bool {
				now := child.object()
				return fetch(ctx, server, now, child.suffix) == nil && now.GetUID() != right.GetUID()
			}).Should(BeTrue(), "%s was deleted and did not come back", what)
		}
	})

	It("never makes a key a second time", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		Expect(k8s.Create(ctx, server)).To(Succeed())
		key := func() []byte {
			found := &corev1.Secret{}
			if fetch(ctx, server, found, "-keys") != nil {
				return nil
			}
			return found.Data["managed.jwks"]
		}
		Eventually(key).ShouldNot(BeEmpty())
		first := key()
		for range 5 {
			_, err := builder.Reconcile(ctx, server.DeepCopy())
			Expect(client.IgnoreNotFound(err)).NotTo(HaveOccurred())
		}
		Expect(key()).To(Equal(first))
	})

	DescribeTable("leaves alone whatever belongs to somebody else", func(ctx SpecContext, what string, foreign client.Object) {
		foreign.SetNamespace(newNamespace(ctx))
		foreign.SetName("x")
		Expect(k8s.Create(ctx, foreign)).To(Succeed())
		server := newServer(foreign.GetNamespace(), "x")
		server.Spec.Replicas = ptr.To(int32(2))
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(condition(ctx, server, v1alpha1.ConditionAccepted)).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonNameTaken), HaveField("Message", HavePrefix(what+" x"))))
		version := foreign.GetResourceVersion()
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(foreign), foreign)).To(Succeed())
		Expect(foreign.GetResourceVersion()).To(Equal(version))
	},
		Entry("an account", "ServiceAccount", &corev1.ServiceAccount{}),
		Entry("a policy", "NetworkPolicy", &networkingv1.NetworkPolicy{}),
		Entry("a budget", "PodDisruptionBudget", &policyv1.PodDisruptionBudget{}),
	)

	It("leaves alone a Service that belongs to somebody else, says so, and goes on when it is gone", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		foreign := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: namespace}}
		foreign.Spec.Ports = []corev1.ServicePort{{Port: 80}}
		Expect(k8s.Create(ctx, foreign)).To(Succeed())
		server := newServer(namespace, "x")
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(condition(ctx, server, v1alpha1.ConditionAccepted)).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonNameTaken), HaveField("Message", ContainSubstring("Service x"))))
		Eventually(condition(ctx, server, v1alpha1.ConditionStalled)).Should(say(metav1.ConditionTrue, v1alpha1.ReasonNameTaken))
		Expect(judgedBy(ctx, server)()).To(Equal(kstatus.FailedStatus))
		now := &corev1.Service{}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(foreign), now)).To(Succeed())
		Expect(now.ResourceVersion).To(Equal(foreign.ResourceVersion))

		Expect(k8s.Delete(ctx, foreign)).To(Succeed())
		touch(ctx, server)
		Eventually(condition(ctx, server, v1alpha1.ConditionAccepted)).Should(say(metav1.ConditionTrue, v1alpha1.ReasonAccepted))
		Eventually(condition(ctx, server, v1alpha1.ConditionStalled)).Should(BeNil())
	})

	It("has running pods take new keys at once", func(ctx SpecContext) {
		server, pod := proveOne(ctx)
		revision := func() string {
			now := &corev1.Pod{}
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(pod.pod), now)).To(Succeed())
			return now.Annotations[v1alpha1.AnnotationMountedRevision]
		}
		Eventually(revision).ShouldNot(BeEmpty())
		before := revision()
		Expect(k8s.Delete(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "x-keys", Namespace: server.Namespace}})).To(Succeed())
		Eventually(revision).ShouldNot(Equal(before))
	})

	It("says which Secret is unusable, and leaves what runs running", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(condition(ctx, server, v1alpha1.ConditionKeysReady)).Should(say(metav1.ConditionTrue, v1alpha1.ReasonKeysPublished))
		public := configMap(ctx, server, "-jwks")
		broken := &corev1.Secret{}
		Expect(fetch(ctx, server, broken, "-keys")).To(Succeed())
		broken.Data["managed.jwks"] = []byte("not a key set")
		Expect(k8s.Update(ctx, broken)).To(Succeed())
		Eventually(condition(ctx, server, v1alpha1.ConditionKeysReady)).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonKeysUnusable), HaveField("Message", ContainSubstring("Secret x-keys, key managed.jwks"))))
		Expect(judgedBy(ctx, server)()).To(Equal(kstatus.FailedStatus))
		Expect(configMap(ctx, server, "-jwks")).To(Equal(public))
		Expect(fetch(ctx, server, &appsv1.Deployment{}, "")).To(Succeed())
	})

	It("carries out nothing of a spec that would unlock it", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		server.Spec.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "x-keys"}}}}
		Expect(k8s.Create(ctx, server)).To(Succeed())
		Eventually(condition(ctx, server, v1alpha1.ConditionAccepted)).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonGateBypass), HaveField("Message", ContainSubstring("x-keys"))))
		Expect(condition(ctx, server, v1alpha1.ConditionKeysReady)()).To(say(metav1.ConditionFalse, v1alpha1.ReasonKeysPending))
		Expect(judgedBy(ctx, server)()).To(Equal(kstatus.FailedStatus))
		Expect(client.IgnoreNotFound(fetch(ctx, server, &appsv1.Deployment{}, ""))).To(Succeed())
		Expect(fetch(ctx, server, &appsv1.Deployment{}, "")).NotTo(Succeed())
	})

	It("names the exit code and the variable of a server that ends at start", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		Expect(k8s.Create(ctx, server)).To(Succeed())
		pod := startPod(ctx, server)
		available(ctx, server, 1, 0)
		pod.update(ctx, func(status *corev1.PodStatus) {
			status.Conditions = nil
			status.ContainerStatuses[0].Ready = false
			status.ContainerStatuses[0].RestartCount = 1
			status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
			status.ContainerStatuses[0].LastTerminationState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 1, Message: "Invalid configuration: CATALOG_URL is required\n"}}
		})
		Eventually(condition(ctx, server, v1alpha1.ConditionAvailable)).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonContainerExited),
			HaveField("Message", And(ContainSubstring("code 1"), ContainSubstring("CATALOG_URL")))))
	})
})
