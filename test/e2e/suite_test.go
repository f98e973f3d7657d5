//go:build e2e

package e2e_test

import (
	"errors"
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

var (
	cluster *rest.Config
	// k8s reads and writes objects; typed does the rest: logs, proxies, subresources of pods.
	k8s   client.Client
	typed *kubernetes.Clientset
	// images of the pods; hack/e2e.sh names them.
	fakeImage       = os.Getenv("MCPFAKE_IMG")
	everythingImage = os.Getenv("EVERYTHING_IMG")
	clientImage     = os.Getenv("LOADCLIENT_IMG")
)

func TestStories(t *testing.T) {
	RegisterFailHandler(Fail)
	// Ten times what it takes on a slow machine. No story asserts how long anything takes.
	SetDefaultEventuallyTimeout(3 * time.Minute)
	// Without this an Eventually with a context waits for ever.
	EnforceDefaultTimeoutsWhenUsingContexts()
	SetDefaultEventuallyPollingInterval(250 * time.Millisecond)
	RunSpecs(t, "Stories")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	logf.SetLogger(GinkgoLogr)
	Expect(errors.Join(missing("MCPFAKE_IMG"), missing("EVERYTHING_IMG"), missing("LOADCLIENT_IMG"))).To(Succeed())
	var err error
	cluster, err = config.GetConfig()
	Expect(err).NotTo(HaveOccurred(), "no cluster: run the stories by `make test-e2e`")
	cluster.QPS = -1
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	k8s, err = client.New(cluster, client.Options{Scheme: scheme, FieldValidation: metav1.FieldValidationStrict})
	Expect(err).NotTo(HaveOccurred())
	typed, err = kubernetes.NewForConfig(cluster)
	Expect(err).NotTo(HaveOccurred())
	startClients(ctx)
})

func missing(variable string) error {
	if os.Getenv(variable) == "" {
		return errors.New(variable + " is not set: run the stories by `make test-e2e`")
	}
	return nil
}
