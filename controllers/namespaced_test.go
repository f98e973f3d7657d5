package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/authprobe"
	"github.com/mcp-gatehouse/gatehouse/controllers/fallback"
	"github.com/mcp-gatehouse/gatehouse/controllers/keysource"
	"github.com/mcp-gatehouse/gatehouse/controllers/watches"
)

// namespaced is the namespace that the operator of config/namespaced looks after. The operator of the suite does not.
const namespaced = "mcp"

// runNamespaced runs an operator for that namespace until the end of the spec, as one of several that elect a leader.
func runNamespaced(user *rest.Config) {
	GinkgoHelper()
	watched := watches.CacheOptions([]string{namespaced})
	mgr, err := ctrl.NewManager(user, ctrl.Options{
		Scheme: k8s.Scheme(), Cache: watched, Metrics: metricsserver.Options{BindAddress: "0"},
		LeaderElection: true, LeaderElectionID: "operator.gatehouse.dev", LeaderElectionNamespace: operatorNamespace,
		LeaderElectionReleaseOnCancel: true,
		Controller:                    config.Controller{SkipNameValidation: ptr.To(true)},
	})
	Expect(err).NotTo(HaveOccurred())
	ctx, stop := context.WithCancel(context.Background())
	b := newBuilder(mgr.GetClient(), testGateImage)
	b.Live, b.Events, b.Master = mgr.GetAPIReader(), mgr.GetEventRecorder("gatehouse"), newMaster(mgr)
	b.Issuer, err = keysource.NewClusterIssuer(user)
	Expect(err).NotTo(HaveOccurred())
	Expect(b.SetupWithManager(ctx, mgr, watched)).To(Succeed())
	prober, err := authprobe.NewReconciler(mgr.GetClient(), mgr.GetAPIReader(), b.Events, authprobe.Options{})
	Expect(err).NotTo(HaveOccurred())
	prober.KeyObservations, prober.Issuer, prober.Master = b.KeyObservations, b.Issuer, b.Master
	Expect(prober.SetupWithManager(mgr)).To(Succeed())
	Expect((&fallback.Reconciler{Client: mgr.GetClient(), Live: mgr.GetAPIReader()}).SetupWithManager(mgr)).To(Succeed())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	DeferCleanup(func() {
		stop()
		Eventually(done).Should(Receive(BeNil()))
	})
}

// mayReadLogs asks the API server what a user may do.
func mayReadLogs(ctx context.Context, user *rest.Config, namespace string) bool {
	GinkgoHelper()
	asUser, err := client.New(user, client.Options{Scheme: k8s.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: "get", Resource: "pods", Subresource: "log"},
	}}
	Expect(asUser.Create(ctx, review)).To(Succeed())
	return review.Status.Allowed
}

var _ = Describe("An operator with Roles alone", func() {
	It("brings servers of its namespaces to Ready, says what it may not read, and leaves all else alone", func(ctx SpecContext) {
		outside := newUnwatched(ctx)
		user := newOperatorUser(ctx, controlPlane, "namespaced", "../config/namespaced")
		asUser, err := client.New(user, client.Options{Scheme: k8s.Scheme()})
		Expect(err).NotTo(HaveOccurred())
		Expect(apierrors.IsForbidden(asUser.List(ctx, &v1alpha1.MCPServerList{}))).To(BeTrue(), "it has rights in the cluster")
		runNamespaced(user)

		specNamespaces = []string{namespaced}
		server := newServer(namespaced, "x")
		Expect(k8s.Create(ctx, server)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, server)).To(Succeed()) })
		pod := startPod(ctx, server)
		Eventually(pod.proven(ctx)).Should(BeEquivalentTo(metav1.ConditionTrue))
		available(ctx, server, 1, 1)
		Eventually(condition(ctx, server, v1alpha1.ConditionReady)).Should(say(metav1.ConditionTrue, v1alpha1.ReasonReady))

		By("asking for what only the cluster can give")
		editObject(ctx, server, func() {
			server.Spec.Auth = withProviders(namespaced, v1alpha1.Provider{Name: "pods", Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysCluster}}).Spec.Auth
		})
		Eventually(condition(ctx, server, v1alpha1.ConditionKeysReady)).Should(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonIssuerUnavailable),
			HaveField("Message", ContainSubstring("the operator may not read it; the ClusterRole system:service-account-issuer-discovery"))))
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))

		By("reading logs, for which there is a component")
		logs := newOperatorUser(ctx, controlPlane, "namespaced-logs", "../test/manifests/testdata/namespaced-logs")
		Expect(mayReadLogs(ctx, user, namespaced)).To(BeFalse())
		Expect(mayReadLogs(ctx, logs, namespaced)).To(BeTrue())
		Expect(mayReadLogs(ctx, logs, outside.Namespace)).To(BeFalse())

		Expect(fresh(ctx, outside).Status.Conditions).To(ConsistOf(HaveField("Reason", v1alpha1.ReasonPending)))
		Expect(apierrors.IsNotFound(fetch(ctx, outside, &appsv1.Deployment{}, ""))).To(BeTrue())
		Consistently(func() int64 { return fresh(ctx, outside).Generation }, time.Second).Should(BeEquivalentTo(1))
	})
})
