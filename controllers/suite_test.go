// Package controllers_test runs both controllers against a real API server. There is no kubelet and no controller of
// Deployments there: node_test.go plays their part, with a real gate and a real server behind each pod's address.
package controllers_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/authprobe"
	"github.com/mcp-gatehouse/gatehouse/controllers/fallback"
	"github.com/mcp-gatehouse/gatehouse/controllers/keysource"
	"github.com/mcp-gatehouse/gatehouse/controllers/mcpserver"
	"github.com/mcp-gatehouse/gatehouse/controllers/probecredentials"
	"github.com/mcp-gatehouse/gatehouse/controllers/reporting"
	"github.com/mcp-gatehouse/gatehouse/controllers/watches"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keyobservation"
	"github.com/mcp-gatehouse/gatehouse/internal/publication"
	"github.com/mcp-gatehouse/gatehouse/internal/rollout"
)

var (
	k8s        client.Client
	restConfig *rest.Config
	// operatorConfig has the rights of the operator alone.
	operatorConfig *rest.Config
	// controlPlane can be given further users.
	controlPlane *envtest.Environment
	// builder is the controller under test, for specs that reconcile by hand.
	builder *mcpserver.Reconciler
	// eventRecorder sends Events.
	eventRecorder events.EventRecorder
	// registry has the metrics of the controllers that run.
	registry *prometheus.Registry
	// clusterIssuer reads the issuer of the API server under test.
	clusterIssuer *keysource.ClusterIssuer
	// master is the operator's, and so is probeAccount.
	master       *keysource.ProbeMaster
	probeAccount *probecredentials.Account
)

// newBuilder is the controller of MCPServers of an operator that brings this gate.
func newBuilder(c client.Client, gateImage string) *mcpserver.Reconciler {
	return &mcpserver.Reconciler{
		Client: c, Live: k8s, Events: eventRecorder, Now: time.Now, Issuer: clusterIssuer,
		Master:          master,
		KeyObservations: keyobservation.NewStore(), Publications: &publication.Store{}, Rollout: rollout.NewLimiter(rollout.DefaultMaxUpgrades),
		Inputs: desired.Inputs{GateImage: gateImage, ClusterDomain: "cluster.local"},
	}
}

func TestControllers(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	RunSpecs(t, "Controllers")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	logf.SetLogger(zap.New(zap.WriteTo(GinkgoWriter), zap.UseDevMode(true)))
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())

	control := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	audit.configure(control)
	// By default there are 254 addresses of Services, and nobody deletes those of the specs that are over.
	control.ControlPlane.GetAPIServer().Configure().Set("service-cluster-ip-range", "10.0.0.0/16")
	config, err := control.Start()
	Expect(err).NotTo(HaveOccurred(), "start the API server; `make test` builds it and sets KUBEBUILDER_ASSETS")
	DeferCleanup(control.Stop)
	restConfig, controlPlane = config, control

	k8s, err = client.New(config, client.Options{Scheme: scheme, FieldValidation: metav1.FieldValidationStrict})
	Expect(err).NotTo(HaveOccurred())
	watched := watches.CacheOptions(nil)
	watched.DefaultFieldSelector = fields.AndSelectors(
		fields.OneTermNotEqualSelector("metadata.namespace", unwatched), fields.OneTermNotEqualSelector("metadata.namespace", namespaced))
	operatorConfig = newOperatorUser(ctx, control, operatorUser, "../config/operator")
	counted := rest.CopyConfig(operatorConfig)
	counted.Wrap(written.count)
	mgr, err := ctrl.NewManager(counted, ctrl.Options{
		Scheme: scheme, Cache: watched, Metrics: metricsserver.Options{BindAddress: "0"},
	})
	Expect(err).NotTo(HaveOccurred())
	eventRecorder = mgr.GetEventRecorder("gatehouse")
	clusterIssuer, err = keysource.NewClusterIssuer(operatorConfig)
	Expect(err).NotTo(HaveOccurred())
	makeOperatorAccount(ctx, mgr)
	builder = newBuilder(mgr.GetClient(), testGateImage)
	builder.Live = mgr.GetAPIReader()
	registry = prometheus.NewRegistry()
	builder.Metrics = reporting.NewMetrics()
	Expect(builder.Metrics.Register(registry)).To(Succeed())
	running, stop := context.WithCancel(context.Background())
	Expect(builder.SetupWithManager(running, mgr, watched)).To(Succeed())
	prober, err := authprobe.NewReconciler(mgr.GetClient(), mgr.GetAPIReader(), eventRecorder, authprobe.Options{Registry: registry})
	Expect(err).NotTo(HaveOccurred())
	prober.KeyObservations, prober.Issuer, prober.Master, prober.Account = builder.KeyObservations, clusterIssuer, master, probeAccount
	prober.Publications = builder.Publications
	Expect(prober.SetupWithManager(mgr)).To(Succeed())
	Expect((&fallback.Reconciler{Client: mgr.GetClient(), Live: mgr.GetAPIReader()}).SetupWithManager(mgr)).To(Succeed())

	done := make(chan error, 1)
	go func() { done <- mgr.Start(running) }()
	DeferCleanup(func() {
		stop()
		Eventually(done).Should(Receive(BeNil()))
	})
})

// operatorNamespace is the operator's own.
const operatorNamespace = "gatehouse-system"

// makeOperatorAccount makes the operator's ServiceAccount, and what the operator keeps in its namespace, which newOperatorUser
// has made.
func makeOperatorAccount(ctx context.Context, mgr ctrl.Manager) {
	GinkgoHelper()
	own := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "gatehouse-operator", Namespace: operatorNamespace}}
	Expect(k8s.Create(ctx, own)).To(Succeed())
	master = newMaster(mgr)
	probeAccount = &probecredentials.Account{Client: mgr.GetClient(), Namespace: operatorNamespace, Name: own.Name, Now: time.Now}
}

func newMaster(mgr ctrl.Manager) *keysource.ProbeMaster {
	return &keysource.ProbeMaster{Live: mgr.GetAPIReader(), Writer: mgr.GetClient(), Namespace: operatorNamespace, Now: time.Now}
}

// unwatched is a namespace that the manager does not see: specs that play operators of their own have it to themselves.
const unwatched = "unwatched"

var (
	namespaces atomic.Int32
	// specNamespaces are those of the spec that runs.
	specNamespaces []string
)

// newNamespace gives each spec a namespace of its own: envtest has nobody who would empty one.
func newNamespace(ctx context.Context) string {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("spec-%d", namespaces.Add(1))}}
	ExpectWithOffset(1, k8s.Create(ctx, namespace)).To(Succeed())
	specNamespaces = append(specNamespaces, namespace.Name)
	return namespace.Name
}

// newServer is an MCPServer whose lock is tried every second.
func newServer(namespace, name string) *v1alpha1.MCPServer {
	second := int32(1)
	server := &v1alpha1.MCPServer{}
	server.Namespace, server.Name = namespace, name
	server.Spec.Image = "example.com/server:1"
	server.Spec.AuthProbe = &v1alpha1.AuthProbe{IntervalSeconds: &second}
	return server
}
