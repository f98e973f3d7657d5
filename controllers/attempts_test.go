package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
)

// patched has a webhook apply a JSON patch, in CEL, to what it sees from now on.
func patched(ctx context.Context, group, resource, patch string) {
	GinkgoHelper()
	mutate(ctx, group, resource, "JSONPatch"+patch)
}

// templateChanged has a webhook change the Deployment of a proven server. The next pod is of the changed template.
func templateChanged(patch string) func(context.Context, way) {
	return func(ctx context.Context, w way) {
		GinkgoHelper()
		server, pod := proveUnwatched(ctx, start(testGateImage))
		patched(ctx, "apps", "deployments", patch)
		start(testGateImage).build(ctx, server)
		expectAccepted(ctx, server, v1alpha1.ReasonTemplateTampered, w.words)
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue), "it is of an older revision")
		unlocked := startPod(ctx, server)
		available(ctx, server, 2, 1)
		start(testGateImage).finds(ctx, server, v1alpha1.ReasonPodTampered, "")
		Expect(unlocked.proven(ctx)()).To(Equal(corev1.ConditionFalse))
	}
}

// objectChanged has a webhook change another object of a proven server.
func objectChanged(group, resource, patch string) func(context.Context, way) {
	return func(ctx context.Context, w way) {
		GinkgoHelper()
		server, _ := proveUnwatched(ctx, start(testGateImage))
		patched(ctx, group, resource, patch)
		start(testGateImage).build(ctx, server)
		expectAccepted(ctx, server, v1alpha1.ReasonObjectTampered, w.words)
	}
}

func expectAccepted(ctx context.Context, server *v1alpha1.MCPServer, reason, words string) {
	GinkgoHelper()
	Expect(condition(ctx, server, v1alpha1.ConditionAccepted)()).To(And(
		say(metav1.ConditionFalse, reason), HaveField("Message", ContainSubstring(words))))
}

// podChanged has a webhook change the pods that a server gets.
func podChanged(patch string) func(context.Context, way) {
	return func(ctx context.Context, w way) {
		GinkgoHelper()
		o := start(testGateImage)
		server := newUnwatched(ctx)
		o.build(ctx, server)
		patched(ctx, "", "pods", patch)
		expectTampered(ctx, o, server, startPod(ctx, server), w.words)
	}
}

func expectTampered(ctx context.Context, o *operator, server *v1alpha1.MCPServer, pod *simulatedPod, words string) {
	GinkgoHelper()
	available(ctx, server, 1, 0)
	o.finds(ctx, server, v1alpha1.ReasonPodTampered, words)
	Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(HaveField("Message", ContainSubstring(pod.pod.Name)))
	Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionFalse))
}

// replicaSetChanged: the Deployment still says what the gate must be.
func replicaSetChanged(ctx context.Context, w way) {
	GinkgoHelper()
	o := start(testGateImage)
	server := newUnwatched(ctx)
	o.build(ctx, server)
	pod := startPodOf(ctx, server, func(template *corev1.PodSpec) { template.InitContainers[0].Image = "example.com/open-door" })
	expectTampered(ctx, o, server, pod, w.words)
}

func debuggerAttached(ctx context.Context, w way) {
	GinkgoHelper()
	server, pod := proveUnwatched(ctx, start(testGateImage))
	now := &corev1.Pod{}
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(pod.pod), now)).To(Succeed())
	now.Spec.EphemeralContainers = []corev1.EphemeralContainer{{
		EphemeralContainerCommon: corev1.EphemeralContainerCommon{
			Name: "debug", Image: "example.com/debug", TerminationMessagePolicy: corev1.TerminationMessageReadFile, ImagePullPolicy: corev1.PullAlways},
		TargetContainerName: desired.GateContainer,
	}}
	Expect(k8s.SubResource("ephemeralcontainers").Update(ctx, now)).To(Succeed())
	expectTampered(ctx, start(testGateImage), server, pod, w.words)
}

// neighbour: the Service finds the pod by its labels.
func neighbour(ctx context.Context, w way) {
	GinkgoHelper()
	server, _ := proveUnwatched(ctx, start(testGateImage))
	pod := startPod(ctx, server)
	requests, counted := countRequests(openDoor())
	pod.serve(counted)
	editObject(ctx, pod.pod, func() { pod.pod.OwnerReferences = nil })
	start(testGateImage).finds(ctx, server, v1alpha1.ReasonPodTampered, w.words)
	Expect(requests.Load()).To(BeZero())
}

// foreignSlice: kube-proxy asks an EndpointSlice for no more than the name of the Service.
func foreignSlice(ctx context.Context, w way) {
	GinkgoHelper()
	o := start(testGateImage)
	server, _ := proveUnwatched(ctx, o, minutely)
	slice := &discoveryv1.EndpointSlice{AddressType: discoveryv1.AddressTypeIPv4}
	slice.Namespace, slice.Name = server.Namespace, server.Name+"-foreign"
	slice.Labels = map[string]string{discoveryv1.LabelServiceName: server.Name}
	slice.Endpoints = []discoveryv1.Endpoint{{Addresses: []string{"10.9.8.7"}}}
	Expect(k8s.Create(ctx, slice)).To(Succeed())
	waitRounds(o, 1)
	o.act(ctx, server) // from now on it is strange, which it may be for ten seconds
	waitRounds(o, 2)
	o.finds(ctx, server, v1alpha1.ReasonForeignEndpoint, w.words)
	Expect(k8s.Delete(ctx, slice)).To(Succeed())
}

// serverReached: whatever leads there, the operator finds that it gets through.
func serverReached(ctx context.Context, w way) {
	GinkgoHelper()
	server, pod := proveUnwatched(ctx, start(testGateImage))
	pod.says(func(s *admin.State) { s.Listeners = []admin.Listener{{Address: "0.0.0.0", Port: 8000}} })
	o := start(testGateImage)
	o.act(ctx, server)
	o.lookAgain(ctx, server)
	o.finds(ctx, server, v1alpha1.ReasonBypassReachable, w.words)
}

func doorReplaced(ctx context.Context, w way) {
	GinkgoHelper()
	server, pod := proveUnwatched(ctx, start(testGateImage))
	pod.serve(openDoor())
	start(testGateImage).finds(ctx, server, v1alpha1.ReasonUnauthenticatedAccepted, w.words)
	Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionFalse))
}

// gatePortTaken: the gate does not start where somebody else listens; it ends with a code of its own.
func gatePortTaken(ctx context.Context, w way) {
	GinkgoHelper()
	server, pod := proveUnwatched(ctx, start(testGateImage))
	pod.update(ctx, func(status *corev1.PodStatus) {
		status.InitContainerStatuses[0].Ready = false
		status.InitContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 78}}
	})
	available(ctx, server, 1, 0)
	start(testGateImage).build(ctx, server)
	Expect(condition(ctx, server, v1alpha1.ConditionAvailable)()).To(And(
		say(metav1.ConditionFalse, v1alpha1.ReasonGatePortTaken), HaveField("Message", ContainSubstring(w.words))))
}

func foreignOwner(ctx context.Context, w way) {
	GinkgoHelper()
	server := newUnwatched(ctx)
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: server.Name, Namespace: server.Namespace}}
	service.Spec.Ports = []corev1.ServicePort{{Port: 80}}
	Expect(k8s.Create(ctx, service)).To(Succeed())
	start(testGateImage).build(ctx, server)
	expectAccepted(ctx, server, v1alpha1.ReasonNameTaken, w.words)
}

// containerAdded: server-side apply leaves alone what others add to the Deployment.
// recordForged: whoever may patch the Deployment may write its annotations, too.
func recordForged(ctx context.Context, _ way) {
	GinkgoHelper()
	server, o := waiting(ctx)
	forge(ctx, server, func(pod *corev1.PodSpec) { pod.InitContainers[0].Image = "example.com/open-door" })
	o.build(ctx, server)
	Expect(gateOf(ctx, server)).To(Equal(newerImage))
}

// edited changes one of the server's objects. The next turn of the operator brings back what was there.
func edited[T any, P interface {
	*T
	client.Object
}](suffix string, change func(P)) func(context.Context, way) {
	return func(ctx context.Context, _ way) {
		GinkgoHelper()
		server := newUnwatched(ctx)
		start(testGateImage).build(ctx, server)
		object := P(new(T))
		Expect(fetch(ctx, server, object, suffix)).To(Succeed())
		right := essence(object)
		editObject(ctx, object, func() { change(object) })
		Expect(essence(object)).NotTo(Equal(right))
		start(testGateImage).build(ctx, server)
		Expect(fetch(ctx, server, object, suffix)).To(Succeed())
		Expect(essence(object)).To(Equal(right))
	}
}

// keyLoaded: the gate reads what is mounted sooner than the operator puts it right.
func keyLoaded(ctx context.Context, w way) {
	GinkgoHelper()
	o := start(testGateImage)
	server, pod := proveUnwatched(ctx, o, minutely)
	publishForeignKey(ctx, server, false)
	pod.mount(ctx, server, pod.pod.Status.PodIP)
	waitRounds(o, 1)
	o.finds(ctx, server, v1alpha1.ReasonGateConfigMismatch, w.words)
	Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionFalse))
}

// spoiltObject changes an object that pods mount, in a way that keeps it from being written. The next turn of the operator makes
// what is right by another name, and has the pods mount that.
func spoiltObject[T any, P interface {
	*T
	client.Object
}](suffix, volume string, change func(P)) func(context.Context, way) {
	return func(ctx context.Context, _ way) {
		GinkgoHelper()
		server := newUnwatched(ctx)
		o := start(testGateImage)
		o.build(ctx, server)
		object := P(new(T))
		Expect(fetch(ctx, server, object, suffix)).To(Succeed())
		right := dataOf(object)
		editObject(ctx, object, func() { change(object) })
		o.build(ctx, server)
		renamed := fresh(ctx, server).Status.Renamed
		Expect(renamed).To(ConsistOf(HaveField("Name", server.Name+suffix)))
		next := P(new(T))
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: renamed[0].NewName}, next)).To(Succeed())
		Expect(dataOf(next)).To(Equal(right))
		Expect(mountedNow(ctx, server, volume)).To(Equal(next.GetName()))
		Expect(condition(ctx, server, v1alpha1.ConditionAccepted)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonAccepted))
	}
}

func policyDeleted(ctx context.Context, _ way) {
	GinkgoHelper()
	server := newUnwatched(ctx)
	start(testGateImage).build(ctx, server)
	policy := &networkingv1.NetworkPolicy{}
	Expect(fetch(ctx, server, policy, "")).To(Succeed())
	right := policy.Spec
	Expect(k8s.Delete(ctx, policy)).To(Succeed())
	start(testGateImage).build(ctx, server)
	Expect(fetch(ctx, server, policy, "")).To(Succeed())
	Expect(policy.Spec).To(Equal(right))
}
