//go:build providers

package providers

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

var (
	program = flag.String("program", "", "the gate")
	fake    = flag.String("server", "", "mcpfake")
	logs    = flag.String("logs", "", "directory of the logs")
)

// The tests run in a network namespace where there is nothing else. In it are the providers; the gate and its server are in
// another one, as in a pod, since the gate fetches no keys from its own addresses.
const (
	gatewayIP, podIP, spireIP = "10.99.0.1", "10.99.0.2", "10.99.0.3"

	hosts = "127.0.0.1 localhost\n" + gatewayIP + " keycloak.example.com hydra.example.com\n" + spireIP + " oidc.spire.example.com\n"
)

// world is what all tests share.
type world struct {
	namespace string // of the gate: the process that holds it
	ca        string // file with the certificate that everybody trusts
	client    *http.Client

	mu       sync.Mutex
	backends map[string]*url.URL // by host
	tls      tls.Certificate
}

var shared = sync.OnceValue(func() *world { return &world{backends: map[string]*url.URL{}} })

// theWorld makes it when the first test asks.
func theWorld(t *testing.T) *world {
	t.Helper()
	w := shared()
	if w.namespace != "" {
		return w
	}
	dir := *logs
	w.certify(t, dir)
	file := filepath.Join(dir, "hosts")
	must(t, os.WriteFile(file, []byte(hosts), 0o644))
	run(t, "mount", "--bind", file, "/etc/hosts")
	holder := exec.Command("unshare", "--net", "--", "sleep", "infinity")
	must(t, holder.Start())
	w.namespace = strconv.Itoa(holder.Process.Pid)
	apart := func() bool {
		mine, _ := os.Readlink("/proc/self/ns/net")
		its, _ := os.Readlink("/proc/" + w.namespace + "/ns/net")
		return its != "" && its != mine
	}
	pod.Eventually(t, "another network namespace", apart)
	run(t, "ip", "link", "add", "outside", "type", "veth", "peer", "name", "inside", "netns", w.namespace)
	for _, ip := range []string{gatewayIP, spireIP} {
		run(t, "ip", "address", "add", ip+"/24", "dev", "outside")
	}
	run(t, "ip", "link", "set", "outside", "up")
	run(t, w.inside("ip", "address", "add", podIP+"/24", "dev", "inside")...)
	run(t, w.inside("ip", "link", "set", "inside", "up")...)
	run(t, w.inside("ip", "link", "set", "lo", "up")...)
	w.serve(t)
	return w
}

// inside is a command in the namespace of the gate.
func (w *world) inside(command ...string) []string {
	return append([]string{"nsenter", "--target", w.namespace, "--net", "--"}, command...)
}

func run(t *testing.T, command ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(command, " "), err, out)
	}
	return string(out)
}

// certify makes the authority, and a certificate for all hosts.
func (w *world) certify(t *testing.T, dir string) {
	t.Helper()
	authority, ca := issue(t, "authority", nil, nil)
	key, certificate := issue(t, "providers", authority, ca, "keycloak.example.com", "hydra.example.com", "oidc.spire.example.com")
	w.ca = filepath.Join(dir, "ca.crt")
	write(t, dir, "ca.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw}))
	write(t, dir, "tls.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	write(t, dir, "tls.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	w.tls = tls.Certificate{Certificate: [][]byte{certificate.Raw}, PrivateKey: key}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	w.client = &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
}

func issue(t *testing.T, name string, by crypto.Signer, parent *x509.Certificate, names ...string) (crypto.Signer, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: parent == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if parent == nil {
		by, parent = key, template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	must(t, err)
	certificate, err := x509.ParseCertificate(der)
	must(t, err)
	return key, certificate
}

// serve is the ingress before the providers: TLS outside, plain HTTP inside.
func (w *world) serve(t *testing.T) {
	t.Helper()
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if backend := w.backends[r.In.Host]; backend != nil {
			r.SetURL(backend)
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		}
	}}
	listener, err := tls.Listen("tcp", gatewayIP+":443", &tls.Config{Certificates: []tls.Certificate{w.tls}, MinVersion: tls.VersionTLS12})
	must(t, err)
	server := &http.Server{Handler: proxy, ReadHeaderTimeout: patience}
	go func() { _ = server.Serve(listener) }()
}

// route leads a host to a port on loopback.
func (w *world) route(host, port string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.backends[host] = &url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", port)}
}

// gate runs the gate of a sample before mcpfake, and waits until it is ready, with the provider's keys.
func (w *world) gate(t *testing.T, sample string) {
	t.Helper()
	config := configOf(t, sample)
	text, err := json.Marshal(config)
	must(t, err)
	dir := t.TempDir()
	write(t, dir, gateapi.ConfigFile, text)
	write(t, dir, gateapi.SecretFile, pod.NewSecret())
	log := filepath.Join(*logs, sample+"-gate.log")
	pod.Start(t, log, nil, w.inside(*fake, "--addr", pod.Loopback(config.Upstream.Port), "--dialect", "stateless")...)
	pod.Start(t, log, []string{gateapi.PodUIDEnv + "=" + pod.UID, "SSL_CERT_FILE=" + w.ca},
		w.inside(*program, "--config-dir", dir, "--keys-dir", dir, "--secret-dir", dir, "--tls-dir", dir, "--run-dir", dir)...)
	pod.Eventually(t, "the gate is ready; its log is "+log, func() bool {
		response, err := http.Get(fmt.Sprintf("http://%s:%d/readyz", podIP, config.AdminPort))
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// call asks the gate for the tools, and gives the status and the reason.
func (w *world) call(ctx context.Context, sample, token string) (string, error) {
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+podIP+":8080/mcp", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Host = "mcp.example.com"
	if sample == "spire" { // It publishes no metadata, so the gate knows no public name.
		request.Host = sample + ".tools.svc"
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := w.client.Do(request)
	if err != nil {
		return "", err
	}
	response.Body.Close()
	return strings.TrimSpace(strconv.Itoa(response.StatusCode) + " " + response.Header.Get("Gatehouse-Reason")), nil
}
