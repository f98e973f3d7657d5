package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	clientfake "sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/yaml"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

func server(namespace, name string) *v1alpha1.MCPServer {
	return &v1alpha1.MCPServer{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: "1"},
		Spec:       v1alpha1.MCPServerSpec{Image: "image"},
		Status: v1alpha1.MCPServerStatus{
			Conditions: []metav1.Condition{{Type: "Ready", Status: "False", Reason: "GateBypass", Message: "hostNetwork"}},
			Keys:       []v1alpha1.KeyStatus{{Provider: "managed", KID: "kid-1", Algorithm: "EdDSA"}},
		},
	}
}

// cluster holds two servers in one namespace, one in another, and pods.
func cluster(t *testing.T) client.WithWatch {
	t.Helper()
	scheme, err := newScheme()
	must(t, err)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "a-1", Labels: map[string]string{
		v1alpha1.LabelServer: "a", v1alpha1.LabelInstance: "1",
	}}}
	other := pod.DeepCopy()
	other.Name, other.Labels[v1alpha1.LabelServer] = "b-1", "b"
	event := &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "e"}, InvolvedObject: corev1.ObjectReference{UID: "1"}, Message: "Ready is False.",
	}
	return clientfake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&v1alpha1.MCPServer{}).
		WithIndex(&corev1.Event{}, eventsOf, func(o client.Object) []string { return []string{string(o.(*corev1.Event).InvolvedObject.UID)} }).
		WithObjects(server("demo", "a"), server("demo", "b"), server("elsewhere", "c"), pod, other, event).Build()
}

func runStatus(t *testing.T, o statusOptions) (stdout, stderr string, err error) {
	t.Helper()
	var out, errors bytes.Buffer
	err = o.run(t.Context(), cluster(t), time.Now, &out, &errors)
	return out.String(), errors.String(), err
}

func TestStatus(t *testing.T) {
	for name, c := range map[string]struct {
		options  statusOptions
		has, not []string
	}{
		"a namespace": {
			statusOptions{namespace: "demo", form: formTable}, []string{"NAME   READY", "a      False   GateBypass", "b      False"}, []string{"NAMESPACE", "c  "},
		},
		"all": {statusOptions{form: formTable}, []string{"NAMESPACE", "elsewhere   c"}, nil},
		"one": {
			statusOptions{namespace: "demo", name: "a", form: formTable},
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
	for form, read := range map[string]func([]byte, any) error{
		formJSON: json.Unmarshal, formYAML: func(text []byte, into any) error { return yaml.Unmarshal(text, into) },
	} {
		stdout, _, err := runStatus(t, statusOptions{namespace: "demo", name: "a", form: form})
		must(t, err)
		var one shown
		must(t, read([]byte(stdout), &one))
		stdout, _, err = runStatus(t, statusOptions{form: form})
		must(t, err)
		var all []shown
		must(t, read([]byte(stdout), &all))
		if one.Name != "a" || len(one.Pods) != 1 || one.Pods[0].Name != "a-1" || len(all) != 3 || all[1].Pods[0].Name != "b-1" {
			t.Errorf("%s: %+v, %+v", form, one, all)
		}
		stdout, stderr, err := runStatus(t, statusOptions{namespace: "empty", form: form})
		if err != nil || strings.TrimSpace(stdout) != "[]" || stderr != "" {
			t.Errorf("%s of nothing: %q, %q, %v", form, stdout, stderr, err)
		}
	}
}

func TestStatusOfNothing(t *testing.T) {
	stdout, stderr, err := runStatus(t, statusOptions{namespace: "empty", form: formTable})
	if err != nil || stdout != "" || stderr != "There is no MCPServer in namespace empty.\n" {
		t.Errorf("%q, %q, %v", stdout, stderr, err)
	}
	if _, _, err := runStatus(t, statusOptions{namespace: "demo", name: "x", form: formTable}); err == nil || !strings.Contains(err.Error(), "there is no MCPServer x in namespace demo") {
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
		{[]string{"keys", "list"}, "gatehouse keys list --help"},
		{[]string{"token"}, "gatehouse token --help"},
	} {
		if got := gatehouse(t, c.args...); got.code != exitUsage || !strings.Contains(got.stderr, c.says) {
			t.Errorf("%v: %+v", c.args, got)
		}
	}
}

// buffer may be written while the test reads it.
type buffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

// With --watch a change of status is another row, or the page again, and an interrupt is no error.
func TestStatusWatch(t *testing.T) {
	for name, o := range map[string]statusOptions{
		"rows": {namespace: "demo", form: formTable, watch: true},
		"page": {namespace: "demo", name: "a", form: formTable, watch: true},
	} {
		t.Run(name, func(t *testing.T) {
			c := cluster(t)
			ctx, stop := context.WithCancel(t.Context())
			var out buffer
			done := make(chan error, 1)
			go func() { done <- o.run(ctx, c, time.Now, &out, &out) }()
			deadline := time.Now().Add(20 * time.Second)
			for !strings.Contains(out.String(), "GateBypass") && time.Now().Before(deadline) {
				time.Sleep(time.Millisecond)
			}
			// The watch begins some time after the first rows, so the change is made until it is seen.
			for !strings.Contains(out.String(), "NameTaken") {
				var changed v1alpha1.MCPServer
				must(t, c.Get(ctx, client.ObjectKey{Namespace: "demo", Name: "a"}, &changed))
				changed.Status.Conditions[0].Reason = "NameTaken"
				must(t, c.Status().Update(ctx, &changed))
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
