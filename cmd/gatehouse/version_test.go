package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli/clitest"
)

func TestVersions(t *testing.T) {
	c := clitest.Cluster(t)
	operator := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "gatehouse-system", Name: "operator", Labels: operatorLabels}}
	operator.Spec.Template.Spec.Containers = []corev1.Container{{Name: "operator", Image: "registry.example/operator:v2"}, {Name: "proxy", Image: "other"}}
	clitest.Must(t, c.Create(t.Context(), operator))
	for name, gate := range map[string]string{"a": "registry.example/authproxy:v2", "b": "registry.example/authproxy:v1"} {
		var server v1alpha1.MCPServer
		clitest.Must(t, c.Get(t.Context(), client.ObjectKey{Namespace: "demo", Name: name}, &server))
		server.Status.GateImage = gate
		clitest.Must(t, c.Status().Update(t.Context(), &server))
	}
	found := versions{Client: clientVersion{"v2", "go1", "linux/amd64"}}
	found.ask(t.Context(), c)
	var out bytes.Buffer
	clitest.Must(t, found.write(&out))
	want := "" +
		"Client     v2                              go1 linux/amd64\n" +
		"Operator   registry.example/operator:v2\n" +
		"Gate       registry.example/authproxy:v1   1 MCPServer\n" +
		"Gate       registry.example/authproxy:v2   1 MCPServer\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// What cannot be seen is said.
func TestVersionsWithoutRights(t *testing.T) {
	found := versions{}
	found.ask(t.Context(), clitest.Refusing(t, clitest.Forbidden(v1alpha1.SchemeGroupVersion.Group, "mcpservers"), &v1alpha1.MCPServerList{}))
	var out bytes.Buffer
	clitest.Must(t, found.write(&out))
	if !strings.Contains(out.String(), "Not shown: gates: you may not list MCPServers of all namespaces") {
		t.Errorf("%s", out.String())
	}
}

// Without a cluster the version of the program is shown all the same.
func TestVersionWithoutCluster(t *testing.T) {
	t.Setenv("KUBECONFIG", clitest.File(t, "kubeconfig", ""))
	t.Setenv("HOME", t.TempDir())
	if got := gatehouse(t, "version"); got.Code != cli.ExitOK || !strings.HasPrefix(got.Stdout, "Client   dev   go1.") || !strings.Contains(got.Stdout, "Not shown: operators and gates: no cluster is configured") {
		t.Errorf("%+v", got)
	}
	got := gatehouse(t, "version", "--client", "-o", "json")
	var read versions
	if clitest.Must(t, json.Unmarshal([]byte(got.Stdout), &read)); read.Client.Version != "dev" || read.NotShown != nil {
		t.Errorf("%+v", got)
	}
}
