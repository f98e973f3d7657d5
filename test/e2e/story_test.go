//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/test/loadclient"
)

// newStory gives a story a namespace of its own, in which only restricted pods run. When the story fails, what is in
// the namespace becomes part of its report.
func newStory(ctx context.Context) string {
	GinkgoHelper()
	begun := time.Now()
	namespace := createNamespace(ctx, "e2e-story-")
	DeferCleanup(func(ctx SpecContext) {
		if CurrentSpecReport().Failed() {
			AddReportEntry("what was there", evidence(ctx, namespace.Name, begun), ReportEntryVisibilityFailureOrVerbose)
		}
		Expect(k8s.Delete(ctx, namespace)).To(Succeed())
	})
	return namespace.Name
}

func createNamespace(ctx context.Context, prefix string) *corev1.Namespace {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: prefix, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	Expect(k8s.Create(ctx, namespace)).To(Succeed())
	// The first pods of a namespace are refused until it has its service account.
	Eventually(k8s.Get).WithContext(ctx).
		WithArguments(client.ObjectKey{Namespace: namespace.Name, Name: "default"}, &corev1.ServiceAccount{}).Should(Succeed())
	return namespace
}

// newServer is an MCPServer whose lock is tried every two seconds.
func newServer(namespace, name, image string, args ...string) *v1alpha1.MCPServer {
	interval := int32(2)
	server := &v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	server.Spec.Image, server.Spec.Args = image, args
	server.Spec.AuthProbe = &v1alpha1.AuthProbe{IntervalSeconds: &interval}
	return server
}

// fake is an MCPServer that runs mcpfake on the pod's loopback, without sessions.
func fake(namespace, name string, args ...string) *v1alpha1.MCPServer {
	return newServer(namespace, name, fakeImage, append([]string{"--addr=127.0.0.1:8000", "--dialect=stateless"}, args...)...)
}

// forwarding makes the gate pass the verified token on.
func forwarding(server *v1alpha1.MCPServer) *v1alpha1.MCPServer {
	server.Spec.Auth = &v1alpha1.Auth{Forward: &v1alpha1.Forward{Authorization: v1alpha1.AuthorizationForward}}
	return server
}

// create applies the server and waits until it is Ready, its lock proven, and clients reach it.
func create(ctx context.Context, server *v1alpha1.MCPServer) *v1alpha1.MCPServer {
	GinkgoHelper()
	Expect(k8s.Create(ctx, server)).To(Succeed())
	becomesHealthy(ctx, server)
	return server
}

// becomesHealthy waits for the server's status, and then for its Service: nodes learn of a new pod a little later than
// the Deployment does.
func becomesHealthy(ctx context.Context, server *v1alpha1.MCPServer) {
	GinkgoHelper()
	eventually(ctx, server, v1alpha1.ConditionReady).Should(say(metav1.ConditionTrue, v1alpha1.ReasonReady))
	eventually(ctx, server, v1alpha1.ConditionAuthHealthy).Should(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
	Eventually(ask).WithContext(ctx).WithArguments(listing(server, "")).Should(refusedFor("missing_token"))
}

// eventually polls one condition of the server, as it stands for the current spec.
func eventually(ctx context.Context, server *v1alpha1.MCPServer, kind string) AsyncAssertion {
	GinkgoHelper()
	return Eventually(func(g Gomega) *metav1.Condition {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
		found := meta.FindStatusCondition(server.Status.Conditions, kind)
		g.Expect(found).NotTo(BeNil(), "no condition %s yet", kind)
		g.Expect(found.ObservedGeneration).To(Equal(server.Generation), "condition %s is of an older spec", kind)
		return found
	}).WithContext(ctx)
}

// say matches a condition by status and reason.
func say(status metav1.ConditionStatus, reason string) OmegaMatcher {
	return And(HaveField("Status", status), HaveField("Reason", reason))
}

// edit changes an object as `kubectl edit` does, against whoever else writes to it.
func edit[O client.Object](ctx context.Context, object O, change func()) {
	GinkgoHelper()
	Eventually(func() error {
		if err := k8s.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			return err
		}
		change()
		return k8s.Update(ctx, object)
	}).WithContext(ctx).Should(Succeed())
}

// podsOf lists the server's pods, without those that are ending.
func podsOf(ctx context.Context, server *v1alpha1.MCPServer) []corev1.Pod {
	GinkgoHelper()
	alive, err := tryPods(ctx, server)
	Expect(err).NotTo(HaveOccurred())
	return alive
}

func deploymentOf(server *v1alpha1.MCPServer) *appsv1.Deployment {
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: server.Namespace, Name: server.Name}}
}

// isReady reads the pod anew.
func isReady(ctx context.Context, pod *corev1.Pod) (bool, error) {
	return has(ctx, pod, corev1.PodReady, corev1.ConditionTrue)
}

func has(ctx context.Context, pod *corev1.Pod, kind corev1.PodConditionType, status corev1.ConditionStatus) (bool, error) {
	if err := k8s.Get(ctx, client.ObjectKeyFromObject(pod), pod); err != nil {
		return false, err
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == kind {
			return c.Status == status, nil
		}
	}
	return false, nil
}

// debug adds an ephemeral container to a pod, as `kubectl debug` does. A target shares its processes with it.
func debug(ctx context.Context, pod *corev1.Pod, name, target string, args ...string) {
	GinkgoHelper()
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(pod), pod)).To(Succeed())
	before := pod.DeepCopy()
	pod.Spec.EphemeralContainers = append(pod.Spec.EphemeralContainers, corev1.EphemeralContainer{
		TargetContainerName: target,
		EphemeralContainerCommon: corev1.EphemeralContainerCommon{
			Name: name, Image: clientImage, Args: args, SecurityContext: restricted(),
		},
	})
	patch, err := client.StrategicMergeFrom(before).Data(pod)
	Expect(err).NotTo(HaveOccurred())
	_, err = typed.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "ephemeralcontainers")
	Expect(err).NotTo(HaveOccurred())
}

// askBare puts a request to the server itself, past the gate: from inside the pod, where its loopback is.
func askBare(ctx context.Context, pod *corev1.Pod, name string, request loadclient.Request) loadclient.Answer {
	GinkgoHelper()
	data, err := json.Marshal(request)
	Expect(err).NotTo(HaveOccurred())
	debug(ctx, pod, name, "", "-ask", string(data))
	var answer loadclient.Answer
	Eventually(func() error {
		log, err := typed.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: name}).DoRaw(ctx)
		if err != nil {
			return err
		}
		return json.NewDecoder(bytes.NewReader(log)).Decode(&answer)
	}).WithContext(ctx).Should(Succeed())
	return answer
}

// restricted is what the Pod Security Standard of that name asks of a container.
func restricted() *corev1.SecurityContext {
	yes, no := true, false
	return &corev1.SecurityContext{
		RunAsNonRoot: &yes, AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes,
		Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
}

func portOf(number string) intstr.IntOrString { return intstr.Parse(number) }
