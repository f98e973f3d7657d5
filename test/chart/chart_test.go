package chart

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	values := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &values); err != nil {
		t.Fatal(err)
	}
	return values
}

func TestLint(t *testing.T) {
	for _, values := range []string{"", "namespaces: [a, b]", "metrics: {enabled: false}\nuserRoles: false\npodDisruptionBudget: {enabled: false}"} {
		for _, message := range lint.RunAll(chartFolder, parse(t, values), Namespace).Messages {
			// An icon is what the linter asks for beyond what is right or wrong.
			if message.Severity > support.InfoSev {
				t.Errorf("with values %q: %s", values, message)
			}
		}
	}
}

// TestSchema: what is no value, or not such a one, is refused by its name.
func TestSchema(t *testing.T) {
	for _, c := range []struct{ values, names string }{
		{"replica: 2", "replica"},
		{"image: {name: x}", "name"},
		{"gateImage: {pullPolicy: Always}", "pullPolicy"},
		{"image: {digest: latest}", "digest"},
		{"image: {repository: 'r/o@sha256:0a'}", "repository"},
		{"registry: ''", "registry"},
		{"registry: 'oci://registry.example.com'", "registry"},
		{"registry: registry.example.com/", "registry"},
		{"crds: {install: true}", "install"},
		{"replicas: two", "replicas"},
		{"namespaces: team-a", "namespaces"},
		{"namespaces: ['*']", "namespaces"},
		{"namespaces: [a, a]", "namespaces"},
		{"probeQPS: 0", "probeQPS"},
		{"maxConcurrentUpgrades: 0", "maxConcurrentUpgrades"},
		{"diagnoseLogs: 'on'", "diagnoseLogs"},
		{"serviceAccount: {name: A}", "name"},
		{"readinessGates: false", "readinessGates"},
		{"logLevel: loud", "logLevel"},
		{"extraArgs: [leader-elect]", "extraArgs"},
		{"metrics: {port: 1}", "port"},
		{"podMonitor: {enabled: 'yes'}", "podMonitor"},
		{"resources: {limit: {}}", "limit"},
	} {
		if _, err := Render(chartFolder, parse(t, c.values)); err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%s: %v", c.values, err)
		}
	}
	if _, err := Render(chartFolder, parse(t, "global: {registry: x}")); err != nil {
		t.Errorf("as a part of another chart: %v", err)
	}
}

// TestValues: each value does what its name says.
func TestValues(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0a", 32)
	for _, c := range []struct{ values, kind, has, hasNot string }{
		{"image: {repository: r/o, tag: v1}", "Deployment", "image: r/o:v1\n", ""},
		{"image: {repository: r/o, tag: v1, digest: '" + digest + "'}", "Deployment", "image: r/o@" + digest + "\n", "r/o:v1"},
		{"image: {pullPolicy: Always}", "Deployment", "imagePullPolicy: Always\n", ""},
		{"gateImage: {repository: r/g, digest: '" + digest + "'}", "Deployment", "value: r/g@" + digest + "\n", ""},
		{"registry: 'r.example:5000/a/b'", "Deployment", "image: r.example:5000/a/b/operator:v0.0.0\n", "gatehouse.local"},
		{"registry: 'r.example:5000/a/b'", "Deployment", "value: r.example:5000/a/b/authproxy:v0.0.0\n", "gatehouse.local"},
		{"{registry: r, image: {repository: own/o}}", "Deployment", "image: own/o:v0.0.0\n", "r/operator"},
		{"crds: {enabled: false}", "CustomResourceDefinition", "", "CustomResourceDefinition"},
		{"imagePullSecrets: [a]", "Deployment", "imagePullSecrets:\n      - name: a\n", ""},
		{"replicas: 3", "Deployment", "replicas: 3\n", ""},
		{"namespaces: [a, b]", "Deployment", "--watch-namespaces=a,b\n", ""},
		{"namespaces: [a, b]", "PodMonitor", "", "PodMonitor"},
		{"{namespaces: [a, b], podMonitor: {enabled: true}}", "PodMonitor", "matchNames:\n    - a\n    - b\n", "any:"},
		{"{podMonitor: {enabled: true, labels: {team: a}}}", "PodMonitor", "team: a\n", ""},
		{"clusterDomain: example.org", "Deployment", "--cluster-domain=example.org\n", ""},
		{"probeQPS: 1000000", "Deployment", "--probe-qps=1000000\n", ""},
		{"maxConcurrentUpgrades: 3", "Deployment", "--max-concurrent-upgrades=3\n", ""},
		{"diagnoseLogs: true", "Deployment", "--diagnose-logs\n", ""},
		{"diagnoseLogs: true", "ClusterRole", "pods/log\n", ""},
		{"diagnoseLogs: false", "ClusterRole", "", "pods/log"},
		{"{namespaces: [a], diagnoseLogs: true}", "Role", "pods/log\n", ""},
		{"{namespaces: [a], diagnoseLogs: true}", "ClusterRole", "", "ClusterRole"},
		{"serviceAccount: {name: own}", "ServiceAccount", "name: own\n", "gatehouse-operator"},
		{"serviceAccount: {name: own}", "Deployment", "serviceAccountName: own\n", ""},
		{"serviceAccount: {name: own}", "Role", "resourceNames:\n  - own\n", "gatehouse-operator"},
		{"serviceAccount: {name: own}", "ClusterRoleBinding", "name: own\n", "kind: ServiceAccount\n  name: gatehouse-operator"},
		{"readinessGates: 'Off'", "Deployment", "--readiness-gates=Off\n", ""},
		{"logLevel: debug", "Deployment", "--zap-log-level=debug\n", ""},
		{"extraArgs: ['--a=b: c']", "Deployment", "'--a=b: c'\n", ""},
		{"metrics: {enabled: false}", "Deployment", "--metrics-bind-address=0\n", "8443"},
		{"metrics: {enabled: false}", "Service", "", "Service"},
		{"metrics: {secure: false}", "Deployment", "--metrics-secure=false\n", ""},
		{"metrics: {secure: false}", "Service", "appProtocol: http\n", ""},
		{"metrics: {secure: false}", "ClusterRole", "", "tokenreviews"},
		{"namespaces: [a]", "ClusterRole", "", "ClusterRole"},
		{"{namespaces: [a], metrics: {clusterRoles: true}}", "ClusterRole", "tokenreviews", "mcpservers"},
		{"userRoles: false", "ClusterRole", "", "mcpserver-editor"},
		{"podDisruptionBudget: {enabled: false}", "PodDisruptionBudget", "", "PodDisruptionBudget"},
		{"podDisruptionBudget: {maxUnavailable: 50%}", "PodDisruptionBudget", "maxUnavailable: 50%\n", ""},
		{"serviceAccount: {annotations: {a: b}}", "ServiceAccount", "a: b\n", ""},
		{"podAnnotations: {a: b}", "Deployment", "a: b\n", ""},
		{"nodeSelector: {a: b}", "Deployment", "nodeSelector:\n        a: b\n", ""},
		{"tolerations: [{operator: Exists}]", "Deployment", "tolerations:\n      - operator: Exists\n", ""},
		{"affinity: {podAntiAffinity: {}}", "Deployment", "affinity:\n        podAntiAffinity: {}\n", ""},
		{"priorityClassName: high", "Deployment", "priorityClassName: high\n", ""},
		{"resources: {limits: {memory: 1Gi}}", "Deployment", "memory: 1Gi\n", "512Mi"},
		{"fullnameOverride: other", "Deployment", "serviceAccountName: other-operator\n", "gatehouse-operator"},
	} {
		rendered, err := Render(chartFolder, parse(t, c.values))
		if err != nil {
			t.Errorf("%s: %v", c.values, err)
			continue
		}
		var text string
		for _, object := range rendered.Objects {
			if object.GetKind() == c.kind {
				manifest, err := yaml.Marshal(object.Object)
				if err != nil {
					t.Fatal(err)
				}
				text += string(manifest)
			}
		}
		if !strings.Contains(text, c.has) || c.hasNot != "" && strings.Contains(text, c.hasNot) {
			t.Errorf("%s: want %q and not %q in\n%s", c.values, c.has, c.hasNot, text)
		}
	}
}

// TestNothingOfTheCluster: for some namespaces an install makes nothing that belongs to no namespace but the CRD, and nothing
// outside those and its own.
func TestNothingOfTheCluster(t *testing.T) {
	rendered, err := Render(chartFolder, parse(t, "namespaces: [a, b]"))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, object := range rendered.Objects {
		count[object.GetNamespace()]++
	}
	if want := map[string]int{"": 1, Namespace: 8, "a": 2, "b": 2}; !maps.Equal(count, want) {
		t.Errorf("objects by namespace: %v, want %v", count, want)
	}
	if !strings.Contains(rendered.Notes, "looks after a, b") || !strings.Contains(rendered.Notes, "serves no metrics") {
		t.Errorf("the notes say:\n%s", rendered.Notes)
	}
}

// TestUninstallLeavesTheCRD: it is an object of the release, so that an upgrade changes it, and the only one that Helm is to keep.
func TestUninstallLeavesTheCRD(t *testing.T) {
	rendered, err := Render(chartFolder, asInManifests)
	if err != nil {
		t.Fatal(err)
	}
	crds := 0
	for _, object := range rendered.Objects {
		kind, policy := object.GetKind(), object.GetAnnotations()["helm.sh/resource-policy"]
		switch {
		case kind == "CustomResourceDefinition" && policy == "keep":
			crds++
		case kind == "CustomResourceDefinition", kind == "MCPServer", kind == "Namespace":
			t.Errorf("%s %s would go with the release", kind, object.GetName())
		case policy != "":
			t.Errorf("%s %s would be left when the release goes: %s", kind, object.GetName(), policy)
		}
		if hook := object.GetAnnotations()["helm.sh/hook"]; hook != "" {
			t.Errorf("%s %s is a hook: %s", object.GetKind(), object.GetName(), hook)
		}
	}
	if crds != 1 {
		t.Errorf("%d CRDs are kept", crds)
	}
}

// TestReleasedDigests: in a released chart both images are named by digest, wherever the registry; a tag or a digest of the user's
// goes before.
func TestReleasedDigests(t *testing.T) {
	released := filepath.Join(t.TempDir(), "gatehouse")
	if err := os.CopyFS(released, os.DirFS(chartFolder)); err != nil {
		t.Fatal(err)
	}
	one, other := "sha256:"+strings.Repeat("1a", 32), "sha256:"+strings.Repeat("2b", 32)
	digests := fmt.Sprintf("operator: %s\nauthproxy: %s\n", one, other)
	if err := os.WriteFile(released+"/files/digests.yaml", []byte(digests), 0o600); err != nil {
		t.Fatal(err)
	}
	for values, want := range map[string][2]string{
		"registry: r":                               {"r/operator@" + one, "r/authproxy@" + other},
		"{registry: r, image: {tag: v1}}":           {"r/operator:v1", "r/authproxy@" + other},
		"{registry: r, gateImage: {tag: v1}}":       {"r/operator@" + one, "r/authproxy:v1"},
		"image: {repository: o}":                    {"o@" + one, "gatehouse.local/authproxy@" + other},
		"image: {tag: v1, digest: '" + other + "'}": {"gatehouse.local/operator@" + other, "gatehouse.local/authproxy@" + other},
	} {
		rendered, err := Render(released, parse(t, values))
		if err != nil {
			t.Fatal(err)
		}
		if got := imagesOf(t, rendered); got != want {
			t.Errorf("%s: images %q, want %q", values, got, want)
		}
	}
}

// imagesOf gives the images of operator and gate.
func imagesOf(t *testing.T, rendered Rendered) (out [2]string) {
	t.Helper()
	for _, object := range rendered.Objects {
		if object.GetKind() != "Deployment" {
			continue
		}
		text, err := yaml.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		var deployment appsv1.Deployment
		if err := yaml.UnmarshalStrict(text, &deployment); err != nil {
			t.Fatal(err)
		}
		container := deployment.Spec.Template.Spec.Containers[0]
		out[0] = container.Image
		for _, variable := range container.Env {
			if variable.Name == "AUTHPROXY_IMAGE" {
				out[1] = variable.Value
			}
		}
	}
	return out
}

// fakeCluster has some namespaces.
type fakeCluster []string

func (c fakeCluster) GetClientFor(apiVersion, kind string) (dynamic.NamespaceableResourceInterface, bool, error) {
	if apiVersion != "v1" || kind != "Namespace" {
		return nil, false, fmt.Errorf("nobody asks for %s %s", apiVersion, kind)
	}
	var namespaces []runtime.Object
	for _, name := range c {
		namespaces = append(namespaces, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	client := dynamicfake.NewSimpleDynamicClient(clientgoscheme.Scheme, namespaces...)
	return client.Resource(corev1.SchemeGroupVersion.WithResource("namespaces")), false, nil
}

// TestMissingNamespace: where there is a cluster to ask, a namespace that does not exist ends the command before Helm has begun a
// release, whose name would be taken then. Without a cluster, as in `helm template`, nothing is asked.
func TestMissingNamespace(t *testing.T) {
	values := parse(t, "namespaces: [there, missing]")
	if _, err := Render(chartFolder, values); err != nil {
		t.Errorf("without a cluster: %v", err)
	}
	if _, err := RenderIn(fakeCluster{"there"}, chartFolder, values); err == nil || !strings.Contains(err.Error(), "namespace missing, of the value namespaces, does not exist") {
		t.Errorf("with one of two namespaces: %v", err)
	}
	if _, err := RenderIn(fakeCluster{"there", "missing"}, chartFolder, values); err != nil {
		t.Errorf("with both namespaces: %v", err)
	}
	if _, err := RenderIn(fakeCluster{}, chartFolder, nil); err != nil {
		t.Errorf("for the whole cluster: %v", err)
	}
}

var valueName = regexp.MustCompile("`([a-zA-Z.]+)`")

// TestReadme: the README's table has each value, and no other.
func TestReadme(t *testing.T) {
	content, err := os.ReadFile(chartFolder + "/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(chartFolder + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for line := range strings.Lines(string(readme)) {
		if cells := strings.Split(line, "|"); strings.HasPrefix(line, "| `") {
			for _, name := range valueName.FindAllStringSubmatch(cells[1], -1) {
				documented = append(documented, name[1])
			}
		}
	}
	var want []string
	for name, value := range parse(t, string(content)) {
		parts, nested := value.(map[string]any)
		if !nested || len(parts) == 0 || name == "resources" {
			want = append(want, name)
			continue
		}
		for part := range parts {
			want = append(want, fmt.Sprint(name, ".", part))
		}
	}
	slices.Sort(want)
	slices.Sort(documented)
	if !slices.Equal(documented, want) {
		t.Errorf("the README has\n%q\nand values.yaml\n%q", documented, want)
	}
}
