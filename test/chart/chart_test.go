package chart

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
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
		for _, message := range lint.RunAll(folder, parse(t, values), Namespace).Messages {
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
		{"image: {repository: ''}", "repository"},
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
		if _, err := Render(folder, parse(t, c.values)); err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%s: %v", c.values, err)
		}
	}
	if _, err := Render(folder, parse(t, "global: {registry: x}")); err != nil {
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
		rendered, err := Render(folder, parse(t, c.values))
		if err != nil {
			t.Errorf("%s: %v", c.values, err)
			continue
		}
		var text string
		for _, object := range rendered.Objects {
			if object.GetKind() == c.kind {
				yaml, err := yaml.Marshal(object.Object)
				if err != nil {
					t.Fatal(err)
				}
				text += string(yaml)
			}
		}
		if !strings.Contains(text, c.has) || c.hasNot != "" && strings.Contains(text, c.hasNot) {
			t.Errorf("%s: want %q and not %q in\n%s", c.values, c.has, c.hasNot, text)
		}
	}
}

// TestNothingOfTheCluster: for some namespaces an install makes nothing that belongs to no namespace, and nothing outside
// those and its own.
func TestNothingOfTheCluster(t *testing.T) {
	rendered, err := Render(folder, parse(t, "namespaces: [a, b]"))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, object := range rendered.Objects {
		count[object.GetNamespace()]++
	}
	if want := map[string]int{Namespace: 8, "a": 2, "b": 2}; !maps.Equal(count, want) {
		t.Errorf("objects by namespace: %v, want %v", count, want)
	}
	if !strings.Contains(rendered.Notes, "looks after a, b") || !strings.Contains(rendered.Notes, "serves no metrics") {
		t.Errorf("the notes say:\n%s", rendered.Notes)
	}
}

// TestUninstallLeavesTheCRD: it is in the folder that Helm never deletes from, and nowhere else.
func TestUninstallLeavesTheCRD(t *testing.T) {
	rendered, err := Render(folder, asInManifests)
	if err != nil {
		t.Fatal(err)
	}
	if len(rendered.CRDs) != 1 {
		t.Errorf("%d CRDs", len(rendered.CRDs))
	}
	for _, object := range rendered.Objects {
		if kind := object.GetKind(); kind == "CustomResourceDefinition" || kind == "MCPServer" || kind == "Namespace" {
			t.Errorf("%s %s would go with the release", kind, object.GetName())
		}
		if hook := object.GetAnnotations()["helm.sh/hook"]; hook != "" {
			t.Errorf("%s %s is a hook: %s", object.GetKind(), object.GetName(), hook)
		}
	}
}

var valueName = regexp.MustCompile("`([a-zA-Z.]+)`")

// TestReadme: the README's table has each value, and no other.
func TestReadme(t *testing.T) {
	content, err := os.ReadFile(folder + "/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(folder + "/README.md")
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
