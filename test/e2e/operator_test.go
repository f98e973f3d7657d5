//go:build e2e

package e2e_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/test/loadclient"
)

var _ = Describe("While the operator is away", Serial, func() {
	It("no pod takes traffic that was never proven, unless somebody says so by hand", func(ctx SpecContext) {
		server := fake(newStory(ctx), "guarded")
		replicas := int32(2)
		server.Spec.Replicas = &replicas
		create(ctx, server)
		first, second := podsOf(ctx, server)[0], podsOf(ctx, server)[1]
		stopOperator(ctx)

		By("replacing a pod")
		replaced := replace(ctx, server, first)
		Eventually(has).WithContext(ctx).WithArguments(replaced, corev1.ContainersReady, corev1.ConditionTrue).Should(BeTrue())
		Consistently(isReady).WithContext(ctx).WithArguments(replaced).Should(BeFalse(), "the pod was never proven")
		answersAsItShould(ctx, server) // from the other pod

		By("breaking the glass")
		Expect(k8s.Status().Patch(ctx, replaced, client.RawPatch(types.StrategicMergePatchType,
			[]byte(`{"status":{"conditions":[{"type":"`+v1alpha1.ConditionPodAuthProven+`","status":"True"}]}}`)))).To(Succeed())
		Eventually(isReady).WithContext(ctx).WithArguments(replaced).Should(BeTrue())

		By("replacing the other one, and letting the operator come back")
		replaced = replace(ctx, server, second)
		Eventually(has).WithContext(ctx).WithArguments(replaced, corev1.ContainersReady, corev1.ConditionTrue).Should(BeTrue())
		answersAsItShould(ctx, server)
		startOperator(ctx)
		Eventually(isReady).WithContext(ctx).WithArguments(replaced).Should(BeTrue())
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
			g.Expect(server.Status.AuthHealth.ProvenPods).To(Equal(replicas), "the one that was opened by hand is tried as well")
		}).WithContext(ctx).Should(Succeed())
		becomesHealthy(ctx, server)
	})

	It("a NetworkPolicy that is deleted by hand opens the server's own port, and the operator shuts it when it is back", func(ctx SpecContext) {
		server := newServer(newStory(ctx), "exposed", fakeImage, "--addr=0.0.0.0:8000", "--dialect=stateless")
		create(ctx, server)
		past := toMCP("http://"+podsOf(ctx, server)[0].Status.PodIP+":8000/mcp", "")
		past.Body, past.TimeoutSeconds = listTools, 2
		stopOperator(ctx)
		policy := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: server.Namespace, Name: server.Name}}
		Expect(k8s.Delete(ctx, policy)).To(Succeed())
		Eventually(ask).WithContext(ctx).WithArguments(past).Should(beLetIn(), "the server is open behind its gate")
		startOperator(ctx)
		Eventually(ask).WithContext(ctx).WithArguments(past).Should(HaveField("Failure", loadclient.Timeout))
		answersAsItShould(ctx, server)
	})
})

// operatorReplicas is how many the manifests ask for: one that acts, and one that waits.
const operatorReplicas = int32(2)

// stopOperator scales the operator to zero until startOperator, or the end of the story.
func stopOperator(ctx context.Context) {
	GinkgoHelper()
	DeferCleanup(startOperator)
	scaleOperator(ctx, 0)
	operatorIsGone(ctx)
}

// operatorIsGone waits until none of its pods is there.
func operatorIsGone(ctx context.Context) {
	GinkgoHelper()
	Eventually(func() ([]corev1.Pod, error) {
		var pods corev1.PodList
		err := k8s.List(ctx, &pods, operatorLabels)
		return pods.Items, err
	}).WithContext(ctx).Should(BeEmpty())
}

// isLookedAfter changes of a server what needs no other pods, and waits until the operator has taken it in.
func isLookedAfter(ctx context.Context, server *v1alpha1.MCPServer) {
	GinkgoHelper()
	edit(ctx, server, func() { *server.Spec.AuthProbe.IntervalSeconds++ })
	becomesHealthy(ctx, server)
}

func startOperator(ctx context.Context) {
	GinkgoHelper()
	scaleOperator(ctx, operatorReplicas)
	Eventually(func() (int32, error) {
		deployment, err := operator(ctx)
		return deployment.Status.AvailableReplicas, err
	}).WithContext(ctx).Should(Equal(operatorReplicas))
}

func scaleOperator(ctx context.Context, replicas int32) {
	GinkgoHelper()
	deployment, err := operator(ctx)
	Expect(err).NotTo(HaveOccurred())
	edit(ctx, &deployment, func() { deployment.Spec.Replicas = &replicas })
}

// operator finds the operator's Deployment by the labels of its pods.
func operator(ctx context.Context) (appsv1.Deployment, error) {
	var all appsv1.DeploymentList
	if err := k8s.List(ctx, &all); err != nil {
		return appsv1.Deployment{}, err
	}
	for _, deployment := range all.Items {
		labels := deployment.Spec.Template.Labels
		if labels["app.kubernetes.io/name"] == operatorLabels["app.kubernetes.io/name"] &&
			labels["app.kubernetes.io/component"] == operatorLabels["app.kubernetes.io/component"] {
			return deployment, nil
		}
	}
	Fail("there is no operator in this cluster: run the stories by `make test-e2e`")
	return appsv1.Deployment{}, nil
}

// replace deletes a pod and gives the one that comes in its place.
func replace(ctx context.Context, server *v1alpha1.MCPServer, old corev1.Pod) *corev1.Pod {
	GinkgoHelper()
	known := map[types.UID]bool{}
	for _, pod := range podsOf(ctx, server) {
		known[pod.UID] = true
	}
	Expect(k8s.Delete(ctx, &old)).To(Succeed())
	var fresh *corev1.Pod
	Eventually(func() *corev1.Pod {
		for _, pod := range podsOf(ctx, server) {
			if !known[pod.UID] {
				fresh = &pod
			}
		}
		return fresh
	}).WithContext(ctx).ShouldNot(BeNil())
	return fresh
}
