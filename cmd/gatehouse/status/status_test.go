package status

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli/clitest"
)

func runStatus(t *testing.T, o options) (stdout, stderr string, err error) {
	t.Helper()
	var out, errors bytes.Buffer
	err = o.run(t.Context(), clitest.Cluster(t), time.Now, &out, &errors)
	return out.String(), errors.String(), err
}

func TestStatus(t *testing.T) {
	for name, c := range map[string]struct {
		options  options
		has, not []string
	}{
		"a namespace": {
			options{namespace: "demo", format: cli.FormatTable}, []string{"NAME   READY", "a      False   GateBypass", "b      False"}, []string{"NAMESPACE", "c  "},
		},
		"all": {options{format: cli.FormatTable}, []string{"NAMESPACE", "elsewhere   c"}, nil},
		"one": {
			options{namespace: "demo", name: "a", format: cli.FormatTable},
			[]string{"MCPServer a in namespace demo: not ready, GateBypass", "hostNetwork", "kid-1", "a-1", "Ready is False."}, []string{"b-1"},
		},
	} {
		stdout, stderr, err := runStatus(t, c.options)
		if err != nil || stderr != "" {
			t.Errorf("%s: %v, %q", name, err, stderr)
		}
		for _, text := range c.has {
			if !strings.Contains(stdout, text) {
				t.Errorf("%s: %q is not in\n%s", name, text, stdout)
			}
		}
		for _, text := range c.not {
			if strings.Contains(stdout, text) {
				t.Errorf("%s: %q is in\n%s", name, text, stdout)
			}
		}
	}
}

// Programs get one object for one server and a list else, with the pods.
func TestStatusForPrograms(t *testing.T) {
	type shown struct {
		Name string
		Pods []struct{ Name string }
	}
	for format, read := range map[string]func([]byte, any) error{
		cli.FormatJSON: json.Unmarshal, cli.FormatYAML: func(text []byte, into any) error { return yaml.Unmarshal(text, into) },
	} {
		stdout, _, err := runStatus(t, options{namespace: "demo", name: "a", format: format})
		clitest.Must(t, err)
		var one shown
		clitest.Must(t, read([]byte(stdout), &one))
		stdout, _, err = runStatus(t, options{format: format})
		clitest.Must(t, err)
		var all []shown
		clitest.Must(t, read([]byte(stdout), &all))
		if one.Name != "a" || len(one.Pods) != 1 || one.Pods[0].Name != "a-1" || len(all) != 3 || all[1].Pods[0].Name != "b-1" {
			t.Errorf("%s: %+v, %+v", format, one, all)
		}
		stdout, stderr, err := runStatus(t, options{namespace: "empty", format: format})
		if err != nil || strings.TrimSpace(stdout) != "[]" || stderr != "" {
			t.Errorf("%s of nothing: %q, %q, %v", format, stdout, stderr, err)
		}
	}
}

func TestStatusOfNothing(t *testing.T) {
	stdout, stderr, err := runStatus(t, options{namespace: "empty", format: cli.FormatTable})
	if err != nil || stdout != "" || stderr != "There is no MCPServer in namespace empty.\n" {
		t.Errorf("%q, %q, %v", stdout, stderr, err)
	}
	if _, _, err := runStatus(t, options{namespace: "demo", name: "x", format: cli.FormatTable}); err == nil || !strings.Contains(err.Error(), "there is no MCPServer x in namespace demo") {
		t.Error(err)
	}
}

func TestStatusMisuse(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"status", "a", "-A"}, "give --namespace"},
		{[]string{"status", "-o", "wide"}, "use table, json or yaml"},
		{[]string{"status", "a", "b"}, "gatehouse status --help"},
	} {
		if got := clitest.Run(t, NewCommand(), c.args...); got.Code != cli.ExitUsage || !strings.Contains(got.Stderr, c.says) {
			t.Errorf("%v: %+v", c.args, got)
		}
	}
}

// With --watch a change of status is another row, or the page again, and an interrupt is no error.
func TestStatusWatch(t *testing.T) {
	for name, o := range map[string]options{
		"rows": {namespace: "demo", format: cli.FormatTable, watch: true},
		"page": {namespace: "demo", name: "a", format: cli.FormatTable, watch: true},
	} {
		t.Run(name, func(t *testing.T) {
			c := clitest.Cluster(t)
			ctx, stop := context.WithCancel(t.Context())
			var out clitest.Buffer
			done := make(chan error, 1)
			go func() { done <- o.run(ctx, c, time.Now, &out, &out) }()
			deadline := time.Now().Add(20 * time.Second)
			for !strings.Contains(out.String(), "GateBypass") && time.Now().Before(deadline) {
				time.Sleep(time.Millisecond)
			}
			// The watch begins some time after the first rows, so the change is made until it is seen.
			for !strings.Contains(out.String(), "NameTaken") {
				var changed v1alpha1.MCPServer
				clitest.Must(t, c.Get(ctx, client.ObjectKey{Namespace: "demo", Name: "a"}, &changed))
				changed.Status.Conditions[0].Reason = "NameTaken"
				clitest.Must(t, c.Status().Update(ctx, &changed))
				if time.Now().After(deadline) {
					t.Fatalf("the change was not seen:\n%s", out.String())
				}
				time.Sleep(10 * time.Millisecond)
			}
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if text := out.String(); !strings.Contains(text, "GateBypass") || o.name == "" && strings.Count(text, "NAME   READY") != 1 {
				t.Errorf("got\n%s", text)
			}
		})
	}
}
