package remote_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/remote"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

const (
	patience = time.Minute // for what must happen at some time; nothing is timed
	caFile   = "issuer-ca.crt"
)

// TestMain sets a proxy that does not work: whoever uses it reaches nothing.
func TestMain(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		if err := os.Setenv(name, "http://127.0.0.1:1"); err != nil {
			panic(err)
		}
	}
	m.Run()
}

// bench is a gate's side: its files, its clock, and what it is told.
type bench struct {
	t       *testing.T
	options remote.Options
	results chan remote.Result

	mu  sync.Mutex
	now time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, results: make(chan remote.Result, 1000), now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	b.options = remote.Options{
		KeysDir: t.TempDir(), Now: b.clock, Log: slog.New(slog.DiscardHandler),
		// No fetch comes by itself: each test asks when it wants one.
		Random:  func() float64 { return -1e6 },
		Judge:   func(netip.Addr) error { return nil }, // The issuers of these tests are on loopback.
		Fetched: func(_ string, result remote.Result) { b.results <- result },
	}
	return b
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) advance(by time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(by)
}

// start runs a Fetcher until the test ends, and waits for its first fetch.
func (b *bench) start(provider gateapi.Provider) (*remote.Fetcher, remote.Result) {
	b.t.Helper()
	fetcher := remote.New(provider, b.options)
	run(b.t, fetcher.Run)
	return fetcher, b.result()
}

// again makes a running Fetcher fetch once more.
func (b *bench) again(fetcher *remote.Fetcher) remote.Result {
	b.t.Helper()
	b.advance(31 * time.Second)
	fetcher.Want(b.t.Context(), "a key id that nobody has")
	return b.result()
}

// result is that of the next fetch.
func (b *bench) result() remote.Result {
	b.t.Helper()
	select {
	case result := <-b.results:
		return result
	case <-time.After(patience):
		b.t.Fatal("nothing was fetched")
		return ""
	}
}

// run calls f until the test ends, and waits for its end.
func run(t *testing.T, f func(context.Context)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { f(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// provider is one whose keys are at this URL, under the CA of this bench.
func (b *bench) provider(uri string) gateapi.Provider {
	return gateapi.Provider{
		Name: "idp", Issuer: "https://issuer.example", Audiences: []string{"x"}, Algorithms: []keys.Algorithm{keys.EdDSA, keys.ES256},
		Keys: gateapi.KeySource{Remote: &gateapi.RemoteKeys{JWKSURI: uri, CAFile: caFile, MaxStaleSeconds: 3600}},
	}
}

func (b *bench) discovered(issuer string) gateapi.Provider {
	provider := b.provider("")
	provider.Issuer, provider.Keys.Remote.Discovery = issuer, true
	return provider
}

// authority is a certificate authority.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return authority{cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// certificate is for 127.0.0.1 and issuer.example.
func (a authority) certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"issuer.example"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	must(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// serve runs an issuer over TLS whose CA the bench trusts. It gives the URL of its root.
func (b *bench) serve(handler http.Handler) string {
	b.t.Helper()
	ca := newAuthority(b.t)
	b.trust(ca)
	return serveTLS(b.t, ca, handler)
}

func (b *bench) trust(ca authority) {
	b.t.Helper()
	must(b.t, os.WriteFile(filepath.Join(b.options.KeysDir, caFile), ca.pem, 0o600))
}

func serveTLS(t *testing.T, ca authority, handler http.Handler) string {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.certificate(t)}, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

// newKeySet is a JWK Set with new keys of these algorithms.
func newKeySet(t *testing.T, algorithms ...keys.Algorithm) (document []byte, ids []string) {
	t.Helper()
	var public []keys.Public
	for _, algorithm := range algorithms {
		key, err := keys.Generate(algorithm)
		must(t, err)
		public, ids = append(public, key.Public()), append(ids, key.ID())
	}
	document, err := keys.MarshalPublic(public)
	must(t, err)
	return document, ids
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
