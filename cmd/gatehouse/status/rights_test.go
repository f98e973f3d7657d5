package status

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli/clitest"
)

// Pods and Events that the caller may not list are named, and all else is shown.
func TestStatusWithoutTheRightToPods(t *testing.T) {
	c := clitest.Refusing(t, clitest.Forbidden("", "pods"), &corev1.PodList{}, &corev1.EventList{})
	for format, want := range map[string][]string{
		cli.FormatTable: {"not ready, GateBypass", "hostNetwork", "not shown: you may not list pods in namespace demo", "not shown: you may not list Events"},
		cli.FormatJSON:  {`"notShown": [`, `"pods"`, `"events"`, "GateBypass"},
	} {
		var out, stderr clitest.Buffer
		clitest.Must(t, options{namespace: "demo", name: "a", format: format}.run(t.Context(), c, time.Now, &out, &stderr))
		for _, text := range want {
			if !strings.Contains(out.String(), text) {
				t.Errorf("%s: %q is not in\n%s", format, text, out.String())
			}
		}
	}
	var out, stderr clitest.Buffer
	clitest.Must(t, options{format: cli.FormatYAML}.run(t.Context(), c, time.Now, &out, &stderr))
	if strings.Count(out.String(), "- pods") != 3 {
		t.Errorf("a list:\n%s", out.String())
	}
}

// An error says what was tried, and what to do about it.
func TestStatusErrorsOfTheCluster(t *testing.T) {
	group := v1alpha1.SchemeGroupVersion.Group
	for name, c := range map[string]struct {
		err  error
		says []string
	}{
		"no CRD": {
			&meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: group, Kind: "MCPServer"}},
			[]string{"list MCPServers in namespace demo", "Gatehouse is not installed in this cluster"},
		},
		"no right": {
			clitest.Forbidden(group, "mcpservers"), []string{"forbidden", "ClusterRole gatehouse-mcpserver-viewer"},
		},
		"not logged in": {apierrors.NewUnauthorized("expired"), []string{"log in again"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := options{namespace: "demo", format: cli.FormatTable}.run(
				t.Context(), clitest.Refusing(t, c.err, &v1alpha1.MCPServerList{}), time.Now, &clitest.Buffer{}, &clitest.Buffer{})
			if err == nil {
				t.Fatal("no error")
			}
			for _, text := range c.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q does not say %q", err, text)
				}
			}
		})
	}
}

func TestStatusWithoutCluster(t *testing.T) {
	t.Setenv("KUBECONFIG", clitest.File(t, "kubeconfig", ""))
	t.Setenv("HOME", t.TempDir())
	got := clitest.Run(t, NewCommand(), "status")
	if got.Code != cli.ExitFailed || !strings.Contains(got.Stderr, "set KUBECONFIG, or give --kubeconfig") {
		t.Errorf("%+v", got)
	}
	got = clitest.Run(t, NewCommand(), "status", "--server", "http://127.0.0.1:1")
	if got.Code != cli.ExitFailed || !strings.Contains(got.Stderr, "Is the cluster reachable from here") {
		t.Errorf("%+v", got)
	}
}

// What the viewer may not list is named; what they may not do at all is an error that names the role.
func TestStatusByRights(t *testing.T) {
	s := clitest.StartAPIServer(t)
	viewer := s.User(t, "viewer", "get")
	server := &v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "alone-with-itself"}}
	server.Spec.Image = "image"
	clitest.Must(t, s.Create(t.Context(), server))
	server.Status.Replicas = 2
	clitest.Must(t, s.Status().Update(t.Context(), server))
	as := func(args ...string) clitest.Result {
		return clitest.Run(t, NewCommand(), append(args, "--kubeconfig", viewer, "--namespace", "demo")...)
	}
	got := as("status", "alone-with-itself")
	if got.Code != cli.ExitOK || !strings.Contains(got.Stdout, "not shown: you may not list pods in namespace demo") {
		t.Errorf("%+v", got)
	}
	if strings.Contains(got.Stdout, "56y") || !strings.Contains(got.Stdout, "Pending") {
		t.Errorf("the schema's default condition has an age:\n%s", got.Stdout)
	}
	if got := as("status"); got.Code != cli.ExitFailed || !strings.Contains(got.Stderr, "ClusterRole gatehouse-mcpserver-viewer") {
		t.Errorf("%+v", got)
	}
}
