package controllers_test

import (
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kstatus "sigs.k8s.io/cli-utils/pkg/kstatus/status"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// onConnection deals with the bare connection of a request.
func onConnection(do func(net.Conn)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer GinkgoRecover()
		conn, _, err := w.(http.Hijacker).Hijack()
		Expect(err).NotTo(HaveOccurred())
		do(conn)
		Expect(conn.Close()).To(Succeed())
	})
}

func reset(conn net.Conn) {
	Expect(conn.(interface{ SetLinger(int) error }).SetLinger(0)).To(Succeed())
}

func write(text string) func(net.Conn) {
	return func(conn net.Conn) {
		_, err := conn.Write([]byte(text))
		Expect(err).NotTo(HaveOccurred())
	}
}

func answerWith(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

// Each row is a pod that was proven, what then becomes of its gate, and what one round makes of it.
var _ = DescribeTable("One round on a gate that",
	func(ctx SpecContext, spoil func(*simulatedPod), status metav1.ConditionStatus, reason string) {
		o := start(testGateImage)
		server, pod := proveUnwatched(ctx, o)
		spoil(pod)
		start(testGateImage).act(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(And(
			say(status, reason), HaveField("Message", ContainSubstring(pod.pod.Name))))
		Expect(condition(ctx, server, v1alpha1.ConditionReady)()).To(say(status, reason))
		Expect(judgedBy(ctx, server)()).To(Equal(kstatus.InProgressStatus))
		gate := corev1.ConditionTrue
		if reason == v1alpha1.ReasonUnauthenticatedAccepted || reason == v1alpha1.ReasonInvalidTokenAccepted {
			gate = corev1.ConditionFalse
		}
		Expect(pod.proven(ctx)()).To(Equal(gate))
	},
	Entry("lets everybody in", func(p *simulatedPod) { p.serve(openDoor()) },
		metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted),
	Entry("lets every bearer in", func(p *simulatedPod) {
		fake, err := mcpfake.New(mcpfake.Options{Faults: "any-bearer"})
		Expect(err).NotTo(HaveOccurred())
		p.serve(fake)
	}, metav1.ConditionFalse, v1alpha1.ReasonInvalidTokenAccepted),
	Entry("refuses everybody", func(p *simulatedPod) { p.serve(answerWith(http.StatusUnauthorized)) },
		metav1.ConditionFalse, v1alpha1.ReasonValidTokenRejected),
	Entry("refuses without a challenge", func(p *simulatedPod) {
		locked := *p.client.Load()
		p.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			locked.ServeHTTP(w, r)
		}))
	}, metav1.ConditionFalse, v1alpha1.ReasonWrongAnswer),
	Entry("resets", func(p *simulatedPod) { p.serve(onConnection(reset)) },
		metav1.ConditionFalse, v1alpha1.ReasonConnectionReset),
	Entry("hangs up", func(p *simulatedPod) { p.serve(onConnection(func(net.Conn) {})) },
		metav1.ConditionFalse, v1alpha1.ReasonConnectionClosed),
	Entry("speaks another protocol", func(p *simulatedPod) { p.serve(onConnection(write("220 mail ready\r\n"))) },
		metav1.ConditionFalse, v1alpha1.ReasonNotHTTP),
	Entry("keeps silent", func(p *simulatedPod) {
		p.serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	}, metav1.ConditionFalse, v1alpha1.ReasonProbeTimeout),
	Entry("answers in part", func(p *simulatedPod) {
		p.serve(onConnection(write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\n{")))
	}, metav1.ConditionFalse, v1alpha1.ReasonTruncatedResponse),
	Entry("has a clock of its own", func(p *simulatedPod) {
		locked := *p.client.Load()
		p.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			now := httptest.NewRecorder()
			locked.ServeHTTP(now, r)
			maps.Copy(w.Header(), now.Header())
			w.Header().Set("Date", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
			if now.Code == http.StatusOK { // by that clock the good token has expired
				now.Code = http.StatusUnauthorized
			}
			w.WriteHeader(now.Code)
			_, _ = w.Write(now.Body.Bytes())
		}))
	}, metav1.ConditionUnknown, v1alpha1.ReasonClockSkew),
	Entry("has too much to do", func(p *simulatedPod) { p.serve(answerWith(http.StatusTooManyRequests)) },
		metav1.ConditionUnknown, v1alpha1.ReasonInconclusive),
	Entry("has lost its server", func(p *simulatedPod) { Expect(p.server.Close()).To(Succeed()) },
		metav1.ConditionUnknown, v1alpha1.ReasonUpstreamUnavailable),
	Entry("has no certificate to show", func(p *simulatedPod) {
		p.says(func(s *admin.State) {
			s.TLS, s.LastReloadError = true, "TLS certificate in /etc/gatehouse/tls: no such file"
		})
	}, metav1.ConditionFalse, v1alpha1.ReasonCertificateUnusable),
	Entry("has another configuration", func(p *simulatedPod) {
		p.says(func(s *admin.State) { s.ConfigSHA256 = "other" })
	}, metav1.ConditionUnknown, v1alpha1.ReasonGateNotConverged),
	Entry("has found something wrong with itself", func(p *simulatedPod) {
		p.says(func(s *admin.State) {
			s.SelfTest = `no token: got status 200 and reason "", want 401 and "missing_token"`
		})
	}, metav1.ConditionFalse, v1alpha1.ReasonInvalidTokenAccepted),
	Entry("could not try itself", func(p *simulatedPod) {
		p.says(func(s *admin.State) { s.SelfTest = "no token: connection refused" })
	}, metav1.ConditionUnknown, v1alpha1.ReasonGateNotConverged),
	Entry("does not have the keys that it must have", func(p *simulatedPod) {
		p.says(func(s *admin.State) { s.Keys = map[string][]string{"managed": {"another"}} })
	}, metav1.ConditionUnknown, v1alpha1.ReasonGateNotConverged),
	Entry("does not answer the operator", func(p *simulatedPod) { p.serveAdmin(onConnection(reset)) },
		metav1.ConditionUnknown, v1alpha1.ReasonUnreachable),
	Entry("cannot prove who it is", func(p *simulatedPod) { p.serveAdmin(answerWith(http.StatusNotFound)) },
		metav1.ConditionUnknown, v1alpha1.ReasonWrongPodAnswered),
)
