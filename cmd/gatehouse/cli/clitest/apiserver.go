package clitest

import (
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
)

// crds is the folder of the CRDs, from that of a subcommand.
var crds = filepath.Join("..", "..", "..", "config", "crd", "bases")

// APIServer is a real one, with a namespace "demo".
type APIServer struct {
	client.WithWatch

	environment *envtest.Environment
}

// StartAPIServer starts an APIServer that ends with the test.
func StartAPIServer(t *testing.T) *APIServer {
	t.Helper()
	environment := &envtest.Environment{
		CRDDirectoryPaths: []string{crds}, ErrorIfCRDPathMissing: true,
		ControlPlaneStartTimeout: 2 * time.Minute, // on a machine that has much to do
	}
	config, err := environment.Start()
	if err != nil {
		t.Fatal("start the API server; `make test` builds it and sets KUBEBUILDER_ASSETS: ", err)
	}
	t.Cleanup(func() { _ = environment.Stop() })
	all, err := cli.NewScheme()
	Must(t, err)
	Must(t, scheme.AddToScheme(all))
	c, err := client.NewWithWatch(config, client.Options{Scheme: all})
	Must(t, err)
	Must(t, c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "demo"}}))
	return &APIServer{c, environment}
}

// User returns the kubeconfig of somebody who may do the given with MCPServers in "demo".
func (s *APIServer) User(t *testing.T, name string, verbs ...string) string {
	t.Helper()
	Must(t, s.Create(t.Context(), &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: name},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{v1alpha1.SchemeGroupVersion.Group}, Resources: []string{"mcpservers"}, Verbs: verbs}},
	}))
	Must(t, s.Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: name}},
	}))
	user, err := s.environment.AddUser(envtest.User{Name: name}, nil)
	Must(t, err)
	kubeconfig, err := user.KubeConfig()
	Must(t, err)
	return File(t, "kubeconfig", string(kubeconfig))
}
