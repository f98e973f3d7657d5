//go:build scale

package scale

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

const (
	operatorNamespace = "gatehouse-system"
	fleetNamespace    = "fleet"
)

// controlPlane is an API server with its etcd, and nothing else.
type controlPlane struct {
	config *rest.Config
	client client.Client
	scheme *runtime.Scheme
	// kubeconfig is a file by which the operator finds it.
	kubeconfig string
}

func startControlPlane(t *testing.T) *controlPlane {
	t.Helper()
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true, ControlPlaneStartTimeout: 2 * time.Minute,
	}
	// The usual range has room for 254 Services.
	environment.ControlPlane.GetAPIServer().Configure().Set("service-cluster-ip-range", "10.96.0.0/12")
	config, err := environment.Start()
	if err != nil {
		t.Fatalf("start the API server; `make scale` builds it and sets KUBEBUILDER_ASSETS: %v", err)
	}
	t.Cleanup(func() { _ = environment.Stop() })
	config.QPS = -1

	c := &controlPlane{config: config, scheme: runtime.NewScheme(), kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	must(t, clientgoscheme.AddToScheme(c.scheme))
	must(t, v1alpha1.AddToScheme(c.scheme))
	c.client, err = client.New(config, client.Options{Scheme: c.scheme})
	must(t, err)
	user, err := environment.AddUser(envtest.User{Name: "operator", Groups: []string{"system:masters"}}, nil)
	must(t, err)
	kubeconfig, err := user.KubeConfig()
	must(t, err)
	must(t, os.WriteFile(c.kubeconfig, kubeconfig, 0o600))
	for _, name := range []string{operatorNamespace, fleetNamespace} {
		must(t, c.client.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	}
	return c
}
