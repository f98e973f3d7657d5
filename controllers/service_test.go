package controllers_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
)

// proxied plays kube-proxy: connections of the operator to the server's Service end at an address, host:port. The Service
// has an endpoint that serves; it cannot be a loopback address.
func proxied(ctx context.Context, o *operator, server *v1alpha1.MCPServer, to string) {
	GinkgoHelper()
	service := &corev1.Service{}
	Expect(fetch(ctx, server, service, "")).To(Succeed())
	o.prober.Prober = runner.New(runner.Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.HasPrefix(address, service.Spec.ClusterIP+":") {
			address = to
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}})
	slice := &discoveryv1.EndpointSlice{AddressType: discoveryv1.AddressTypeIPv4}
	slice.Namespace, slice.Name = server.Namespace, server.Name+"-endpoints"
	slice.Labels = map[string]string{discoveryv1.LabelServiceName: server.Name}
	slice.Endpoints = []discoveryv1.Endpoint{{Addresses: []string{"10.9.8.7"}}}
	Expect(k8s.Create(ctx, slice)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, slice)).To(Succeed()) })
}

// withCertificate serves clients over TLS.
func withCertificate(ctx context.Context) func(*v1alpha1.MCPServer) {
	return func(server *v1alpha1.MCPServer) {
		chain, key := newCertificate()
		name := server.Name + "-tls"
		put := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: server.Namespace, Name: name}}
		put.Data = map[string][]byte{"tls.crt": chain, "tls.key": key}
		Expect(k8s.Create(ctx, put)).To(Succeed())
		server.Spec.Gate = &v1alpha1.Gate{TLS: &v1alpha1.GateTLS{SecretRef: v1alpha1.LocalSecretRef{Name: name}}}
	}
}

var _ = DescribeTable("A gate that is to serve TLS and takes plain HTTP is found, whatever it says of itself",
	func(ctx SpecContext, says func(*admin.State)) {
		server, pod := proveUnwatched(ctx, start(testGateImage), withCertificate(ctx))
		before := pod.server.Requests()
		pod.plain.Store(true)
		pod.says(says)
		start(testGateImage).act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(And(say(metav1.ConditionFalse, v1alpha1.ReasonTLSNotServed),
			HaveField("Message", ContainSubstring("It is to serve clients over TLS (gate.tls), and does not"))))
		Expect(pod.server.Requests()).To(Equal(before), "it was sent a good token in plain text")
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))
		pod.plain.Store(false)
		pod.says(func(*admin.State) {})
		start(testGateImage).act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonProven))
	},
	Entry("that it serves none", func(s *admin.State) { s.TLS, s.CertificateSHA256 = false, "" }),
	Entry("that it serves TLS", func(*admin.State) {}),
)

var _ = Describe("The Service's own address", func() {
	// Each row is who answers there, beside a pod that is proven.
	DescribeTable("is asked as clients ask it",
		func(ctx SpecContext, secure bool, answering func(*simulatedPod) string, status metav1.ConditionStatus, reason, note string) {
			o := start(testGateImage)
			change := minutely
			if secure {
				change = func(s *v1alpha1.MCPServer) { minutely(s); withCertificate(ctx)(s) }
			}
			server, pod := proveUnwatched(ctx, o, change)
			proxied(ctx, o, server, answering(pod))
			waitRounds(o, 1)
			o.act(ctx, server)
			Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(And(say(status, reason), HaveField("Message", HaveSuffix(note))))
			Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionTrue))
		},
		Entry("the pod", false, theGate, metav1.ConditionTrue, v1alpha1.ReasonProven, "let the good one in."),
		Entry("the pod, over TLS", true, theGate, metav1.ConditionTrue, v1alpha1.ReasonProven, "let the good one in."),
		Entry("an open server", false, openServer(httptest.NewServer), metav1.ConditionFalse, v1alpha1.ReasonForeignEndpoint, "what redirects its address."),
		Entry("an open server that shows another certificate", true, openServer(httptest.NewTLSServer),
			metav1.ConditionTrue, v1alpha1.ReasonProven, "instead of the gate's refusal; the pods were asked directly."),
		Entry("an open server that knows no TLS", true, openServer(httptest.NewServer),
			metav1.ConditionTrue, v1alpha1.ReasonProven, "instead of the gate's refusal; the pods were asked directly."),
		Entry("nobody", false, func(*simulatedPod) string { return "127.0.0.1:1" },
			metav1.ConditionTrue, v1alpha1.ReasonProven, "instead of the gate's refusal; the pods were asked directly."),
		Entry("somebody who refuses in another way", false, func(*simulatedPod) string {
			locked := httptest.NewServer(answerWith(http.StatusUnauthorized))
			DeferCleanup(locked.Close)
			return locked.Listener.Addr().String()
		}, metav1.ConditionTrue, v1alpha1.ReasonProven, "instead of the gate's refusal; the pods were asked directly."),
	)
})

var _ = DescribeTable("A gate that opens is asked at once when the Service's address shows it, and is not called a stranger",
	func(ctx SpecContext, opens func(host, service string) bool, reason, words string) {
		o := start(testGateImage)
		server, pod := proveUnwatched(ctx, o, minutely)
		proxied(ctx, o, server, theGate(pod))
		waitRounds(o, 1)
		o.act(ctx, server)
		service := &corev1.Service{}
		Expect(fetch(ctx, server, service, "")).To(Succeed())
		locked := *pod.client.Load()
		pod.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if opens(r.Host, service.Spec.ClusterIP) {
				openDoor().ServeHTTP(w, r)
				return
			}
			locked.ServeHTTP(w, r)
		}))
		// Only the Service is due: an endpoint that is strange is looked at again soon.
		o.prober.Now = func() time.Time { return time.Now().Add(78 * time.Second) }
		o.act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(And(say(metav1.ConditionFalse, reason),
			HaveField("Message", ContainSubstring(words))))
		Expect(pod.proven(ctx)()).To(Equal(corev1.ConditionFalse))
	},
	Entry("to everybody", func(string, string) bool { return true }, v1alpha1.ReasonUnauthenticatedAccepted, "the gate is open"),
	Entry("to who calls the Service by its address", func(host, service string) bool { return strings.HasPrefix(host, service+":") },
		v1alpha1.ReasonInvalidTokenAccepted, "Host 10."),
)

func theGate(p *simulatedPod) string { return net.JoinHostPort(p.pod.Status.PodIP, "8080") }

func openServer(serve func(http.Handler) *httptest.Server) func(*simulatedPod) string {
	return func(*simulatedPod) string {
		server := serve(openDoor())
		DeferCleanup(server.Close)
		return server.Listener.Addr().String()
	}
}
