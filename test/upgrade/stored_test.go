package upgrade_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/keysource"
	"github.com/mcp-gatehouse/gatehouse/controllers/mcpserver"
	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi/schema"
	"github.com/mcp-gatehouse/gatehouse/internal/keyobservation"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/publication"
	"github.com/mcp-gatehouse/gatehouse/internal/rollout"
	"github.com/mcp-gatehouse/gatehouse/test/pod"
	"github.com/mcp-gatehouse/gatehouse/test/uncached"
	"github.com/mcp-gatehouse/gatehouse/test/upgrade"
)

const root = "../.."

// TestStored: what a version left in the cluster is taken over as it is. The new CRD takes all that was written for the old
// one; while a server waits for its turn, its pods stay and get a configuration that they can read; and when it is
// upgraded, only its gate is another: the image, the schema that it reads, and the hook that this has.
func TestStored(t *testing.T) {
	releases, err := upgrade.Releases(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, release := range releases {
		t.Run(release.Version, func(t *testing.T) {
			c := start(t, release)
			c.bring(t)
			c.store(t, release)
			if _, err := envtest.InstallCRDs(c.control.Config, envtest.CRDInstallOptions{Paths: []string{root + "/config/crd/bases"}}); err != nil {
				t.Fatal(err)
			}
			c.accepts(t, release)
			c.takesOver(t, release)
		})
	}
}

// cluster is an API server with the CRD of a release.
type cluster struct {
	control *envtest.Environment
	k8s     client.Client
}

const namespace = "stored"

func start(t *testing.T, release upgrade.Release) cluster {
	t.Helper()
	control := &envtest.Environment{CRDDirectoryPaths: []string{release.Install}, ErrorIfCRDPathMissing: true}
	config, err := control.Start()
	if err != nil {
		t.Fatalf("start the API server; `make test` builds it and sets KUBEBUILDER_ASSETS: %v", err)
	}
	t.Cleanup(func() {
		if err := control.Stop(); err != nil {
			t.Error(err)
		}
	})
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	k8s, err := client.New(config, client.Options{Scheme: scheme, FieldValidation: metav1.FieldValidationStrict})
	if err != nil {
		t.Fatal(err)
	}
	c := cluster{control, k8s}
	c.create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	return c
}

func (c cluster) create(t *testing.T, object client.Object, options ...client.CreateOption) {
	t.Helper()
	if err := c.k8s.Create(t.Context(), object, options...); err != nil {
		t.Fatalf("%T %s: %v", object, object.GetName(), err)
	}
}

// bring makes what the frozen servers name.
func (c cluster) bring(t *testing.T) {
	t.Helper()
	own, err := keys.Generate(keys.ES256)
	if err != nil {
		t.Fatal(err)
	}
	set, err := keys.MarshalPublic([]keys.Public{own.Public()})
	if err != nil {
		t.Fatal(err)
	}
	certificate, private, _ := pod.NewCertificate(t)
	shared := make([]byte, 65)
	rand.Read(shared)
	for name, data := range map[string]map[string][]byte{
		"catalog-jwt":   {"current": shared[1:], "next": shared[:64]},
		"quilt-mcp-jwt": {"MCP_JWT_SECRET": shared},
		"legacy-keys":   {"jwks.json": set},
		"corp-ca":       {"ca.crt": certificate},
		"policy-tls":    {corev1.TLSCertKey: certificate, corev1.TLSPrivateKeyKey: private},
	} {
		c.create(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: data})
	}
	c.create(t, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "revoked"}, Data: map[string]string{"list": "sub:mallory\n"}})
}

// store leaves what users of the release have, and its operator made: servers that serve.
func (c cluster) store(t *testing.T, release upgrade.Release) {
	t.Helper()
	servers, err := release.Servers()
	if err != nil {
		t.Fatal(err)
	}
	deployments, err := release.Deployments()
	if err != nil {
		t.Fatal(err)
	}
	for name, server := range servers {
		frozen := server.GetUID()
		server.SetNamespace(namespace)
		server.SetUID("")
		c.create(t, server)
		data, err := deployments[name].MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		object := map[string]any{}
		if err := json.Unmarshal(bytes.ReplaceAll(data, []byte(frozen), []byte(server.GetUID())), &object); err != nil {
			t.Fatal(err)
		}
		deployment := &unstructured.Unstructured{Object: object}
		deployment.SetNamespace(namespace)
		annotations := deployment.GetAnnotations()
		annotations[v1alpha1.AnnotationTemplate] = pack(t, object["spec"].(map[string]any)["template"])
		deployment.SetAnnotations(annotations)
		if err := c.k8s.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(deployment), owned.FieldOwner, client.ForceOwnership); err != nil {
			t.Fatalf("Deployment of %s: %v", name, err)
		}
		c.says(t, server.GetName())
		live := c.deployment(t, server.GetName())
		live.Status = appsv1.DeploymentStatus{
			ObservedGeneration: live.Generation, Replicas: *live.Spec.Replicas, UpdatedReplicas: *live.Spec.Replicas,
			ReadyReplicas: *live.Spec.Replicas, AvailableReplicas: *live.Spec.Replicas,
		}
		if err := c.k8s.Status().Update(t.Context(), live); err != nil {
			t.Fatal(err)
		}
	}
}

// says writes into the status what the release's operator has left there, as far as it counts for an upgrade.
func (c cluster) says(t *testing.T, name string) {
	t.Helper()
	var server v1alpha1.MCPServer
	if err := c.k8s.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, &server); err != nil {
		t.Fatal(err)
	}
	server.Status.GateImage = c.deployment(t, name).Spec.Template.Spec.InitContainers[0].Image
	if err := c.k8s.Status().Update(t.Context(), &server); err != nil {
		t.Fatal(err)
	}
}

// pack is the record of a template: JSON, compressed, in base64. The frozen objects have none, to be readable.
func pack(t *testing.T, template any) string {
	t.Helper()
	data, err := json.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := writer.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(packed.Bytes())
}

func (c cluster) deployment(t *testing.T, name string) *appsv1.Deployment {
	t.Helper()
	var live appsv1.Deployment
	if err := c.k8s.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, &live); err != nil {
		t.Fatal(err)
	}
	return &live
}

// accepts: whoever applies again what the release showed, or what is stored, is not refused.
func (c cluster) accepts(t *testing.T, release upgrade.Release) {
	t.Helper()
	samples, err := release.Samples()
	if err != nil {
		t.Fatal(err)
	}
	servers, err := release.Servers()
	if err != nil {
		t.Fatal(err)
	}
	for file, sample := range samples {
		sample.SetNamespace(namespace)
		sample.SetName("again")
		if err := c.k8s.Create(t.Context(), sample, client.DryRunAll); err != nil {
			t.Errorf("sample %s: %v", file, err)
		}
	}
	for name, server := range servers {
		server.SetNamespace(namespace)
		server.SetUID("")
		server.SetName("again")
		if err := c.k8s.Create(t.Context(), server, client.DryRunAll); err != nil {
			t.Errorf("server %s: %v", name, err)
		}
	}
}

const newGate = "example.com/authproxy:new"

// operator is one of this version that begins so many upgrades at a time.
func (c cluster) operator(t *testing.T, upgrades int) func(context.Context, *v1alpha1.MCPServer) {
	t.Helper()
	issuer, err := keysource.NewClusterIssuer(c.control.Config)
	if err != nil {
		t.Fatal(err)
	}
	builder := &mcpserver.Reconciler{
		Client: uncached.Client{Client: c.k8s}, Live: c.k8s, Events: events.NewFakeRecorder(100), Now: time.Now, Issuer: issuer,
		Master:          &keysource.ProbeMaster{Live: c.k8s, Writer: c.k8s, Namespace: namespace, Now: time.Now},
		KeyObservations: keyobservation.NewStore(), Publications: &publication.Store{}, Rollout: rollout.NewLimiter(upgrades),
		Inputs: desired.Inputs{GateImage: newGate, ClusterDomain: "cluster.local"},
	}
	return func(ctx context.Context, server *v1alpha1.MCPServer) {
		if _, err := builder.Reconcile(ctx, server); err != nil {
			t.Errorf("%s: %v", server.Name, err)
		}
	}
}

func (c cluster) takesOver(t *testing.T, release upgrade.Release) {
	t.Helper()
	var servers v1alpha1.MCPServerList
	if err := c.k8s.List(t.Context(), &servers); err != nil {
		t.Fatal(err)
	}
	holding, upgrading := c.operator(t, 0), c.operator(t, rollout.DefaultMaxUpgrades)
	for _, server := range servers.Items {
		before := c.deployment(t, server.Name).Spec.Template
		holding(t.Context(), server.DeepCopy())
		if diff := cmp.Diff(before, c.deployment(t, server.Name).Spec.Template); diff != "" {
			t.Errorf("%s waits for its turn, and gets other pods (-old +new):\n%s", server.Name, diff)
		}
		c.isReadable(t, release, server.Name)

		upgrading(t.Context(), server.DeepCopy())
		after := c.deployment(t, server.Name).Spec.Template
		if got := after.Spec.InitContainers[0].Image; got != newGate {
			t.Errorf("%s is upgraded to the gate %s", server.Name, got)
		}
		before.Spec.InitContainers[0].Image = newGate
		before.Annotations[v1alpha1.AnnotationConfigSchema] = strconv.Itoa(gateapi.Schema)
		if release.Version == "v0.1.0-alpha.1" {
			before.Spec.InitContainers[0].Lifecycle.PreStop = &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: gateapi.TerminateCommand()}}
			fallback := corev1.ContainerPort{Name: desired.FallbackPortName, ContainerPort: desired.Resolve(&server).FallbackPort, Protocol: corev1.ProtocolTCP}
			before.Spec.InitContainers[0].Ports = slices.Insert(before.Spec.InitContainers[0].Ports, 1, fallback)
			mountByKey(t, &server, before.Spec.Volumes)
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("%s: more than the gate is another (-old +new); docs/upgrade.md has to say what:\n%s", server.Name, diff)
		}
	}
	if len(servers.Items) < 6 {
		t.Errorf("%d servers were looked at", len(servers.Items))
	}
}

// isReadable: gates of the release find a configuration that they know.
func (c cluster) isReadable(t *testing.T, release upgrade.Release, name string) {
	t.Helper()
	var config corev1.ConfigMap
	if err := c.k8s.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name + "-authproxy"}, &config); err != nil {
		t.Error(err)
		return
	}
	if err := schema.Reads(release.Schema, []byte(config.Data[gateapi.ConfigFileOf(release.Schema)])); err != nil {
		t.Errorf("%s: the gates that run cannot read their configuration: %v", filepath.Join(name, gateapi.ConfigFileOf(release.Schema)), err)
	}
}

// mountByKey has the gate's configuration mounted as later releases do, where a server names files of yours.
func mountByKey(t *testing.T, server *v1alpha1.MCPServer, volumes []corev1.Volume) {
	t.Helper()
	key, err := gateconfig.Key(server)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(volumes, func(v corev1.Volume) bool { return v.Name == "gatehouse-config" })
	if key != gateapi.ConfigFile {
		volumes[at].ConfigMap.Items = []corev1.KeyToPath{{Key: key, Path: gateapi.ConfigFile}}
	}
}
