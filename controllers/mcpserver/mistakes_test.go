package mcpserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	clientfake "sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/yaml"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/routes"
	"github.com/mcp-gatehouse/gatehouse/controllers/serverobjects"
	"github.com/mcp-gatehouse/gatehouse/controllers/ssa"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/inventory"
	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
	"github.com/mcp-gatehouse/gatehouse/internal/keyturn"
	"github.com/mcp-gatehouse/gatehouse/internal/serverstatus"
	"github.com/mcp-gatehouse/gatehouse/internal/terminal"
	"github.com/mcp-gatehouse/gatehouse/test/mistakes"
)

const mistakesPage = "../../docs/mistakes.md"

var testTime = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newServer() *v1alpha1.MCPServer {
	s := &v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: "ns", UID: "uid", Generation: 3}}
	s.Spec.Replicas = ptr.To[int32](1)
	return s
}

// TestMistakesThatAreRefused: the rules of the schema say what to do; specs in controllers/ prove that they refuse.
func TestMistakesThatAreRefused(t *testing.T) {
	data, err := os.ReadFile("../../config/crd/bases/mcp.gatehouse.dev_mcpservers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd any
	if err := yaml.Unmarshal(data, &crd); err != nil {
		t.Fatal(err)
	}
	rules := messagesOf(crd)
	var all []mistakes.Mistake
	for _, c := range []struct{ made, file, names string }{
		{"`path` is that of the old transport, `/sse`", "path-of-sse-transport", "use the server's streamable HTTP endpoint"},
		{"`path: mcp`", "path-relative", "such as /mcp"},
		{"`port` is the gate's", "port-is-gate-port", "gate.port"},
		{"The issuer is a template: `https://login.example.net/{tenantid}/v2.0`", "issuer-template", "name each tenant"},
		{"A provider of type Remote without `audiences`", "provider-remote-without-audience", "audiences"},
		{"Two providers of one issuer", "two-providers-of-one-issuer", "list all keys of an issuer in one provider"},
		{"`issuer` on a provider of type Managed", "managed-with-issuer", "remove them"},
		{"A claim inside of another, named by dots", "claim-match-inside-by-dots", "/realm_access/roles"},
		{"`tokenTypes` with a type of ID tokens", "token-type-of-id-tokens", "tokenTypes"},
		{"`multiuser` beside profile Quilt", "multiuser-with-quilt", "remove multiuser"},
		{"Profile Quilt without its catalog", "quilt-without-catalog", "QUILT_CATALOG_URL"},
		{"`authProbe.credential: None` with a readiness gate", "probe-none-behind-readiness-gate", "set readinessGate to Off"},
		{"`pod.terminationGracePeriodSeconds` shorter than the drain", "pod-ends-before-drain", "gate.drainSeconds"},
		{"`commonLabels` with one of the operator's", "common-label-of-ours", "commonLabels"},
		{"An MCPServer whose name is too long", "name-too-long", "metadata.name"},
	} {
		text, err := os.ReadFile("../../test/invalid/" + c.file + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		want, _, _ := strings.Cut(strings.TrimPrefix(string(text), "# want: "), "\n")
		message := ""
		for _, rule := range rules {
			if strings.Contains(rule, want) {
				message = rule
			}
		}
		all = append(all, mistakes.Mistake{Made: c.made, Message: message, Names: []string{c.names}})
	}
	mistakes.Check(t, mistakesPage, "admission", all)
}

// messagesOf are those of all rules in a schema.
func messagesOf(schema any) []string {
	var all []string
	switch part := schema.(type) {
	case map[string]any:
		rule, isRule := part["rule"].(string)
		if message, found := part["message"].(string); found && isRule && rule != "" {
			all = append(all, message)
		}
		for _, name := range slices.Sorted(maps.Keys(part)) {
			all = append(all, messagesOf(part[name])...)
		}
	case []any:
		for _, item := range part {
			all = append(all, messagesOf(item)...)
		}
	}
	return all
}

// says gives the first condition that keeps a server from being Ready, or that of KeysReady where it is True with more to say.
func says(t *testing.T, made string, s *v1alpha1.MCPServer, seen serverstatus.Seen, err error, names ...string) mistakes.Mistake {
	t.Helper()
	var wrong *terminal.Error
	if err != nil && !errors.As(err, &wrong) {
		t.Errorf("%s: %v", made, err)
	}
	conditions := serverstatus.Conditions(s, seen, wrong, testTime)
	for _, kind := range []string{v1alpha1.ConditionAccepted, v1alpha1.ConditionKeysReady, v1alpha1.ConditionAvailable} {
		found := meta.FindStatusCondition(conditions, kind)
		if found.Status != metav1.ConditionTrue || kind == v1alpha1.ConditionKeysReady && found.Message != serverstatus.KeysPublished {
			return mistakes.Mistake{Made: made, Condition: kind + " " + string(found.Status) + ", `" + found.Reason + "`", Message: found.Message, Names: names}
		}
	}
	t.Errorf("%s: nothing is told", made)
	return mistakes.Mistake{Made: made}
}

// wasFine is a server that was fine until now.
func wasFine() serverstatus.Seen {
	running := &appsv1.Deployment{Status: appsv1.DeploymentStatus{UpdatedReplicas: 1, Replicas: 1, AvailableReplicas: 1}}
	return serverstatus.Seen{Deployment: running, Versions: map[string]string{"x-keys": "1"}}
}

func pemOf(t *testing.T, kind string, data []byte, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data})
}

func TestMistakesInTheSpec(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	publicPEM := pemOf(t, "PUBLIC KEY", public, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotBefore: testTime.Add(-2 * time.Hour), NotAfter: testTime.Add(-time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	certificate := pemOf(t, "CERTIFICATE", der, err)

	provider := func(source v1alpha1.ProviderKeys, algorithms ...v1alpha1.Algorithm) *v1alpha1.Auth {
		return &v1alpha1.Auth{Providers: []v1alpha1.Provider{{Name: "corp", Issuer: "https://login.example.com", Audiences: []string{"tools"}, Algorithms: algorithms, Keys: source}}}
	}
	fromSecret := func(format v1alpha1.KeyFormat, algorithms ...v1alpha1.Algorithm) *v1alpha1.Auth {
		return provider(v1alpha1.ProviderKeys{Type: v1alpha1.KeysSecret, Secret: &v1alpha1.SecretKeys{Name: "issuer", Keys: []string{"key"}, Format: format}}, algorithms...)
	}
	metadata := func(resource string) *v1alpha1.Auth {
		return &v1alpha1.Auth{ResourceMetadata: &v1alpha1.ResourceMetadata{Resource: resource, AuthorizationServers: []string{"https://login.example.com"}}}
	}
	remote := provider(v1alpha1.ProviderKeys{Type: v1alpha1.KeysRemote, Remote: &v1alpha1.RemoteKeys{CASecretRef: &v1alpha1.SecretKeyRef{Name: "issuer", Key: "key"}}})
	tls := &v1alpha1.Gate{TLS: &v1alpha1.GateTLS{SecretRef: v1alpha1.LocalSecretRef{Name: "issuer"}}}
	route := &v1alpha1.Route{ParentRefs: []v1alpha1.GatewayRef{{Name: "public"}}, Hostnames: []string{"tools.example.com"}}
	revoked := &v1alpha1.Auth{Revoked: &v1alpha1.Revoked{ConfigMapRef: v1alpha1.ConfigMapKeyRef{Name: "revoked"}}}

	var all []mistakes.Mistake
	for _, c := range []struct {
		made   string
		spec   v1alpha1.MCPServerSpec
		secret map[string][]byte // of Secret issuer; nil: there is none
		list   map[string]string // of ConfigMap revoked, likewise
		names  []string
	}{
		{"`envFrom` lends the server the keys of its gate", v1alpha1.MCPServerSpec{EnvFrom: []corev1.EnvFromSource{{
			SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "x-keys"}}}}}, nil, nil, []string{"x-keys", "Take it out of the spec"}},
		{"A label whose value is none", v1alpha1.MCPServerSpec{CommonLabels: map[string]string{"owner": "two words"}}, nil, nil, []string{`spec.commonLabels["owner"]`}},
		{"Metadata without the path of the server", v1alpha1.MCPServerSpec{Auth: metadata("https://tools.example.com")}, nil, nil, []string{"https://tools.example.com", "spec.path is /mcp"}},
		{"Metadata of another host than the route's", v1alpha1.MCPServerSpec{Auth: metadata("https://other.example.com/mcp"), Route: route}, nil, nil, []string{"https://other.example.com/mcp", "tools.example.com"}},
		{"A `route` in a cluster without the Gateway API", v1alpha1.MCPServerSpec{Route: route}, nil, nil, []string{"Install the Gateway API", "remove route"}},
		{"The Secret with the issuer's key is not there", v1alpha1.MCPServerSpec{Auth: fromSecret(v1alpha1.FormatPEM)}, nil, nil, []string{"spec.auth.providers[0].keys.secret.name", "Secret issuer"}},
		{"It has no such data key", v1alpha1.MCPServerSpec{Auth: fromSecret(v1alpha1.FormatPEM)}, map[string][]byte{"other": nil}, nil, []string{"keys.secret.keys[0]", "data key key"}},
		{"What is there is no PEM", v1alpha1.MCPServerSpec{Auth: fromSecret(v1alpha1.FormatPEM)}, map[string][]byte{"key": []byte("none")}, nil, []string{"data key key", "PEM"}},
		{"The key serves another algorithm", v1alpha1.MCPServerSpec{Auth: fromSecret(v1alpha1.FormatPEM, "RS256")}, map[string][]byte{"key": publicPEM}, nil, []string{"RS256", "algorithms"}},
		{"A shared secret that is too short", v1alpha1.MCPServerSpec{Auth: fromSecret(v1alpha1.FormatSharedSecret)}, map[string][]byte{"key": []byte("short")}, nil, []string{"data key key", "SharedSecret"}},
		{"The issuer's CA is no certificate", v1alpha1.MCPServerSpec{Auth: remote}, map[string][]byte{"key": []byte("none")}, nil, []string{"caSecretRef", "Put the issuer's CA there"}},
		{"The issuer's CA has expired", v1alpha1.MCPServerSpec{Auth: remote}, map[string][]byte{"key": certificate}, nil, []string{"CN=ca expired at", "Put its successor there"}},
		{"The Secret of `gate.tls` is not there", v1alpha1.MCPServerSpec{Gate: tls}, nil, nil, []string{"spec.gate.tls.secretRef.name", "Secret issuer"}},
		{"Its certificate has no key", v1alpha1.MCPServerSpec{Gate: tls}, map[string][]byte{"tls.crt": certificate}, nil, []string{"tls.crt", "tls.key"}},
		{"The list of revoked tokens is not there", v1alpha1.MCPServerSpec{Auth: revoked}, nil, nil, []string{"spec.auth.revoked.configMapRef", "ConfigMap revoked"}},
		{"It has a line that is no entry", v1alpha1.MCPServerSpec{Auth: revoked}, nil, map[string]string{"revoked": "sub:mallory\njit:1\n"}, []string{"line 2", "Mend these lines"}},
	} {
		s := newServer()
		s.Spec = c.spec
		s.Spec.Image = "example.com/server"
		seen := observed{Seen: wasFine()}
		objects := []client.Object{}
		if c.secret != nil {
			objects = append(objects, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "issuer", Namespace: "ns"}, Data: c.secret})
		}
		if c.list != nil {
			objects = append(objects, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "revoked", Namespace: "ns"}, Data: c.list})
		}
		err := carryOut(t, s, &seen, objects)
		seen.Faulty = seen.brought.Faulty
		all = append(all, says(t, c.made, s, seen.Seen, err, c.names...))
	}
	all = append(all, mistakesBesideTheSpec(t)...)
	mistakes.Check(t, mistakesPage, "spec", all)
}

// carryOut takes the steps of a reconciliation that can find a mistake.
func carryOut(t *testing.T, s *v1alpha1.MCPServer, seen *observed, objects []client.Object) error {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	r := &Reconciler{Live: clientfake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build(), Now: func() time.Time { return testTime }}
	seen.Public = map[string][]keys.Public{}
	if err := r.observer().brought(t.Context(), s, seen); err != nil {
		return err
	}
	key, err := keys.Generate(keys.ES256)
	if err != nil {
		t.Fatal(err)
	}
	seen.Private = map[string][]keys.Private{desired.DefaultProvider: {key}}
	if _, err := inventory.Of(s, inputs(r.Inputs, s, seen)); err != nil {
		return impossible(err)
	}
	return routes.Judge(t.Context(), nil, s, false)
}

// mistakesBesideTheSpec are those of people with a hand in the cluster.
func mistakesBesideTheSpec(t *testing.T) []mistakes.Mistake {
	t.Helper()
	s := newServer()
	service := &unstructured.Unstructured{Object: map[string]any{"kind": "Service", "metadata": map[string]any{"name": "x", "namespace": "ns"}}}
	foreign := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "x"}}
	name := serverobjects.Mendable(s, &ssa.ForeignError{Existing: foreign, Wanted: service})
	lost := wasFine()
	lost.Turns = []keyturn.Turn{{Provider: "managed", In: rotation.Inputs{Overlap: time.Hour},
		Stored: rotation.Set{Lost: []rotation.Loss{{ID: "key-1", At: testTime}}}, Next: rotation.Set{Lost: []rotation.Loss{{ID: "key-1", At: testTime}}}}}
	return []mistakes.Mistake{
		says(t, "Somebody else has a Service of the server's name", s, wasFine(), name, "Service x", "give the MCPServer another name"),
		says(t, "`kubectl delete secret NAME-keys`", s, lost, nil, "x-keys", "key-1", "gatehouse keys import x"),
	}
}

func TestMistakesInTheImage(t *testing.T) {
	pod := func(statuses ...corev1.ContainerStatus) serverstatus.Seen {
		out := wasFine()
		out.Deployment.Status.AvailableReplicas = 0
		p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "x-1", UID: "1", CreationTimestamp: metav1.NewTime(testTime.Add(-time.Second))}}
		p.Status.ContainerStatuses = statuses
		out.Pods = []corev1.Pod{p}
		return out
	}
	ended := func(code int32, reason, message string, ran time.Duration) corev1.ContainerStatus {
		return corev1.ContainerStatus{Name: "mcp", RestartCount: 2, LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: code, Reason: reason, Message: message, StartedAt: metav1.NewTime(testTime.Add(-ran)), FinishedAt: metav1.NewTime(testTime)}}}
	}
	waiting := func(reason, message string) corev1.ContainerStatus {
		return corev1.ContainerStatus{Name: "mcp", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}
	}
	up := corev1.ContainerStatus{Name: "mcp", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
	absent := func(seen serverstatus.Seen, others ...string) serverstatus.Seen {
		absence := diagnosis.Absence{Port: 8000}
		for _, other := range others {
			absence.Others = append(absence.Others, netip.MustParseAddrPort(other))
		}
		seen.Absences = map[types.UID]diagnosis.Absence{"1": absence}
		return seen
	}
	unscheduled := pod()
	unscheduled.Pods[0].Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/3 nodes are available: 3 Insufficient memory."}}
	refusedFor := func(message string) serverstatus.Seen {
		out := wasFine()
		out.Deployment.Status.AvailableReplicas = 0
		out.Deployment.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Message: message}}
		return out
	}
	gatePort := pod()
	gatePort.Pods[0].Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "authproxy", LastTerminationState: corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{ExitCode: 78, Message: "listen tcp :8080: bind: address already in use"}}}}
	quilt := "QUILT MCP SERVER STARTUP ERROR\nError Type: Configuration Error\n\nDetails: Invalid configuration: Multiuser mode requires QUILT_CATALOG_URL environment variable\n\nTroubleshooting:\n  see the manual\n"

	var all []mistakes.Mistake
	for _, c := range []struct {
		made  string
		seen  serverstatus.Seen
		names []string
	}{
		{"`port` is not the server's, seen at once", absent(pod(up), "[::]:3000"), []string{"[::]:3000", "Set port to 3000"}},
		{"`port` is not the server's, after the startup probe", absent(pod(ended(143, "Error", "", 121*time.Second)), "[::]:3000"), []string{"startup probe", "Set port to 3000"}},
		{"The server listens on one address of the pod only", absent(pod(up), "10.1.2.3:8000"), []string{"10.1.2.3", "have it listen on 127.0.0.1"}},
		{"The server needs longer to start than `startupSeconds`", pod(ended(137, "Error", "", 150*time.Second)), []string{"startupSeconds (now 120)"}},
		{"The image speaks MCP over stdio", pod(ended(0, "Completed", "", time.Second)), []string{"stdio", "args or env"}},
		{"A variable is missing (profile Quilt)", pod(ended(1, "Error", quilt, time.Second)), []string{"QUILT_CATALOG_URL"}},
		{"A variable is missing (Python)", pod(ended(1, "Error", "Traceback (most recent call last):\n  File \"/app/main.py\", line 3, in <module>\nKeyError: 'CATALOG_URL'\n", time.Second)), []string{"CATALOG_URL"}},
		{"Too little memory", pod(ended(137, "OOMKilled", "", time.Minute)), []string{"resources.limits.memory"}},
		{"`command` names no program of the image", pod(ended(128, "StartError", `exec: "tools": executable file not found in $PATH`, 0)), []string{"Check command"}},
		{"The image is for another architecture", pod(ended(126, "Error", "exec /app/tools: exec format error", 0)), []string{"another architecture"}},
		{"The image runs as root", pod(waiting("CreateContainerConfigError", "container has runAsNonRoot and image will run as root")), []string{"pod.securityContext.runAsUser", "runs as root"}},
		{"The image names its user: `USER node`", pod(waiting("CreateContainerConfigError", "container has runAsNonRoot and image has non-numeric user (node), cannot verify user is non-root")), []string{"names its user node", "pod.securityContext.runAsUser"}},
		{"The image does not exist", pod(waiting("ImagePullBackOff", `Back-off pulling image "example.com/server:v9": ErrImagePull: example.com/server:v9: not found`)), []string{"example.com/server:v9: not found", "Check image"}},
		{"The registry wants credentials", pod(waiting("ErrImagePull", "failed to pull image: authorization failed: no basic auth credentials")), []string{"no basic auth credentials", "imagePullSecrets"}},
		{"`env` names a data key that is not there", pod(waiting("CreateContainerConfigError", "couldn't find key token in Secret ns/upstream")), []string{"key token in Secret ns/upstream", "change env"}},
		{"More memory is asked for than any node has", unscheduled, []string{"Insufficient memory", "Lower resources.requests"}},
		{"The quota of the namespace is used up", refusedFor(`pods "x-1" is forbidden: exceeded quota: compute-resources-team-a-2026, requested: limits.memory=1Gi`), []string{"compute-resources-team-a-2026", "Raise the quota"}},
		{"A policy forbids the pods", refusedFor(`pods "x-1" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false`), []string{"allowPrivilegeEscalation != false", "Pod Security level"}},
		{"Another process of the pod has the gate's port", gatePort, []string{"gate.port"}},
	} {
		all = append(all, says(t, c.made, newServer(), c.seen, nil, c.names...))
	}
	mistakes.Check(t, mistakesPage, "pods", all)
}
