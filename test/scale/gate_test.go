//go:build scale

package scale

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gate"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// startGate serves a pod's gate on an address of its own, which it gives. Nothing in it is changed after that.
func (n *simulatedNode) startGate(ctx context.Context, server string, pod *corev1.Pod) (ip string, err error) {
	files, err := n.mounted(ctx, server, pod)
	if err != nil {
		return "", err
	}
	options := gate.Options{PodUID: string(pod.UID), UpstreamHost: n.upstream}
	for what, dir := range map[string]*string{"config": &options.ConfigDir, "keys": &options.KeysDir, "secret": &options.SecretDir} {
		*dir = n.folder(pod, what)
		if err := mount(*dir, files[what]); err != nil {
			return "", err
		}
	}
	g, err := gate.New(options)
	if err != nil {
		return "", err
	}
	back, err := adminHandler(g, files, string(pod.UID))
	if err != nil {
		return "", err
	}
	ip = n.address()
	for port, handler := range map[int32]http.Handler{portOf(pod, desired.GatePortName): g.ClientHandler(), portOf(pod, desired.AdminPortName): back} {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf("%s:%d", ip, port))
		if err != nil {
			return "", err
		}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
		go func() { _ = server.Serve(listener) }()
	}
	return ip, nil
}

// mounted reads what a kubelet would mount, by the folder and the file's name.
func (n *simulatedNode) mounted(ctx context.Context, server string, pod *corev1.Pod) (map[string]map[string][]byte, error) {
	out := map[string]map[string][]byte{"config": {}, "keys": {}, "secret": {}}
	object := func(into client.Object, name string) error {
		return n.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: name}, into)
	}
	var config corev1.ConfigMap
	var secret corev1.Secret
	if err := errors.Join(object(&config, server+"-authproxy"), object(&secret, server+"-gate")); err != nil {
		return nil, err
	}
	for name, text := range config.Data {
		out["config"][name] = []byte(text)
	}
	out["secret"] = secret.Data
	for _, volume := range pod.Spec.Volumes {
		if volume.Name != "gatehouse-keys" {
			continue
		}
		for _, source := range volume.Projected.Sources {
			if source.ConfigMap == nil {
				continue
			}
			var public corev1.ConfigMap
			if err := object(&public, source.ConfigMap.Name); err != nil {
				return nil, err
			}
			for name, text := range public.Data {
				out["keys"][name] = []byte(text)
			}
		}
	}
	return out, nil
}

func mount(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// adminHandler says of a gate what one in a pod of its own would say. It asks the gate once: each answer lists what
// listens on the machine, which here are all pods.
func adminHandler(g *gate.Gate, files map[string]map[string][]byte, podUID string) (http.Handler, error) {
	key, err := admin.NewKey(files["secret"][gateapi.SecretFile])
	if err != nil {
		return nil, err
	}
	itself := admin.Client{HTTP: &http.Client{Transport: handlerTransport{g.AdminHandler()}}, Key: key}
	state, err := itself.State(context.Background(), "http://gate", podUID)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(files["config"][gateapi.ConfigFile])
	state.SelfTest, state.ConfigSHA256, state.Listeners, state.CanaryPort = "passed", hex.EncodeToString(sum[:]), []admin.Listener{}, 0
	mux := http.NewServeMux()
	mux.Handle("/", g.AdminHandler())
	mux.Handle("/state", admin.StateHandler(admin.StateSource{
		Keys: func() []admin.Key { return []admin.Key{key} }, PodUID: podUID, Now: time.Now,
		State: func() admin.State {
			now := state
			now.Time = time.Now()
			return now
		},
	}))
	return mux, nil
}

// handlerTransport answers requests by a handler.
type handlerTransport struct{ http.Handler }

func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	t.ServeHTTP(w, r)
	return w.Result(), nil
}

func portOf(pod *corev1.Pod, name string) int32 {
	for _, container := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
		for _, port := range container.Ports {
			if port.Name == name {
				return port.ContainerPort
			}
		}
	}
	return 0
}
