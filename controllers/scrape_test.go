package controllers_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// serveMetrics serves metrics as the operator does until the end of the spec, and gives their URL.
func serveMetrics(ctx context.Context) string {
	GinkgoHelper()
	port, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	address := port.Addr().String()
	Expect(port.Close()).To(Succeed())
	transport, err := rest.HTTPClientFor(operatorConfig)
	Expect(err).NotTo(HaveOccurred())
	server, err := metricsserver.NewServer(metricsserver.Options{
		BindAddress: address, SecureServing: true, FilterProvider: filters.WithAuthenticationAndAuthorization,
	}, operatorConfig, transport)
	Expect(err).NotTo(HaveOccurred())
	serving, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Start(serving) }()
	DeferCleanup(func() {
		stop()
		Eventually(done).Should(Receive(BeNil()))
	})
	return "https://" + address + "/metrics"
}

var _ = Describe("The operator's metrics", func() {
	It("are for those alone whom the API server lets have them", func(ctx SpecContext) {
		namespace, url := newNamespace(ctx), serveMetrics(ctx)
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "prometheus", Namespace: namespace}}
		Expect(k8s.Create(ctx, account)).To(Succeed())
		request := &authenticationv1.TokenRequest{}
		Expect(k8s.SubResource("token").Create(ctx, account, request)).To(Succeed())
		scraper := &http.Client{Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		}}
		scrape := func(token string) func() (int, error) {
			return func() (int, error) {
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
				if err != nil {
					return 0, err
				}
				if token != "" {
					request.Header.Set("Authorization", "Bearer "+token)
				}
				answer, err := scraper.Do(request)
				if err != nil {
					return 0, err
				}
				return answer.StatusCode, answer.Body.Close()
			}
		}
		Eventually(scrape("")).Should(Equal(http.StatusUnauthorized))
		Expect(scrape("x." + request.Status.Token)()).NotTo(Equal(http.StatusOK))
		Expect(scrape(request.Status.Token)()).To(Equal(http.StatusForbidden))

		Expect(k8s.Create(ctx, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: namespace},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "gatehouse-metrics-reader"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: account.Name, Namespace: namespace}},
		})).To(Succeed())
		// The refusal is remembered for half a minute.
		Eventually(scrape(request.Status.Token)).WithTimeout(time.Minute).Should(Equal(http.StatusOK))
	})
})
