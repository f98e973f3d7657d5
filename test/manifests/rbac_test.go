package manifests

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/mcp-gatehouse/gatehouse/test/roles"
)

// rolesOf gives the rules of each Role and ClusterRole by its name without prefix.
func rolesOf(t *testing.T, folder string) map[string]rbacv1.ClusterRole {
	t.Helper()
	out := map[string]rbacv1.ClusterRole{}
	for _, object := range build(t, folder) {
		if kind := object.GetKind(); kind != "Role" && kind != "ClusterRole" {
			continue
		}
		var role rbacv1.ClusterRole // a Role's rules are in the same place
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &role); err != nil {
			t.Fatal(err)
		}
		out[strings.TrimPrefix(role.Name, "gatehouse-")] = role
	}
	return out
}

func build(t *testing.T, folder string) []*unstructured.Unstructured {
	t.Helper()
	objects, err := roles.Build(filepath.Join("../../config", folder))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// documented reads the tables of docs/rbac.md, by the heading that they stand below.
func documented(t *testing.T) map[string]roles.Set {
	t.Helper()
	page, err := os.ReadFile("../../docs/rbac.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]roles.Set{}
	heading := ""
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSpace(line)
		if name, found := strings.CutPrefix(line, "## "); found {
			heading = name
			out[heading] = roles.Set{}
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|--") || strings.Contains(line, "| Verbs |") {
			continue
		}
		if len(cells) != 4 || strings.TrimSpace(cells[3]) == "" {
			t.Errorf("%s: no right with its reason: %s", heading, line)
			continue
		}
		group := strings.Replace(strings.TrimSpace(cells[0]), "core", "", 1)
		for _, right := range roles.Of([]rbacv1.PolicyRule{{APIGroups: []string{group}, Resources: list(cells[1]), Verbs: list(cells[2])}}).Without(nil) {
			if out[heading][right] {
				t.Errorf("%s: %s stands twice", heading, right)
			}
			out[heading][right] = true
		}
	}
	return out
}

func list(cell string) []string {
	items := strings.Split(cell, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}

func TestEveryRightIsDocumented(t *testing.T) {
	pages := documented(t)
	granted := rolesOf(t, "operator")
	for name, role := range granted {
		has := roles.Of(role.Rules)
		for _, right := range has.Without(pages[name]) {
			t.Errorf("%s grants %s, for which docs/rbac.md has no reason", name, right)
		}
		for _, right := range pages[name].Without(has) {
			t.Errorf("docs/rbac.md has a reason for %s of %s, which is not granted", right, name)
		}
	}
	for name := range pages {
		if _, found := granted[name]; !found {
			t.Errorf("docs/rbac.md describes %s, which config/operator does not have", name)
		}
	}
	if len(granted) < 6 {
		t.Errorf("config/operator has %d roles", len(granted))
	}
}

// Roles for people: no role of ours widens a built-in one, and whoever sees MCPServers sees nothing else.
func TestRolesForPeople(t *testing.T) {
	granted := rolesOf(t, "operator")
	for name, role := range granted {
		for label := range role.Labels {
			if strings.HasPrefix(label, "rbac.authorization.k8s.io/aggregate-to-") {
				t.Errorf("%s has label %s", name, label)
			}
		}
		if !strings.HasPrefix(name, "mcpserver-") {
			continue
		}
		for right := range roles.Of(role.Rules) {
			if right.Group != "mcp.gatehouse.dev" {
				t.Errorf("%s grants %s", name, right)
			}
			// What the status says of templates is believed.
			if right.Resource == "mcpservers/status" && right.Verb != "get" {
				t.Errorf("%s grants %s, which is for the operator alone", name, right)
			}
			if name == "mcpserver-viewer" && !slices.Contains([]string{"get", "list", "watch"}, right.Verb) {
				t.Errorf("%s grants %s", name, right)
			}
		}
	}
	for _, name := range []string{"mcpserver-editor", "mcpserver-viewer"} {
		if len(granted[name].Rules) == 0 {
			t.Errorf("there is no %s", name)
		}
	}
}

// In an install for some namespaces nothing belongs to the cluster, and a namespace has the operator's rules, less the
// paths of the API server.
func TestNamespacedInstall(t *testing.T) {
	for _, object := range build(t, "namespaced") {
		if object.GetNamespace() == "" {
			t.Errorf("%s %s belongs to no namespace", object.GetKind(), object.GetName())
		}
	}
	watched := rolesOf(t, "namespaced/watched")
	if len(watched) != 1 || len(build(t, "namespaced/watched")) != 2 {
		t.Errorf("%d roles, want one and its binding", len(watched))
	}
	inCluster, inNamespace := roles.Of(rolesOf(t, "operator")["operator"].Rules), roles.Of(watched["operator"].Rules)
	for _, right := range inCluster.Without(inNamespace) {
		if !strings.HasPrefix(right.Resource, "/") {
			t.Errorf("%s is granted in the cluster only", right)
		}
	}
	for _, right := range inNamespace.Without(inCluster) {
		t.Errorf("%s is granted in a namespace only", right)
	}
	for right := range inNamespace {
		if strings.HasPrefix(right.Resource, "/") {
			t.Errorf("%s has no effect in a namespace", right)
		}
	}
}

var marker = regexp.MustCompile(`^\s*// \+kubebuilder:rbac:`)

// TestMarkersHaveReasons: above each marker, or the block that it stands in, is a sentence that says why.
func TestMarkersHaveReasons(t *testing.T) {
	files, err := filepath.Glob("../../controllers/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		before := ""
		for line := range strings.Lines(string(text)) {
			if !marker.MatchString(line) {
				before = strings.TrimSpace(line)
				continue
			}
			count++
			if !strings.HasPrefix(before, "// ") || !strings.HasSuffix(before, ".") {
				t.Errorf("%s: no sentence says why: %s", file, strings.TrimSpace(line))
			}
		}
	}
	if count < 10 {
		t.Errorf("%d markers were found", count)
	}
}
