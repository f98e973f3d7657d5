package controllers_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/gate"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

var addresses, podCount atomic.Int32

// newAddress gives every pod a loopback address of its own, where its ports are free: other processes that run this suite
// have a block of their own.
func newAddress() string {
	n := addresses.Add(1)
	return fmt.Sprintf("127.%d.%d.%d", 11+os.Getpid()%200, n/250, n%250+1)
}

// simulatedPod is a pod of the API server whose address is a loopback address, where a real gate and a real MCP server
// listen.
type simulatedPod struct {
	pod *corev1.Pod
	// spec is the template's, without what the API server fills in.
	spec corev1.PodSpec
	// client and admin serve the gate's ports; a spec may put something else there.
	client, admin atomic.Pointer[http.Handler]
	// plain has the gate's port take no TLS, whatever the pod was made for.
	plain atomic.Bool
	// state changes what the gate says of itself; a spec may set it.
	state  atomic.Pointer[func(*admin.State)]
	server *mcpfake.Server
	// upstream is where it listens.
	upstream string
}

// startPod plays the controllers of Deployment and ReplicaSet, the scheduler and the kubelet: it makes the server's
// next pod, and starts what runs in it.
func startPod(ctx context.Context, server *v1alpha1.MCPServer) *simulatedPod {
	GinkgoHelper()
	return startPodOf(ctx, server, func(*corev1.PodSpec) {})
}

// startPodOf does so from a template that is changed on its way from the Deployment.
func startPodOf(ctx context.Context, server *v1alpha1.MCPServer, change func(*corev1.PodSpec)) *simulatedPod {
	GinkgoHelper()
	deployment := &appsv1.Deployment{}
	Eventually(func() error { return k8s.Get(ctx, client.ObjectKeyFromObject(server), deployment) }).Should(Succeed())
	change(&deployment.Spec.Template.Spec)
	name := fmt.Sprintf("%s-%d", server.Name, podCount.Add(1))
	replicaSet := &appsv1.ReplicaSet{}
	replicaSet.Name, replicaSet.Namespace, replicaSet.Labels = name, server.Namespace, deployment.Spec.Template.Labels
	replicaSet.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(deployment, appsv1.SchemeGroupVersion.WithKind("Deployment"))}
	replicaSet.Spec.Selector, replicaSet.Spec.Template = deployment.Spec.Selector, deployment.Spec.Template
	Expect(k8s.Create(ctx, replicaSet)).To(Succeed())

	pod := &corev1.Pod{}
	pod.Name, pod.Namespace, pod.Labels = name, server.Namespace, maps.Clone(deployment.Spec.Template.Labels)
	pod.Annotations = maps.Clone(deployment.Spec.Template.Annotations)
	pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(replicaSet, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))}
	pod.Spec = deployment.Spec.Template.Spec
	Expect(k8s.Create(ctx, pod)).To(Succeed())
	simulated := &simulatedPod{pod: pod, spec: deployment.Spec.Template.Spec}
	simulated.run(ctx, server, newAddress())
	return simulated
}

// run starts gate and server on the pod's address, and tells the API server that they run and are ready.
func (p *simulatedPod) run(ctx context.Context, server *v1alpha1.MCPServer, ip string) {
	settings := desired.Resolve(server)
	listen := func(port int32) net.Listener {
		listener, err := net.Listen("tcp", fmt.Sprintf("%s:%d", ip, port))
		Expect(err).NotTo(HaveOccurred())
		return listener
	}
	fake, err := mcpfake.New(mcpfake.Options{})
	Expect(err).NotTo(HaveOccurred())
	p.server, p.upstream = fake, fmt.Sprintf("%s:%d", ip, settings.Port)
	upstream := listen(settings.Port)
	go func() { _ = fake.Serve(upstream) }()

	p.mount(ctx, server, ip)
	var certificates []tls.Certificate
	if shown := p.brought(ctx, server, settings.TLSSecret); len(shown) > 0 {
		certificate, err := tls.X509KeyPair(shown["tls.crt"], shown["tls.key"])
		Expect(err).NotTo(HaveOccurred())
		certificates = append(certificates, certificate)
	}
	front := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*p.client.Load()).ServeHTTP(w, r) })}
	back := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*p.admin.Load()).ServeHTTP(w, r) })}
	for _, port := range []int32{settings.GatePort, settings.FallbackPort} {
		door := listen(port)
		if certificates != nil {
			door = eitherDoor{door, &tls.Config{MinVersion: tls.VersionTLS13, Certificates: certificates}, &p.plain}
		}
		go func() { _ = front.Serve(door) }()
	}
	go func() { _ = back.Serve(listen(settings.AdminPort)) }()
	DeferCleanup(func() {
		_ = front.Close()
		_ = back.Close()
		_ = upstream.Close()
	})
	p.update(ctx, func(status *corev1.PodStatus) {
		status.PodIP, status.PodIPs = ip, []corev1.PodIP{{IP: ip}}
		running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
		status.InitContainerStatuses = []corev1.ContainerStatus{{Name: desired.GateContainer, ContainerID: "c://gate", State: running, Ready: true}}
		status.ContainerStatuses = []corev1.ContainerStatus{{Name: desired.ServerContainer, ContainerID: "c://server", State: running, Ready: true}}
		status.Conditions = append(status.Conditions, corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionTrue})
	})
}

// eitherDoor takes TLS, or plain HTTP.
type eitherDoor struct {
	net.Listener
	config *tls.Config
	plain  *atomic.Bool
}

func (d eitherDoor) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	if err != nil || d.plain.Load() {
		return conn, err
	}
	return tls.Server(conn, d.config), nil
}

// mount starts a gate on what the API server has now, in place of the one that runs. Before that, a pod does not see what
// was changed.
func (p *simulatedPod) mount(ctx context.Context, server *v1alpha1.MCPServer, ip string) {
	GinkgoHelper()
	dir := GinkgoT().TempDir()
	mount := func(what string, data map[string][]byte) string {
		path := filepath.Join(dir, what)
		Expect(os.Mkdir(path, 0o700)).To(Succeed())
		for file, content := range data {
			Expect(os.WriteFile(filepath.Join(path, file), content, 0o600)).To(Succeed())
		}
		return path
	}
	var err error
	options := gate.Options{
		ConfigDir: mount("config", p.configFiles(ctx, server)), KeysDir: mount("keys", p.projected(ctx, server, "gatehouse-keys")),
		TLSDir:    mount("tls", p.brought(ctx, server, desired.Resolve(server).TLSSecret)),
		SecretDir: mount("secret", secretData(ctx, server, p.mounts("gatehouse-secret", server))), PodUID: string(p.pod.UID), UpstreamHost: ip,
	}
	fetches := slices.ContainsFunc(desired.Resolve(server).Providers, func(p desired.Provider) bool { return p.Remote != nil })
	if fetches {
		options.JudgeKeyAddress = func(netip.Addr) error { return nil } // The issuers of these specs are on loopback.
		for _, port := range []*net.Listener{&options.ClientListener, &options.AdminListener, &options.FallbackListener, &options.CanaryListener} {
			*port, err = net.Listen("tcp", "127.0.0.1:0")
			Expect(err).NotTo(HaveOccurred())
		}
	}
	g, err := gate.New(options)
	Expect(err).NotTo(HaveOccurred())
	if fetches {
		runGate(g)
	}
	p.serve(g.ClientHandler())
	p.serveAdmin(p.kept(ctx, server, g.AdminHandler()))
}

// mounts gives what is behind the server's name in that of the object of a volume.
func (p *simulatedPod) mounts(volume string, server *v1alpha1.MCPServer) string {
	at := slices.IndexFunc(p.spec.Volumes, func(v corev1.Volume) bool { return v.Name == volume })
	if secret := p.spec.Volumes[at].Secret; secret != nil {
		return strings.TrimPrefix(secret.SecretName, server.Name)
	}
	return strings.TrimPrefix(p.spec.Volumes[at].ConfigMap.Name, server.Name)
}

// runGate lets a gate do what it does by itself, such as to fetch keys, until the spec ends.
func runGate(g *gate.Gate) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	DeferCleanup(func() {
		stop()
		Eventually(done).Should(Receive(BeNil()))
	})
}

// projected gives the files of one of the pod's projected volumes.
func (p *simulatedPod) projected(ctx context.Context, server *v1alpha1.MCPServer, volume string) map[string][]byte {
	GinkgoHelper()
	files := map[string][]byte{}
	at := slices.IndexFunc(p.spec.Volumes, func(v corev1.Volume) bool { return v.Name == volume })
	for _, from := range p.spec.Volumes[at].Projected.Sources {
		if from.ConfigMap != nil {
			maps.Copy(files, configMap(ctx, server, strings.TrimPrefix(from.ConfigMap.Name, server.Name)))
			continue
		}
		object := &corev1.Secret{}
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: from.Secret.Name}, object)).To(Succeed())
		for _, item := range from.Secret.Items {
			files[item.Path] = object.Data[item.Key]
		}
	}
	return files
}

// configFiles are what the pod mounts of the gate's configuration.
func (p *simulatedPod) configFiles(ctx context.Context, server *v1alpha1.MCPServer) map[string][]byte {
	GinkgoHelper()
	files := configMap(ctx, server, p.mounts("gatehouse-config", server))
	at := slices.IndexFunc(p.spec.Volumes, func(v corev1.Volume) bool { return v.Name == "gatehouse-config" })
	items := p.spec.Volumes[at].ConfigMap.Items
	if len(items) == 0 {
		return files
	}
	out := map[string][]byte{}
	for _, item := range items {
		if content, found := files[item.Key]; found {
			out[item.Path] = content
		}
	}
	return out
}

// gateConfig is the configuration of gates that are made from the spec.
func gateConfig(ctx context.Context, server *v1alpha1.MCPServer) string {
	GinkgoHelper()
	key, err := gateconfig.Key(server)
	Expect(err).NotTo(HaveOccurred())
	return string(configMap(ctx, server, "-authproxy")[key])
}

// brought gives the data of a Secret that the spec names; an empty name is none.
func (p *simulatedPod) brought(ctx context.Context, server *v1alpha1.MCPServer, name string) map[string][]byte {
	GinkgoHelper()
	object := &corev1.Secret{}
	if name != "" {
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: name}, object)).To(Succeed())
	}
	return object.Data
}

// serve puts a handler behind the pod's client port.
func (p *simulatedPod) serve(handler http.Handler) { p.client.Store(&handler) }

// serveAdmin puts a handler behind the pod's admin port.
func (p *simulatedPod) serveAdmin(handler http.Handler) { p.admin.Store(&handler) }

// update changes the pod's status as the kubelet does.
func (p *simulatedPod) update(ctx context.Context, change func(*corev1.PodStatus)) {
	GinkgoHelper()
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(p.pod), p.pod)).To(Succeed())
	before := p.pod.DeepCopy()
	change(&p.pod.Status)
	Expect(k8s.Status().Patch(ctx, p.pod, client.StrategicMergeFrom(before))).To(Succeed())
}

// proven reads the pod's readiness gate.
func (p *simulatedPod) proven(ctx context.Context) func() corev1.ConditionStatus {
	return func() corev1.ConditionStatus {
		pod := &corev1.Pod{}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(p.pod), pod)).To(Succeed())
		for _, c := range pod.Status.Conditions {
			if c.Type == v1alpha1.ConditionPodAuthProven {
				return c.Status
			}
		}
		return corev1.ConditionUnknown
	}
}

// available tells the API server, as the controller of Deployments does, how many pods are there.
func available(ctx context.Context, server *v1alpha1.MCPServer, pods, ready int32) {
	GinkgoHelper()
	deployment := &appsv1.Deployment{}
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), deployment)).To(Succeed())
	before := deployment.DeepCopy()
	deployment.Status = appsv1.DeploymentStatus{
		ObservedGeneration: deployment.Generation, Replicas: pods, UpdatedReplicas: pods, ReadyReplicas: ready, AvailableReplicas: ready,
	}
	Expect(k8s.Status().Patch(ctx, deployment, client.MergeFrom(before))).To(Succeed())
}

func configMap(ctx context.Context, server *v1alpha1.MCPServer, suffix string) map[string][]byte {
	GinkgoHelper()
	object := &corev1.ConfigMap{}
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: server.Name + suffix}, object)).To(Succeed())
	data := map[string][]byte{}
	for name, text := range object.Data {
		data[name] = []byte(text)
	}
	return data
}

func secretData(ctx context.Context, server *v1alpha1.MCPServer, suffix string) map[string][]byte {
	GinkgoHelper()
	object := &corev1.Secret{}
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: server.Name + suffix}, object)).To(Succeed())
	return object.Data
}
