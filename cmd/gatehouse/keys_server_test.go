package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli/clitest"
)

// apiServer is a real one, with a namespace "demo".
type apiServer struct {
	environment *envtest.Environment
	client.WithWatch
}

func startAPIServer(t *testing.T) *apiServer {
	t.Helper()
	environment := &envtest.Environment{
		CRDDirectoryPaths: []string{filepath.Join("..", "..", "config", "crd", "bases")}, ErrorIfCRDPathMissing: true,
		ControlPlaneStartTimeout: 2 * time.Minute, // on a machine that has much to do
	}
	config, err := environment.Start()
	if err != nil {
		t.Fatal("start the API server; `make test` builds it and sets KUBEBUILDER_ASSETS: ", err)
	}
	t.Cleanup(func() { _ = environment.Stop() })
	all, err := cli.NewScheme()
	clitest.Must(t, err)
	clitest.Must(t, scheme.AddToScheme(all))
	c, err := client.NewWithWatch(config, client.Options{Scheme: all})
	clitest.Must(t, err)
	clitest.Must(t, c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "demo"}}))
	return &apiServer{environment, c}
}

// user gives the kubeconfig of somebody who may do the given with MCPServers in "demo".
func (s *apiServer) user(t *testing.T, name string, verbs ...string) string {
	t.Helper()
	clitest.Must(t, s.Create(t.Context(), &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: name},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{v1alpha1.SchemeGroupVersion.Group}, Resources: []string{"mcpservers"}, Verbs: verbs}},
	}))
	clitest.Must(t, s.Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: name}},
	}))
	user, err := s.environment.AddUser(envtest.User{Name: name}, nil)
	clitest.Must(t, err)
	kubeconfig, err := user.KubeConfig()
	clitest.Must(t, err)
	return clitest.File(t, "kubeconfig", string(kubeconfig))
}

// signed makes a server with a key k1 that signs, and somebody else's annotation.
func (s *apiServer) signed(t *testing.T, name string) *v1alpha1.MCPServer {
	t.Helper()
	server := &v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: name, Annotations: map[string]string{"example.com/mine": "stays"}}}
	server.Spec.Image = "image"
	clitest.Must(t, s.Create(t.Context(), server))
	s.says(t, server, 2, key("k1", v1alpha1.KeySigning))
	return server
}

// says writes status as the operator does.
func (s *apiServer) says(t *testing.T, server *v1alpha1.MCPServer, pods int32, keys ...v1alpha1.KeyStatus) {
	t.Helper()
	now := s.read(t, server.Name)
	for i := range keys {
		keys[i].Provider = "managed"
	}
	now.Status.Replicas, now.Status.Keys = pods, keys
	clitest.Must(t, s.Status().Update(t.Context(), now))
}

func (s *apiServer) read(t *testing.T, name string) *v1alpha1.MCPServer {
	t.Helper()
	var server v1alpha1.MCPServer
	clitest.Must(t, s.Get(t.Context(), client.ObjectKey{Namespace: "demo", Name: name}, &server))
	return &server
}

// meddling is a client before whose first patch somebody else writes.
func (s *apiServer) meddling(t *testing.T, name string, meddle func(*v1alpha1.MCPServer)) client.WithWatch {
	t.Helper()
	done := false
	return interceptor.NewClient(s.WithWatch, interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
			if !done {
				done = true
				now := s.read(t, name)
				meddle(now)
				clitest.Must(t, c.Update(ctx, now))
			}
			return c.Patch(ctx, object, patch, options...)
		},
	})
}

func order(name string, out *clitest.Buffer) keyOrder {
	return keyOrder{server: client.ObjectKey{Namespace: "demo", Name: name}, timeout: 30 * time.Second, begun: 30 * time.Second, now: time.Now, out: out}
}

func TestKeyOrders(t *testing.T) {
	s := startAPIServer(t)
	t.Run("by rights", s.testRights)
	t.Run("among others", s.testOthers)
	t.Run("waiting", s.testWaiting)
}

// What is asked is asked with the caller's own rights.
func (s *apiServer) testRights(t *testing.T) {
	editor := s.user(t, "editor", "get", "patch", "watch")
	viewer := s.user(t, "viewer", "get")
	as := func(kubeconfig string, args ...string) clitest.Result {
		return gatehouse(t, append(args, "--kubeconfig", kubeconfig, "--namespace", "demo")...)
	}

	t.Run("rotate", func(t *testing.T) {
		s.signed(t, "rotated")
		if got := as(editor, "keys", "rotate", "rotated"); got.Code != cli.ExitOK || !strings.Contains(got.Stdout, "Key k1 signs until") {
			t.Fatalf("%+v", got)
		}
		after := s.read(t, "rotated")
		if _, known := readTime(after.Annotations[v1alpha1.AnnotationRotateKeys]); !known || after.Annotations["example.com/mine"] != "stays" {
			t.Errorf("%v", after.Annotations)
		}
		if got := as(editor, "keys", "rotate", "rotated"); got.Code != cli.ExitFailed || !strings.Contains(got.Stderr, "has not begun") {
			t.Errorf("%+v", got)
		}
	})
	t.Run("revoke", func(t *testing.T) {
		s.signed(t, "revoked")
		if got := as(editor, "keys", "revoke", "revoked", "k2"); got.Code != cli.ExitFailed || !strings.Contains(got.Stderr, "there is no key k2") {
			t.Errorf("%+v", got)
		}
		for range 2 { // to ask again is no error
			if got := as(editor, "keys", "revoke", "revoked", "k1"); got.Code != cli.ExitOK {
				t.Fatalf("%+v", got)
			}
			if after := s.read(t, "revoked"); after.Annotations[v1alpha1.AnnotationRevokeKey] != "k1" || after.Annotations["example.com/mine"] != "stays" {
				t.Errorf("%v", after.Annotations)
			}
		}
	})
	t.Run("without the right", func(t *testing.T) {
		s.signed(t, "guarded")
		for _, args := range [][]string{{"keys", "rotate", "guarded"}, {"keys", "revoke", "guarded", "k1"}} {
			if got := as(viewer, args...); got.Code != cli.ExitFailed || !strings.Contains(got.Stderr, "annotate MCPServer demo/guarded") ||
				!strings.Contains(got.Stderr, "cannot patch") {
				t.Errorf("%+v", got)
			}
		}
		if got := as(viewer, "keys", "list", "guarded"); got.Code != cli.ExitOK || !strings.Contains(got.Stdout, "Signing") {
			t.Errorf("%+v", got)
		}
	})
	t.Run("completion", func(t *testing.T) {
		s.signed(t, "completed")
		got := gatehouse(t, "__complete", "keys", "revoke", "--kubeconfig", editor, "--namespace", "demo", "completed", "")
		if got.Code != cli.ExitOK || got.Stdout != "k1\tSigning\n:4\n" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("no server", func(t *testing.T) {
		if got := as(editor, "keys", "rotate", "absent"); got.Code != cli.ExitFailed || !strings.Contains(got.Stderr, "there is no MCPServer absent in namespace demo") {
			t.Errorf("%+v", got)
		}
	})
}

// Whoever writes between the look and the order is not overwritten: the server is looked at again.
func (s *apiServer) testOthers(t *testing.T) {
	var out clitest.Buffer
	t.Run("something else", func(t *testing.T) {
		s.signed(t, "other")
		c := s.meddling(t, "other", func(now *v1alpha1.MCPServer) { now.Annotations["example.com/mine"] = "changed" })
		clitest.Must(t, order("other", &out).rotate(t.Context(), c))
		if after := s.read(t, "other").Annotations; after["example.com/mine"] != "changed" || after[v1alpha1.AnnotationRotateKeys] == "" {
			t.Errorf("%v", after)
		}
	})
	t.Run("the same order", func(t *testing.T) {
		s.signed(t, "same")
		theirs := time.Now().Add(time.Second).Format(time.RFC3339Nano)
		c := s.meddling(t, "same", func(now *v1alpha1.MCPServer) { now.Annotations[v1alpha1.AnnotationRotateKeys] = theirs })
		clitest.ExpectError(t, order("same", &out).rotate(t.Context(), c), "has not begun")
		if after := s.read(t, "same").Annotations; after[v1alpha1.AnnotationRotateKeys] != theirs {
			t.Errorf("%v", after)
		}
	})
	t.Run("another revocation", func(t *testing.T) {
		server := s.signed(t, "two")
		s.says(t, server, 2, key("k1", v1alpha1.KeyRetiring), key("k2", v1alpha1.KeySigning))
		c := s.meddling(t, "two", func(now *v1alpha1.MCPServer) { now.Annotations[v1alpha1.AnnotationRevokeKey] = "k2" })
		clitest.ExpectError(t, order("two", &out).revoke(t.Context(), c, "k1"), "names key k2")
		if after := s.read(t, "two").Annotations; after[v1alpha1.AnnotationRevokeKey] != "k2" {
			t.Errorf("%v", after)
		}
	})
}

// With --wait each step of the status is a line, and the last one that of what was asked for.
func (s *apiServer) testWaiting(t *testing.T) {
	observed := func(key v1alpha1.KeyStatus, pods int32) v1alpha1.KeyStatus {
		key.ObservedPods = &pods
		return key
	}
	// waiting runs an order, and writes what the operator says once the line before it was printed.
	waiting := func(t *testing.T, name string, do func(keyOrder) error, steps []step) string {
		t.Helper()
		server := s.signed(t, name)
		var out clitest.Buffer
		o := order(name, &out)
		o.wait = true
		o.now = func() time.Time { return signingSince }
		done := make(chan error, 1)
		go func() { done <- do(o) }()
		for _, step := range steps {
			for deadline := time.Now().Add(20 * time.Second); !strings.Contains(out.String(), step.after); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("no %q in\n%s", step.after, out.String())
				}
			}
			s.says(t, server, 2, step.keys...)
		}
		clitest.Must(t, <-done)
		return out.String()
	}
	t.Run("rotate", func(t *testing.T) {
		said := waiting(t, "rotates", func(o keyOrder) error { return o.rotate(t.Context(), s) }, []step{
			{"is asked", []v1alpha1.KeyStatus{key("k1", v1alpha1.KeySigning), observed(key("k2", v1alpha1.KeyPublished), 0)}},
			{"0 of 2", []v1alpha1.KeyStatus{key("k1", v1alpha1.KeySigning), observed(key("k2", v1alpha1.KeyPublished), 1)}},
			{"1 of 2", []v1alpha1.KeyStatus{key("k1", v1alpha1.KeyRetiring), key("k2", v1alpha1.KeySigning)}},
		})
		golden(t, "rotate-wait.txt", said)
	})
	t.Run("revoke", func(t *testing.T) {
		said := waiting(t, "revokes", func(o keyOrder) error { return o.revoke(t.Context(), s, "k1") }, []step{
			{"is asked", []v1alpha1.KeyStatus{observed(key("k1", v1alpha1.KeyRevoked), 1), key("k2", v1alpha1.KeySigning)}},
			{"1 of 2", []v1alpha1.KeyStatus{refused(key("k1", v1alpha1.KeyRevoked)), key("k2", v1alpha1.KeySigning)}},
		})
		golden(t, "revoke-wait.txt", said)
	})
	t.Run("in vain", func(t *testing.T) {
		s.signed(t, "vain")
		var out clitest.Buffer
		o := order("vain", &out)
		o.wait, o.timeout = true, 100*time.Millisecond
		clitest.ExpectError(t, o.rotate(t.Context(), s), "no operator has taken that up within 100ms")
	})
	t.Run("without an operator", func(t *testing.T) {
		s.signed(t, "alone")
		var out clitest.Buffer
		o := order("alone", &out)
		o.wait, o.begun = true, 100*time.Millisecond
		began := time.Now()
		err := o.revoke(t.Context(), s, "k1")
		clitest.ExpectError(t, err, "no operator has taken that up within 100ms. Does one run (kubectl -n gatehouse-system get pods)")
		if took := time.Since(began); took > o.timeout/2 {
			t.Errorf("it took %s", took)
		}
	})
	t.Run("half done", func(t *testing.T) {
		server := s.signed(t, "half")
		s.says(t, server, 2, observed(key("k1", v1alpha1.KeyRevoked), 1), key("k2", v1alpha1.KeySigning))
		var out clitest.Buffer
		o := order("half", &out)
		o.wait, o.begun, o.timeout = true, time.Millisecond, 200*time.Millisecond
		clitest.ExpectError(t, o.revoke(t.Context(), s, "k1"), "not done within 200ms; the operator goes on")
	})
	t.Run("until it is deleted", func(t *testing.T) {
		server := s.signed(t, "deleted")
		var out clitest.Buffer
		o := order("deleted", &out)
		o.wait = true
		done := make(chan error, 1)
		go func() { done <- o.rotate(t.Context(), s) }()
		for deadline := time.Now().Add(20 * time.Second); !strings.Contains(out.String(), "is asked"); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("nothing was asked for")
			}
		}
		clitest.Must(t, s.Delete(t.Context(), server))
		clitest.ExpectError(t, <-done, "MCPServer demo/deleted was deleted meanwhile")
	})
}

// golden compares a text with that of a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		clitest.Must(t, os.MkdirAll("testdata", 0o755))
		clitest.Must(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	clitest.Must(t, err)
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it anew):\n%s", path, got)
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

// step is what the operator says of the keys after a text was printed.
type step struct {
	after string
	keys  []v1alpha1.KeyStatus
}
