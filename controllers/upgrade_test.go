package controllers_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/rollout"
)

const newerImage = "example.com/authproxy:v2"

// newerOperator gives an operator of the next version that upgrades one server at a time.
func newerOperator() *operator {
	GinkgoHelper()
	o := start(newerImage)
	o.builder.Rollout = rollout.NewLimiter(1)
	return o
}

// newServing is a server that the operator of this version has made, and of which one pod serves.
func newServing(ctx context.Context, change ...func(*v1alpha1.MCPServer)) *v1alpha1.MCPServer {
	GinkgoHelper()
	server := newUnwatched(ctx, change...)
	o := start(testGateImage)
	o.build(ctx, server)
	available(ctx, server, 1, 1)
	o.build(ctx, server)
	Expect(reconcilingOf(ctx, server)).To(BeNil())
	return server
}

func reconcilingOf(ctx context.Context, server *v1alpha1.MCPServer) *metav1.Condition {
	return meta.FindStatusCondition(fresh(ctx, server).Status.Conditions, v1alpha1.ConditionReconciling)
}

// gateOf is the image of the gate in the server's pod template.
func gateOf(ctx context.Context, server *v1alpha1.MCPServer) string {
	GinkgoHelper()
	deployment, err := deploymentOf(ctx, server)()
	Expect(err).NotTo(HaveOccurred())
	return deployment.Spec.Template.Spec.InitContainers[0].Image
}

// expectWaits tells that a server has its pods still, and says why.
func expectWaits(ctx context.Context, server *v1alpha1.MCPServer, why string) {
	GinkgoHelper()
	Expect(gateOf(ctx, server)).To(Equal(testGateImage))
	Expect(fresh(ctx, server).Status.GateImage).To(Equal(testGateImage))
	Expect(reconcilingOf(ctx, server)).To(And(say(metav1.ConditionTrue, v1alpha1.ReasonUpgradePending), HaveField("Message", ContainSubstring(why))))
}

// pending counts the Events since the last call that tell that an upgrade waits.
func pending(told *events.FakeRecorder) int {
	count := 0
	for {
		select {
		case text := <-told.Events:
			if strings.HasPrefix(text, "Normal UpgradePending Reconciling is True: The operator has another version") {
				count++
			}
		default:
			return count
		}
	}
}

var _ = Describe("A newer operator", func() {
	It("upgrades so many servers at a time, in order, and goes on where the one before it stopped", func(ctx SpecContext) {
		first, second, third := newServing(ctx), newServing(ctx), newServing(ctx)
		o := newerOperator()
		told := events.NewFakeRecorder(10)
		o.builder.Events = told
		o.build(ctx, third)
		o.build(ctx, second)
		o.build(ctx, first)
		expectWaits(ctx, second, "upgrades 1 MCPServers at a time")
		Expect(gateOf(ctx, first)).To(Equal(newerImage))
		Expect(fresh(ctx, first).Status.GateImage).To(Equal(newerImage))
		o.build(ctx, third)
		expectWaits(ctx, third, "1 are being upgraded.")
		Expect(pending(told)).To(Equal(2), "each that waits is told of once")

		By("restarting it")
		o = newerOperator()
		o.builder.Events = told
		for _, server := range []*v1alpha1.MCPServer{second, third, first} {
			o.build(ctx, server)
		}
		expectWaits(ctx, second, "1 are being upgraded.")
		Expect(pending(told)).To(BeZero(), "they wait still")

		By("replacing the pods of the first")
		available(ctx, first, 1, 1)
		o.build(ctx, first)
		Expect(deploymentOf(ctx, first)()).To(HaveField("Annotations", Not(HaveKey(v1alpha1.AnnotationUpgrading))))
		o.build(ctx, third)
		expectWaits(ctx, third, "0 are being upgraded.")
		o.build(ctx, second)
		Expect(gateOf(ctx, second)).To(Equal(newerImage))
	})

	It("is stopped by an upgrade that does not get on, and by a newer one goes on with that first", func(ctx SpecContext) {
		bad, next := newServing(ctx), newServing(ctx)
		o := newerOperator()
		o.build(ctx, bad)
		deployment, err := deploymentOf(ctx, bad)()
		Expect(err).NotTo(HaveOccurred())
		deployment.Status.Conditions = []appsv1.DeploymentCondition{{
			Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded"}}
		Expect(k8s.Status().Update(ctx, deployment)).To(Succeed())
		o.build(ctx, bad)
		o.build(ctx, next)
		expectWaits(ctx, next, "1 are being upgraded, of which 1 do not get on")

		By("taking the operator back")
		o = start(testGateImage)
		o.builder.Rollout = rollout.NewLimiter(1)
		o.build(ctx, next)
		Expect(reconcilingOf(ctx, next)).To(BeNil(), "it has what that operator wants")
		o.build(ctx, bad)
		Expect(gateOf(ctx, bad)).To(Equal(testGateImage))
	})

	It("does not make people wait who ask for something", func(ctx SpecContext) {
		taken := newServing(ctx)
		o := newerOperator()
		o.build(ctx, taken)
		Expect(gateOf(ctx, taken)).To(Equal(newerImage))

		By("changing how many pods there are, which needs no other pods")
		server := newServing(ctx)
		editObject(ctx, server, func() { server.Spec.Replicas = ptr.To(int32(2)) })
		o.build(ctx, server)
		Expect(gateOf(ctx, server)).To(Equal(testGateImage))
		Expect(deploymentOf(ctx, server)()).To(HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(2))))

		By("changing the spec")
		editObject(ctx, server, func() { server.Spec.Env = []corev1.EnvVar{{Name: "A", Value: "b"}} })
		o.build(ctx, server)
		Expect(gateOf(ctx, server)).To(Equal(newerImage))

		By("restarting")
		server = newServing(ctx)
		o.build(ctx, server)
		expectWaits(ctx, server, "1 are being upgraded.")
		editObject(ctx, server, func() { server.Annotations = map[string]string{v1alpha1.AnnotationRestartedAt: "now"} })
		o.build(ctx, server)
		Expect(gateOf(ctx, server)).To(Equal(newerImage))

		By("overruling the prober")
		server = newServing(ctx)
		o.build(ctx, server)
		expectWaits(ctx, server, "1 are being upgraded.")
		o.builder.Inputs.ReadinessGatesOff = true
		o.build(ctx, server)
		Expect(gateOf(ctx, server)).To(Equal(newerImage))
	})

	It("lets nothing stand that somebody made of a template, and waits for nothing where nothing serves", func(ctx SpecContext) {
		taken, spoilt := newServing(ctx), newServing(ctx)
		o := newerOperator()
		o.build(ctx, taken)
		o.build(ctx, spoilt)
		expectWaits(ctx, spoilt, "1 are being upgraded.")
		deployment, err := deploymentOf(ctx, spoilt)()
		Expect(err).NotTo(HaveOccurred())
		editObject(ctx, deployment, func() { deployment.Spec.Template.Spec.InitContainers[0].Image = "example.com/open-door" })
		restarted := newerOperator()
		restarted.build(ctx, taken)
		restarted.build(ctx, spoilt)
		Expect(gateOf(ctx, spoilt)).To(Equal(testGateImage), "as it was applied last")

		down := newServing(ctx)
		available(ctx, down, 1, 0)
		o.build(ctx, down)
		Expect(gateOf(ctx, down)).To(Equal(newerImage))
	})

	It("asks gates for what a changed spec wants when they have had the time to load it", func(ctx SpecContext) {
		server := newUnwatched(ctx)
		o := start(testGateImage)
		o.build(ctx, server)
		pod := startPod(ctx, server)
		available(ctx, server, 1, 1)
		authHealthy := condition(ctx, server, v1alpha1.ConditionAuthHealthy)
		o.act(ctx, server)
		Expect(authHealthy()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))

		By("trying the lock before the configuration is written anew")
		old := sha256.Sum256(configMap(ctx, server, "-authproxy")[gateapi.ConfigFile])
		editObject(ctx, server, func() {
			server.Spec.Auth = &v1alpha1.Auth{Authorization: &v1alpha1.Authorization{RequiredScopes: []string{"mcp"}}}
		})
		_, err := o.prober.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(server)})
		Expect(err).NotTo(HaveOccurred())
		Expect(authHealthy()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))

		By("trying it before the gate has it")
		pod.says(func(s *admin.State) { s.ConfigSHA256 = hex.EncodeToString(old[:]) })
		o.build(ctx, server)
		start(testGateImage).act(ctx, server)
		Expect(authHealthy()).To(say(metav1.ConditionUnknown, v1alpha1.ReasonGateNotConverged))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))

		By("waiting for longer than a kubelet takes")
		later := start(testGateImage)
		later.prober.Now = func() time.Time { return time.Now().Add(4 * time.Minute) }
		later.act(ctx, server)
		Expect(authHealthy()).To(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Message", ContainSubstring("scope"))))
	})

	It("asks gates for what an older one did not write of revocations when they have had the time to load it", func(ctx SpecContext) {
		server := newUnwatched(ctx)
		o := start(testGateImage)
		o.build(ctx, server)
		list := &corev1.ConfigMap{}
		Expect(fetch(ctx, server, list, "-jwks")).To(Succeed())
		list.Data[gateapi.RevokedFile] = "jti:" + desired.Revoked(fresh(ctx, server)) + "\n"
		Expect(k8s.Update(ctx, list, owned.FieldOwner)).To(Succeed())
		startPod(ctx, server)
		available(ctx, server, 1, 1)

		By("trying the lock before the list is written anew, and after")
		_, err := start(testGateImage).prober.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(server)})
		Expect(err).NotTo(HaveOccurred())
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
		start(testGateImage).act(ctx, server)
		start(testGateImage).act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))

		By("waiting for longer than a kubelet takes")
		later := start(testGateImage)
		later.prober.Now = func() time.Time { return time.Now().Add(4 * time.Minute) }
		later.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Message", ContainSubstring("revoked token (by its subject"))))
	})

	It("leaves gates of another schema their configuration while there are any", func(ctx SpecContext) {
		server := newServing(ctx)
		pod := startPod(ctx, server).pod
		editObject(ctx, pod, func() { pod.Annotations = map[string]string{v1alpha1.AnnotationConfigSchema: "7"} })
		config := &corev1.ConfigMap{}
		Expect(fetch(ctx, server, config, "-authproxy")).To(Succeed())
		config.Data["authproxy.v7.json"] = "of seven"
		Expect(k8s.Update(ctx, config, owned.FieldOwner)).To(Succeed())
		o := start(testGateImage)
		o.build(ctx, server)
		available(ctx, server, 1, 0)
		o.build(ctx, server)
		Expect(fetch(ctx, server, config, "-authproxy")).To(Succeed())
		Expect(config.Data).To(And(HaveLen(2), HaveKey(gateapi.ConfigFile), HaveKeyWithValue("authproxy.v7.json", "of seven")))
		Expect(reconcilingOf(ctx, server)).To(HaveField("Message", ContainSubstring("Gates with schema v7 keep the configuration that they have")))

		By("ending the pod, and its ReplicaSet")
		Expect(k8s.Delete(ctx, pod, client.GracePeriodSeconds(0))).To(Succeed())
		o.build(ctx, server)
		Expect(fetch(ctx, server, config, "-authproxy")).To(Succeed())
		Expect(config.Data).To(And(HaveLen(1), HaveKey(gateapi.ConfigFile)))
	})
})
