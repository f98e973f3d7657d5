package serverkeys

import (
	"context"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli/clitest"
)

// apiServer is a real one, with servers that have keys.
type apiServer struct {
	*clitest.APIServer
}

// signed makes a server with a key k1 that signs, and somebody else's annotation.
func (s *apiServer) signed(t *testing.T, name string) *v1alpha1.MCPServer {
	t.Helper()
	server := &v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: name, Annotations: map[string]string{"example.com/mine": "stays"}}}
	server.Spec.Image = "image"
	clitest.Must(t, s.Create(t.Context(), server))
	s.says(t, server, 2, keyWithPhase("k1", v1alpha1.KeySigning))
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

func newKeyOrder(name string, out *clitest.Buffer) keyOrder {
	return keyOrder{server: client.ObjectKey{Namespace: "demo", Name: name}, timeout: 30 * time.Second, begun: 30 * time.Second, now: time.Now, out: out}
}

func TestKeyOrders(t *testing.T) {
	s := &apiServer{clitest.StartAPIServer(t)}
	t.Run("by rights", s.testRights)
	t.Run("among others", s.testOthers)
	t.Run("waiting", s.testWaiting)
}

// What is asked is asked with the caller's own rights.
func (s *apiServer) testRights(t *testing.T) {
	editor := s.User(t, "editor", "get", "patch", "watch")
	viewer := s.User(t, "viewer", "get")
	as := func(kubeconfig string, args ...string) clitest.Result {
		return clitest.Run(t, NewCommand(), append(args, "--kubeconfig", kubeconfig, "--namespace", "demo")...)
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
		got := clitest.Run(t, NewCommand(), "__complete", "keys", "revoke", "--kubeconfig", editor, "--namespace", "demo", "completed", "")
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
		clitest.Must(t, newKeyOrder("other", &out).rotate(t.Context(), c))
		if after := s.read(t, "other").Annotations; after["example.com/mine"] != "changed" || after[v1alpha1.AnnotationRotateKeys] == "" {
			t.Errorf("%v", after)
		}
	})
	t.Run("the same order", func(t *testing.T) {
		s.signed(t, "same")
		theirs := time.Now().Add(time.Second).Format(time.RFC3339Nano)
		c := s.meddling(t, "same", func(now *v1alpha1.MCPServer) { now.Annotations[v1alpha1.AnnotationRotateKeys] = theirs })
		clitest.ExpectError(t, newKeyOrder("same", &out).rotate(t.Context(), c), "has not begun")
		if after := s.read(t, "same").Annotations; after[v1alpha1.AnnotationRotateKeys] != theirs {
			t.Errorf("%v", after)
		}
	})
	t.Run("another revocation", func(t *testing.T) {
		server := s.signed(t, "two")
		s.says(t, server, 2, keyWithPhase("k1", v1alpha1.KeyRetiring), keyWithPhase("k2", v1alpha1.KeySigning))
		c := s.meddling(t, "two", func(now *v1alpha1.MCPServer) { now.Annotations[v1alpha1.AnnotationRevokeKey] = "k2" })
		clitest.ExpectError(t, newKeyOrder("two", &out).revoke(t.Context(), c, "k1"), "names key k2")
		if after := s.read(t, "two").Annotations; after[v1alpha1.AnnotationRevokeKey] != "k2" {
			t.Errorf("%v", after)
		}
	})
}
