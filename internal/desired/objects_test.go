package desired_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/inventory"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

var update = flag.Bool("update", false, "write the golden files anew")

// packed is the record of the template, which is below in plain text.
var packed = regexp.MustCompile(`(?m)^(    mcp.gatehouse.dev/template:) .*$`)

// TestObjectsAreGolden compares every object of every case with testdata/CASE/out.yaml, which holds exactly the fields
// that Gatehouse owns. After a wanted change: go test ./internal/desired -update, and read the difference.
func TestObjectsAreGolden(t *testing.T) {
	cases, err := filepath.Glob("testdata/*/in.yaml")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, in := range cases {
		dir := filepath.Dir(in)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			objects, err := inventory.Of(read(t, in), inputs(t))
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			for _, object := range objects {
				data, err := yaml.Marshal(object)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&got, "---\n%s", packed.ReplaceAll(data, []byte("$1 (spec.template)")))
			}
			golden := filepath.Join(dir, "out.yaml")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("%s differs (-want +got):\n%s", golden, diff)
			}
		})
	}
}

// The canary's port is never one that the user chose, and never opened.
func TestCanaryPortGivesWay(t *testing.T) {
	server := read(t, "testdata/generic/in.yaml")
	port := func(number int32) *int32 { return &number }
	server.Spec.Port, server.Spec.Gate = port(29091), &v1alpha1.Gate{Port: port(29090), AdminPort: port(29092)}
	if got := desired.Resolve(server).CanaryPort; got != 29093 {
		t.Errorf("got %d", got)
	}
	objects, err := inventory.Of(server, inputs(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range objects {
		data, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		told, isConfig := bytes.Count(data, []byte("29093")), bytes.Contains(data, []byte("kind: ConfigMap"))
		if told > 0 != (isConfig && bytes.Contains(data, []byte("authproxy.v2.json"))) {
			t.Errorf("port 29093 in\n%s", data)
		}
	}
}

func TestObjectsNeedKeys(t *testing.T) {
	in := inputs(t)
	in.Keys = nil
	if _, err := inventory.Of(read(t, "testdata/generic/in.yaml"), in); err == nil {
		t.Error("objects were made for a server without keys")
	}
}

func TestSpecThatUnlocksGivesNoObjects(t *testing.T) {
	server := read(t, "testdata/generic/in.yaml")
	server.Spec.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: desired.KeysSecretName(server)}}}}
	objects, err := inventory.Of(server, inputs(t))
	var unlocked *inventory.UnlockedError
	if !errors.As(err, &unlocked) || objects != nil {
		t.Errorf("got %d objects and error %v", len(objects), err)
	}
}

// What admission cannot tell is told with the fields of the spec.
func TestContradictionsNameFieldsOfTheSpec(t *testing.T) {
	server := read(t, "testdata/providers/in.yaml")
	server.Spec.Auth.Providers[2].Issuer = "https://kubernetes.default.svc"
	server.Spec.Auth.Providers[2].TokenTypes = []string{"at+jwt; v=1"}
	_, err := inventory.Of(server, inputs(t))
	var invalid *desired.InvalidError
	const want = `spec.auth.providers[5].issuer: "https://kubernetes.default.svc" is used twice; ` +
		`spec.auth.providers[2].tokenTypes[0]: "at+jwt; v=1" is no type of an access token`
	if !errors.As(err, &invalid) || !sameParts(invalid.Problem, want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// sameParts compares lists whatever their order.
func sameParts(a, b string) bool {
	return cmp.Equal(slices.Sorted(strings.SplitSeq(a, "; ")), slices.Sorted(strings.SplitSeq(b, "; ")))
}

func read(t *testing.T, path string) *v1alpha1.MCPServer {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var server v1alpha1.MCPServer
	if err := yaml.UnmarshalStrict(data, &server); err != nil {
		t.Fatal(err)
	}
	return &server
}

func inputs(t *testing.T) desired.Inputs {
	t.Helper()
	key := fixedKey(t)
	return desired.Inputs{
		Keys:              map[string][]keys.Private{desired.DefaultProvider: {key}, "own": {key}},
		Rotations:         map[string][]byte{desired.DefaultProvider: []byte("{}"), "own": []byte("{}")},
		Cluster:           desired.Issuer{URL: "https://kubernetes.default.svc", Keys: []keys.Public{key.Public()}},
		ProbeKey:          probeKey(t),
		Revoked:           "sub:mallory",
		GateSecret:        map[string][]byte{"current": bytes.Repeat([]byte{7}, 32)},
		GateImage:         "example.com/authproxy:v1",
		ClusterDomain:     "cluster.local",
		OperatorNamespace: "gatehouse-system",
		OperatorLabels:    map[string]string{"app.kubernetes.io/name": "gatehouse"},
	}
}

// probeKey is the same in every run.
func probeKey(t *testing.T) *keys.Public {
	t.Helper()
	key, err := keys.Derive(make([]byte, keys.MasterBytes), "x")
	if err != nil {
		t.Fatal(err)
	}
	public := key.Public()
	return &public
}

// fixedKey is the same in every run, and worthless: its seed is all zeros.
func fixedKey(t *testing.T) keys.Private {
	t.Helper()
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	public := private.Public().(ed25519.PublicKey)
	kid, err := keys.Thumbprint(public)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	set, err := keys.ParsePrivate(fmt.Appendf(nil,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":%q,"x":%q,"d":%q}]}`,
		kid, encode(public), encode(private.Seed())))
	if err != nil {
		t.Fatal(err)
	}
	return set[0]
}
