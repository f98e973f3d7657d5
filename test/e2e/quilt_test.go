//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/loadclient"
)

// quiltServer is one release of quilt-mcp-server, real or played.
type quiltServer struct {
	name  string
	image func() string
	args  []string
	// verifies: it checks tokens itself, and gets the shared secret.
	verifies bool
	bare     v1alpha1.BareServerResult
	// lacks are what it says without its variables.
	lacks string
}

func realQuilt(release, lacks string) quiltServer {
	image := func() string {
		GinkgoHelper()
		Expect(missing("QUILT_IMG")).To(Succeed(), "or leave these stories out with LABEL='!quilt'")
		return os.Getenv("QUILT_IMG")
	}
	return quiltServer{name: "quilt-mcp " + release, image: image, args: []string{release}, bare: anyBearer, lacks: lacks}
}

func playedQuilt(release, lacks string, verifies bool, bare v1alpha1.BareServerResult) quiltServer {
	return quiltServer{
		name: "mcpfake as " + release, image: func() string { return fakeImage }, args: []string{"quilt", release},
		verifies: verifies, bare: bare, lacks: lacks,
	}
}

const (
	bothLacking    = "Platform backend requires QUILT_CATALOG_URL environment variable; Platform backend requires QUILT_REGISTRY_URL environment variable"
	catalogLacking = "Platform backend requires QUILT_CATALOG_URL environment variable"
	oldLacking     = "Multiuser mode requires QUILT_CATALOG_URL environment variable; Multiuser mode requires QUILT_REGISTRY_URL environment variable"

	anyBearer v1alpha1.BareServerResult = "AnyBearer"
	refuses   v1alpha1.BareServerResult = "Refuses"

	catalogOrigin = "https://catalog.example.com"
	catalogSecret = "quilt-mcp-jwt"
	quiltSecret   = "a-secret-of-the-catalog-of-55-characters-as-they-advise"
)

// onQuilt makes an entry for each server: the real ones need PyPI.
func onQuilt() []TableEntry {
	var entries []TableEntry
	for _, server := range []quiltServer{
		realQuilt("0.22.0", catalogLacking), realQuilt("0.21.0", bothLacking), realQuilt("0.18.0", bothLacking), realQuilt("0.17.6", bothLacking),
	} {
		entries = append(entries, Entry(server.name, Label("quilt"), server))
	}
	for _, server := range []quiltServer{
		playedQuilt("0.21", bothLacking, false, anyBearer), playedQuilt("0.14", oldLacking, true, refuses),
	} {
		entries = append(entries, Entry(server.name, Label("quilt", "ci"), server))
	}
	return entries
}

// deploy makes the MCPServer as the sample of the shared secret has it, but for the managed provider, and what its variables
// are in.
func (q quiltServer) deploy(ctx context.Context, variables map[string]string) *v1alpha1.MCPServer {
	GinkgoHelper()
	server := newServer(newStory(ctx), "quilt", q.image(), q.args...)
	server.Spec.Profile = v1alpha1.ProfileQuilt
	if q.verifies {
		server.Spec.Quilt = &v1alpha1.Quilt{Release: v1alpha1.QuiltUpTo014}
	}
	server.Spec.Gate = &v1alpha1.Gate{AllowedOrigins: []string{catalogOrigin}}
	server.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{{Name: "catalog", Keys: v1alpha1.ProviderKeys{
		Type: v1alpha1.KeysSecret, Secret: &v1alpha1.SecretKeys{Name: catalogSecret, Keys: []string{"MCP_JWT_SECRET"}, Format: v1alpha1.FormatSharedSecret},
	}}}}
	createSecret(ctx, server.Namespace, catalogSecret, "MCP_JWT_SECRET", []byte(quiltSecret))
	Expect(k8s.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: server.Namespace, Name: "catalog"}, Data: variables})).To(Succeed())
	server.Spec.EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "catalog"}}}}
	Expect(k8s.Create(ctx, server)).To(Succeed())
	return server
}

// wholeCatalog is what the server's own tests set.
func wholeCatalog() map[string]string {
	return map[string]string{"QUILT_CATALOG_URL": "http://test-catalog.example.com", "QUILT_REGISTRY_URL": "http://test-registry.example.com"}
}

// catalogToken is a token as the catalog makes them: id, uuid, exp and nothing else.
func catalogToken(key string, lifetime time.Duration) string {
	GinkgoHelper()
	signing, err := keys.ParseSigningSecret([]byte(key), keys.Signing{Algorithm: keys.HS256})
	Expect(err).NotTo(HaveOccurred())
	minted, err := token.Template{
		Key: signing, Type: "JWT", Bare: true, Lifetime: lifetime, Identity: []string{"id"}, Claims: map[string]any{"id": "7", "uuid": "u-7"},
	}.Good(time.Now())
	Expect(err).NotTo(HaveOccurred())
	return minted
}

// theirs is a request as the server's own tests and the catalog's page send it: with a session id that the client made up.
func theirs(server *v1alpha1.MCPServer, method, bearer string) loadclient.Request {
	request := toMCP(desired.URL(server, false), bearer)
	request.Header["Mcp-Session-Id"] = "test-session-00000000-0000-4000-8000-000000000001"
	params := `{}`
	if method == "initialize" {
		params = `{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"test-client","version":"1.0"}}`
	}
	request.Body = `{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":` + params + `}`
	return request
}

func atPath(server *v1alpha1.MCPServer, path string) loadclient.Request {
	return loadclient.Request{Method: http.MethodGet, URL: "http://" + server.Name + "." + server.Namespace + ".svc:8080" + path}
}

var _ = Describe("quilt-mcp-server of profile Quilt", func() {
	// One By for each of the tests in tests/stateless of that server, under its name there.
	DescribeTable("passes its own stateless tests behind the gate", func(ctx SpecContext, quilt quiltServer) {
		server := quilt.deploy(ctx, wholeCatalog())
		becomesHealthy(ctx, server)
		good := catalogToken(quiltSecret, 10*time.Minute)
		pod := &podsOf(ctx, server)[0]
		container := pod.Spec.Containers[0]

		By("1 container_starts_with_stateless_constraints")
		Expect(container.SecurityContext).To(And(
			HaveField("ReadOnlyRootFilesystem", HaveValue(BeTrue())), HaveField("AllowPrivilegeEscalation", HaveValue(BeFalse())),
			HaveField("Capabilities.Drop", ConsistOf(corev1.Capability("ALL"))), HaveField("RunAsUser", HaveValue(BeEquivalentTo(65532)))))
		Expect(pod.Spec.SecurityContext.RunAsNonRoot).To(HaveValue(BeTrue()))
		Expect(container.Resources.Limits.Memory().Equal(resource.MustParse("512Mi"))).To(BeTrue())

		By("2 no_filesystem_writes_outside_tmpfs, and 3 quilt3_operations_with_cache_disabled")
		Expect(writable(*pod, container)).To(ConsistOf("/tmp", "/run"))
		Expect(container.Env).To(ContainElement(corev1.EnvVar{Name: "QUILT_DISABLE_CACHE", Value: "true"}))

		By("4 mcp_server_responds")
		for _, path := range []string{"/", "/health", "/healthz"} {
			Expect(ask(ctx, atPath(server, path))).To(And(HaveField("Status", 200), HaveField("Body", `{"status":"ok"}`+"\n")), path)
		}

		By("5 tools_list_endpoint")
		Expect(ask(ctx, theirs(server, "initialize", good))).To(beLetIn())
		Expect(ask(ctx, theirs(server, "tools/list", good))).To(And(beLetIn(), HaveField("Body", ContainSubstring(`"tools":[{`))))

		By("6 jwt_required_environment_variable")
		Expect(container.Env).To(ContainElement(corev1.EnvVar{Name: "QUILT_MULTIUSER_MODE", Value: "true"}))

		By("7 request_without_jwt_fails_clearly")
		Expect(ask(ctx, theirs(server, "tools/list", ""))).To(And(refusedFor("missing_token"), HaveField("Body", MatchRegexp("(?i)jwt|token|authorization|auth"))))

		By("8 request_with_malformed_jwt_fails_clearly")
		Expect(ask(ctx, theirs(server, "tools/list", "not-a-valid-jwt-token"))).To(And(refusedFor("malformed_token"),
			HaveField("Body", MatchRegexp("(?i)invalid|malformed|token|jwt|signature"))))

		By("9 request_with_valid_jwt_succeeds, and others do not")
		Expect(ask(ctx, theirs(server, "initialize", good))).To(beLetIn())
		Expect(ask(ctx, theirs(server, "initialize", catalogToken(quiltSecret, -time.Hour)))).To(refusedFor("expired"))
		Expect(ask(ctx, theirs(server, "initialize", catalogToken("another-secret-of-55-characters-which-nobody-here-knows", time.Hour)))).To(refusedFor("bad_signature"))

		By("10 no_fallback_to_local_credentials")
		Expect(container.Env).To(ContainElements(corev1.EnvVar{Name: "QUILT_FALLBACK_JWT"}, corev1.EnvVar{Name: "QUILT_ALLOW_TEST_JWT"}))
		Expect(pod.Spec.AutomountServiceAccountToken).To(HaveValue(BeFalse()))

		By("11 jwt_secret_not_written_to_filesystem")
		Expect(secretsMounted(*pod, container)).To(BeEmpty())

		By("12 continues_running_after_requests, and no_state_persists_across_restarts")
		for range 5 {
			Expect(ask(ctx, atPath(server, "/"))).To(HaveField("Status", 200))
		}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(pod), pod)).To(Succeed())
		Expect(pod.Status.ContainerStatuses).To(HaveEach(HaveField("RestartCount", int32(0))))
		Expect(k8s.Delete(ctx, pod)).To(Succeed())
		Eventually(func(g Gomega) {
			left := podsOf(ctx, server)
			g.Expect(left).To(ConsistOf(HaveField("UID", Not(Equal(pod.UID)))))
			g.Expect(ask(ctx, atPath(server, "/"))).To(HaveField("Status", 200))
			g.Expect(ask(ctx, theirs(server, "tools/list", good))).To(beLetIn())
		}).WithContext(ctx).Should(Succeed())
	}, onQuilt())

	DescribeTable("serves the page of its catalog", func(ctx SpecContext, quilt quiltServer) {
		server := quilt.deploy(ctx, wholeCatalog())
		becomesHealthy(ctx, server)
		from := func(origin string, request loadclient.Request) loadclient.Request {
			request.Header["Origin"] = origin
			return request
		}
		readable := HaveField("Header", HaveKeyWithValue("Access-Control-Allow-Origin", ConsistOf(catalogOrigin)))

		By("asking before it sends a token, which the server alone would refuse")
		preflight := from(catalogOrigin, loadclient.Request{Method: http.MethodOptions, URL: desired.URL(server, false), Header: map[string]string{
			"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type,mcp-session-id",
		}})
		Expect(ask(ctx, preflight)).To(And(HaveField("Status", 204), readable,
			HaveField("Header", HaveKeyWithValue("Access-Control-Allow-Headers", ConsistOf(And(ContainSubstring("Authorization"), ContainSubstring("Mcp-Session-Id")))))))

		By("calling")
		Expect(ask(ctx, from(catalogOrigin, theirs(server, "initialize", catalogToken(quiltSecret, time.Hour))))).To(And(beLetIn(), readable))

		By("learning that its token has expired")
		Expect(ask(ctx, from(catalogOrigin, theirs(server, "tools/list", catalogToken(quiltSecret, -time.Hour))))).To(And(refusedFor("expired"), readable,
			HaveField("Header", HaveKeyWithValue("Access-Control-Expose-Headers", ConsistOf(ContainSubstring("WWW-Authenticate"))))))

		By("being no page of somebody else")
		Expect(ask(ctx, from("https://evil.example.com", theirs(server, "initialize", catalogToken(quiltSecret, time.Hour))))).To(HaveField("Status", 403))
	}, onQuilt())

	DescribeTable("is described: what it is, and what it does without its gate", func(ctx SpecContext, quilt quiltServer) {
		server := quilt.deploy(ctx, wholeCatalog())
		becomesHealthy(ctx, server)
		tell(server)
		Expect(server.Status.ServerInfo).To(HaveField("Name", Not(BeEmpty())))
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
			g.Expect(server.Status.AuthHealth.BareServer).To(Equal(quilt.bare))
		}).WithContext(ctx).Should(Succeed(), "a gate that becomes ready may still be asking")
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
		for _, kind := range []string{v1alpha1.ConditionAvailable, v1alpha1.ConditionAuthHealthy} {
			eventually(ctx, server, kind).ShouldNot(HaveField("Message", ContainSubstring("exits")))
		}
	}, onQuilt())

	DescribeTable("names the variable that is missing", func(ctx SpecContext, quilt quiltServer) {
		server := quilt.deploy(ctx, nil)
		available := &metav1.Condition{}
		eventually(ctx, server, v1alpha1.ConditionAvailable).Should(And(say(metav1.ConditionFalse, v1alpha1.ReasonContainerExited),
			HaveField("Message", And(ContainSubstring("exited with code 1"), ContainSubstring(quilt.lacks))),
			WithTransform(func(c *metav1.Condition) bool { *available = *c; return true }, BeTrue())))
		AddReportEntry("Available of "+quilt.name, fmt.Sprintf("%s: %s", available.Reason, available.Message))
	}, onQuilt())
})

var _ = Describe("The shared secret of quilt-mcp-server", Label("quilt", "ci"), func() {
	It("replaced in place reaches a server that reads it at its start only", func(ctx SpecContext) {
		quilt := playedQuilt("0.14", oldLacking, true, refuses)
		server := quilt.deploy(ctx, wholeCatalog())
		becomesHealthy(ctx, server)
		before := podsOf(ctx, server)[0]

		const replaced = "another-secret-of-the-catalog-of-55-characters-as-they-s"
		stored := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: server.Namespace, Name: catalogSecret}}
		edit(ctx, stored, func() { stored.Data["MCP_JWT_SECRET"] = []byte(replaced) })
		begun := time.Now()
		Eventually(func(g Gomega) {
			g.Expect(podsOf(ctx, server)).To(ConsistOf(HaveField("UID", Not(Equal(before.UID)))))
			g.Expect(ask(ctx, theirs(server, "tools/list", catalogToken(replaced, time.Hour)))).To(beLetIn())
		}).WithContext(ctx).Should(Succeed())
		AddReportEntry("users with tokens of the new secret were let in after", time.Since(begun).Round(time.Second).String())
		Expect(ask(ctx, theirs(server, "tools/list", catalogToken(quiltSecret, time.Hour)))).To(refusedFor("bad_signature"))
		becomesHealthy(ctx, server)
	})

	It("that is not the catalog's is found by a token of the catalog", func(ctx SpecContext) {
		quilt := playedQuilt("0.21", bothLacking, false, anyBearer)
		server := quilt.deploy(ctx, wholeCatalog())
		becomesHealthy(ctx, server)
		createSecret(ctx, server.Namespace, "quilt-probe-token", "token", []byte(catalogToken("the-secret-that-the-catalog-really-has-which-is-not-it", time.Hour)))
		begun := time.Now()
		edit(ctx, server, func() {
			server.Spec.AuthProbe.Credential = v1alpha1.CredentialSecretRef
			server.Spec.AuthProbe.TokenSecretRef = &v1alpha1.TokenSecretRef{Name: "quilt-probe-token"}
		})
		eventually(ctx, server, v1alpha1.ConditionAuthHealthy).Should(And(say(metav1.ConditionFalse, v1alpha1.ReasonValidTokenRejected),
			HaveField("Message", ContainSubstring("the shared secret in Secret quilt-mcp-jwt, data key MCP_JWT_SECRET"))))
		AddReportEntry("it was found after", time.Since(begun).Round(time.Second).String())
		tell(server)

		By("being given the right one")
		stored := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: server.Namespace, Name: "quilt-probe-token"}}
		edit(ctx, stored, func() { stored.Data["token"] = []byte(catalogToken(quiltSecret, time.Hour)) })
		becomesHealthy(ctx, server)
	})
})

// writable lists where a container can write: the mounts that are not read-only, if its root is.
func writable(pod corev1.Pod, container corev1.Container) []string {
	var paths []string
	if !ptr.Deref(container.SecurityContext.ReadOnlyRootFilesystem, false) {
		paths = append(paths, "/")
	}
	for _, mount := range container.VolumeMounts {
		if !mount.ReadOnly {
			paths = append(paths, mount.MountPath)
		}
	}
	for _, volume := range pod.Spec.Volumes {
		if volume.EmptyDir == nil && (volume.PersistentVolumeClaim != nil || volume.HostPath != nil) {
			paths = append(paths, "volume "+volume.Name)
		}
	}
	return paths
}

// secretsMounted lists the volumes with Secrets that a container has as files.
func secretsMounted(pod corev1.Pod, container corev1.Container) []string {
	var found []string
	for _, mount := range container.VolumeMounts {
		for _, volume := range pod.Spec.Volumes {
			if volume.Name == mount.Name && (volume.Secret != nil || volume.Projected != nil) {
				found = append(found, volume.Name)
			}
		}
	}
	return found
}
