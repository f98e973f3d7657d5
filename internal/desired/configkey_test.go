package desired_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/keyobjects"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// inUseBy is what there is of an earlier spec: its template in the Deployment, of which ReplicaSet and pods still are.
func inUseBy(t *testing.T, before func(*v1alpha1.MCPServer)) appsv1.Deployment {
	t.Helper()
	server := read(t, "testdata/generic/in.yaml")
	before(server)
	deployment := appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{UID: "d"}}
	deployment.Spec.Template.Annotations = map[string]string{v1alpha1.AnnotationConfigSchema: "2"}
	deployment.Spec.Template.Spec = podOf(t, server)
	return deployment
}

// configOf is the configuration of gates of a spec.
func configOf(t *testing.T, spec func(*v1alpha1.MCPServer)) string {
	t.Helper()
	server := read(t, "testdata/generic/in.yaml")
	server.Spec.Path = "/as-it-was"
	spec(server)
	config, err := gateconfig.ConfigMap(server, inputs(t))
	if err != nil {
		t.Fatal(err)
	}
	key, err := gateconfig.Key(server)
	if err != nil {
		t.Fatal(err)
	}
	return config.Data[key]
}

func managed(s *v1alpha1.MCPServer) { s.Spec.Auth = nil }

func remote(ca string) func(*v1alpha1.MCPServer) {
	return func(s *v1alpha1.MCPServer) {
		keys := v1alpha1.ProviderKeys{Type: v1alpha1.KeysRemote, Remote: &v1alpha1.RemoteKeys{JWKSURI: "https://corp.example.com/jwks"}}
		if ca != "" {
			keys.Remote.CASecretRef = &v1alpha1.SecretKeyRef{Name: ca}
		}
		s.Spec.Auth = &v1alpha1.Auth{Providers: []v1alpha1.Provider{{Name: "corp", Issuer: "https://corp.example.com", Audiences: []string{"a"}, Keys: keys}}}
	}
}

// Pods that were made before a change of the providers get what they can read, and keep what they have where they cannot.
func TestConfigurationNamesNoFileThatAPodLacks(t *testing.T) {
	for name, c := range map[string]struct {
		before, now func(*v1alpha1.MCPServer)
		held        bool
	}{
		"Managed becomes Remote with a CA":   {managed, remote("ca"), true},
		"Managed becomes Remote without one": {managed, remote(""), false},
		"Remote with a CA becomes Managed":   {remote("ca"), managed, false},
		"the CA is in another Secret":        {remote("ca"), remote("other"), false},
		"a CA for what had none":             {remote(""), remote("ca"), true},
		"nothing changes":                    {remote("ca"), remote("ca"), false},
		"nothing changes, where no file is":  {managed, managed, false},
	} {
		t.Run(name, func(t *testing.T) {
			server, in := read(t, "testdata/generic/in.yaml"), inputs(t)
			deployment := inUseBy(t, c.before)
			c.now(server)
			oldKey := gateconfig.KeyOf(deployment.Spec.Template.Spec, gateapi.Schema)
			was := configOf(t, c.before)
			in.ConfigFiles, in.KeyFiles = map[string]string{oldKey: was}, map[string]string{"managed.jwks": "published", "other.jwks": "gone"}
			var err error
			if in.OldConfigs, err = gateconfig.Beside(server, deployment, nil, nil); err != nil {
				t.Fatal(err)
			}
			config, err := gateconfig.ConfigMap(server, in)
			if err != nil {
				t.Fatal(err)
			}
			key, err := gateconfig.Key(server)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(config.Data[key], `"everything"`) {
				t.Errorf("new pods read %s, and get %q", key, config.Data[key])
			}
			if old := config.Data[oldKey]; (old == was) != c.held || !c.held && old != config.Data[key] {
				t.Errorf("old pods read %s, and get %q", oldKey, old)
			}
			public, err := keyobjects.PublicKeys(server, in)
			if err != nil {
				t.Fatal(err)
			}
			_, hasOther := public.Data["other.jwks"]
			if keeps := public.Data["managed.jwks"] == "published"; keeps != (name == "Managed becomes Remote with a CA") || hasOther {
				t.Errorf("published are %v", public.Data)
			}
			untold, err := gateconfig.Untold(server, in)
			want := []string{"Pods of the template before keep the configuration that they have, as they do not mount corp.ca.crt."}
			if !c.held {
				want = nil
			}
			if diff := cmp.Diff(want, untold); diff != "" || err != nil {
				t.Errorf("%s, %v", diff, err)
			}
		})
	}
}

// A template mounts the file of its key under the one name that gates look for.
func TestTemplateMountsItsConfiguration(t *testing.T) {
	for name, spec := range map[string]func(*v1alpha1.MCPServer){"no file": managed, "a CA": remote("ca")} {
		server := read(t, "testdata/generic/in.yaml")
		spec(server)
		key, err := gateconfig.Key(server)
		if err != nil {
			t.Fatal(err)
		}
		pod := inUseBy(t, spec).Spec.Template.Spec
		if got := gateconfig.KeyOf(pod, gateapi.Schema); got != key {
			t.Errorf("%s: the template reads %s, want %s", name, got, key)
		}
		at := slices.IndexFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == "gatehouse-config" })
		if items := pod.Volumes[at].ConfigMap.Items; (len(items) > 0) != (key != gateapi.ConfigFile) {
			t.Errorf("%s: got items %v", name, items)
		}
	}
}
