package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// refusing is the test cluster, which answers requests for objects of a type with an error.
func refusing(t *testing.T, err error, types ...any) client.WithWatch {
	t.Helper()
	isOf := func(object any) bool {
		for _, one := range types {
			switch one.(type) {
			case *corev1.PodList:
				if _, is := object.(*corev1.PodList); is {
					return true
				}
			case *corev1.EventList:
				if _, is := object.(*corev1.EventList); is {
					return true
				}
			case *corev1.Secret:
				if _, is := object.(*corev1.Secret); is {
					return true
				}
			case *v1alpha1.MCPServer:
				if _, is := object.(*v1alpha1.MCPServer); is {
					return true
				}
			case *v1alpha1.MCPServerList:
				if _, is := object.(*v1alpha1.MCPServerList); is {
					return true
				}
			}
		}
		return false
	}
	return interceptor.NewClient(cluster(t), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
			if isOf(into) {
				return err
			}
			return c.Get(ctx, key, into, options...)
		},
		List: func(ctx context.Context, c client.WithWatch, into client.ObjectList, options ...client.ListOption) error {
			if isOf(into) {
				return err
			}
			return c.List(ctx, into, options...)
		},
	})
}

func forbidden(group, resource string) error {
	return apierrors.NewForbidden(schema.GroupResource{Group: group, Resource: resource}, "", errors.New("not allowed"))
}

// Pods and Events that the caller may not list are named, and all else is shown.
func TestStatusWithoutTheRightToPods(t *testing.T) {
	c := refusing(t, forbidden("", "pods"), &corev1.PodList{}, &corev1.EventList{})
	for form, want := range map[string][]string{
		formTable: {"not ready, GateBypass", "hostNetwork", "not shown: you may not list pods in namespace demo", "not shown: you may not list Events"},
		formJSON:  {`"notShown": [`, `"pods"`, `"events"`, "GateBypass"},
	} {
		var out, stderr buffer
		must(t, statusOptions{namespace: "demo", name: "a", form: form}.run(t.Context(), c, time.Now, &out, &stderr))
		for _, text := range want {
			if !strings.Contains(out.String(), text) {
				t.Errorf("%s: %q is not in\n%s", form, text, out.String())
			}
		}
	}
	var out, stderr buffer
	must(t, statusOptions{form: formYAML}.run(t.Context(), c, time.Now, &out, &stderr))
	if strings.Count(out.String(), "- pods") != 3 {
		t.Errorf("a list:\n%s", out.String())
	}
}

// An error says what was tried, and what to do about it.
func TestErrorsOfTheCluster(t *testing.T) {
	group := v1alpha1.SchemeGroupVersion.Group
	status := func(c client.WithWatch) error {
		var out, stderr buffer
		return statusOptions{namespace: "demo", form: formTable}.run(t.Context(), c, time.Now, &out, &stderr)
	}
	minted := func(c client.WithWatch) error {
		_, err := mint(t.Context(), c, client.ObjectKey{Namespace: "demo", Name: "a"}, tokenOptions{ttl: time.Hour}, time.Now())
		return err
	}
	for name, c := range map[string]struct {
		do   func(client.WithWatch) error
		err  error
		of   any
		says []string
	}{
		"no CRD": {
			status, &meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: group, Kind: "MCPServer"}}, &v1alpha1.MCPServerList{},
			[]string{"list MCPServers in namespace demo", "Gatehouse is not installed in this cluster"},
		},
		"no right": {
			status, forbidden(group, "mcpservers"), &v1alpha1.MCPServerList{}, []string{"forbidden", "ClusterRole gatehouse-mcpserver-viewer"},
		},
		"not logged in": {status, apierrors.NewUnauthorized("expired"), &v1alpha1.MCPServerList{}, []string{"log in again"}},
		"no server": {
			func(c client.WithWatch) error {
				_, err := readServer(t.Context(), c, client.ObjectKey{Namespace: "demo", Name: "none"})
				return err
			}, nil, nil, []string{"there is no MCPServer none in namespace demo", "gatehouse status --all-namespaces"},
		},
		"no keys yet": {
			minted, apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, "a-keys"), &corev1.Secret{},
			[]string{"MCPServer demo/a has no keys yet", "gatehouse status a --namespace demo"},
		},
		"no right to the keys": {minted, forbidden("", "secrets"), &corev1.Secret{}, []string{"Whoever may read Secret a-keys can mint any token"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.do(refusing(t, c.err, c.of))
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

func TestNoCluster(t *testing.T) {
	t.Setenv("KUBECONFIG", file(t, "kubeconfig", ""))
	t.Setenv("HOME", t.TempDir())
	got := gatehouse(t, "status")
	if got.code != exitFailed || !strings.Contains(got.stderr, "set KUBECONFIG, or give --kubeconfig") {
		t.Errorf("%+v", got)
	}
	got = gatehouse(t, "status", "--server", "http://127.0.0.1:1")
	if got.code != exitFailed || !strings.Contains(got.stderr, "Is the cluster reachable from here") {
		t.Errorf("%+v", got)
	}
}

// A lifetime that makes no sense is named as such, whatever the provider grants.
func TestTokenLifetime(t *testing.T) {
	for ttl, says := range map[time.Duration]string{
		-time.Hour:             "--ttl -1h0m0s: give how long",
		0:                      "--ttl 0s: give how long",
		500 * time.Millisecond: "one second at least",
		25 * time.Hour:         "live at most 24h0m0s",
	} {
		_, err := mint(t.Context(), cluster(t), client.ObjectKey{Namespace: "demo", Name: "a"}, tokenOptions{ttl: ttl}, time.Now())
		expectError(t, err, says)
		var exit *exitError
		if !errors.As(err, &exit) || exit.code != exitUsage {
			t.Errorf("%s: %v is no misuse", ttl, err)
		}
	}
}
