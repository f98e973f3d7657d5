package remote_test

import (
	"context"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/remote"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

func TestWhoIsTrusted(t *testing.T) {
	document, _ := newKeySet(t, keys.ES256)
	ca, other := newAuthority(t), newAuthority(t)
	systemTrusts := func(pem []byte) func() (*x509.CertPool, error) {
		return func() (*x509.CertPool, error) {
			pool := x509.NewCertPool()
			pool.AppendCertsFromPEM(pem)
			return pool, nil
		}
	}
	for name, c := range map[string]struct {
		file   []byte // what caFile holds; nil: it is not there
		noFile bool   // the provider names none
		system func() (*x509.CertPool, error)
		result remote.Result
		says   string
	}{
		"the CA of the file":               {file: ca.pem, result: remote.Loaded},
		"another CA in the file":           {file: other.pem, result: remote.Untrusted, says: "unknown authority"},
		"the file in place of the system":  {file: other.pem, system: systemTrusts(ca.pem), result: remote.Untrusted},
		"a file that is not there":         {result: remote.Untrusted, says: "CA certificates"},
		"a file that holds something else": {file: document, result: remote.Untrusted, says: "no certificate in PEM"},
		"the system's CA":                  {noFile: true, system: systemTrusts(ca.pem), result: remote.Loaded},
		"another CA of the system":         {noFile: true, system: systemTrusts(other.pem), result: remote.Untrusted},
		"a system without CAs":             {noFile: true, system: systemTrusts(nil), result: remote.Untrusted, says: "the image has no root certificates"},
		"a system that cannot say": {noFile: true, result: remote.Untrusted, says: "root certificates: broken",
			system: func() (*x509.CertPool, error) { return nil, errors.New("broken") }},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.options.SystemRoots = c.system
			if c.file != nil {
				b.trust(authority{pem: c.file})
			}
			provider := b.provider(serveTLS(t, ca, always(200, document)))
			if c.noFile {
				provider.Keys.Remote.CAFile = ""
			}
			fetcher, result := b.start(provider)
			if result != c.result {
				t.Errorf("got %s, want %s: %s", result, c.result, fetcher.Status().LastError)
			}
			b.check(fetcher, c.says)
		})
	}
}

func TestCertificateForAnotherName(t *testing.T) {
	b := newBench(t)
	document, _ := newKeySet(t, keys.ES256)
	root := b.serve(always(200, document))
	fetcher, result := b.start(b.provider(strings.Replace(root, "127.0.0.1", "localhost", 1)))
	if result != remote.Untrusted {
		t.Errorf("got %s: %s", result, fetcher.Status().LastError)
	}
}

func TestNewCACertificatesAreReadWhenTheyCome(t *testing.T) {
	b := newBench(t)
	document, _ := newKeySet(t, keys.ES256)
	root := b.serve(always(200, document))
	right, err := os.ReadFile(filepath.Join(b.options.KeysDir, caFile))
	must(t, err)
	b.trust(newAuthority(t))
	fetcher, result := b.start(b.provider(root))
	if result != remote.Untrusted {
		t.Errorf("before: got %s", result)
	}
	b.trust(authority{pem: right})
	if result := b.again(fetcher); result != remote.Loaded {
		t.Errorf("after: got %s: %s", result, fetcher.Status().LastError)
	}
}

// By default nothing on loopback is asked, neither by address nor by a name that leads there, and it does not even see
// a connection.
func TestLoopbackIsNotAsked(t *testing.T) {
	resolver := resolvesTo(t, [4]byte{127, 0, 0, 1})
	for name, host := range map[string]string{
		"by address":               "127.0.0.1",
		"by a name of the machine": "localhost",
		"by a name of the DNS":     "issuer.example",
		"as IPv4 in IPv6":          "[::ffff:127.0.0.1]",
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.options.Judge = nil
			if host == "issuer.example" {
				b.options.Resolver = resolver
			}
			var connections atomic.Int32
			address := serveRaw(t, func(net.Conn) { connections.Add(1) })
			provider := b.provider("http://" + host + address.String()[strings.LastIndex(address.String(), ":"):])
			provider.Keys.Remote.AllowHTTP = true
			fetcher, result := b.start(provider)
			if result != remote.Forbidden || connections.Load() != 0 {
				t.Errorf("got %s and %d connections: %s", result, connections.Load(), fetcher.Status().LastError)
			}
			b.check(fetcher, "127.0.0.1 is the pod itself")
		})
	}
}

// The same name works where its address is allowed; and no proxy of the environment is used, see TestMain.
func TestNameOfTheDNS(t *testing.T) {
	b := newBench(t)
	b.options.Resolver = resolvesTo(t, [4]byte{127, 0, 0, 1})
	var judged atomic.Pointer[netip.Addr]
	b.options.Judge = func(address netip.Addr) error {
		judged.Store(&address)
		return nil
	}
	document, _ := newKeySet(t, keys.ES256)
	root := b.serve(always(200, document))
	fetcher, result := b.start(b.provider(strings.Replace(root, "127.0.0.1", "issuer.example", 1)))
	if result != remote.Loaded || judged.Load() == nil || judged.Load().String() != "127.0.0.1" {
		t.Errorf("got %s, judged %v: %s", result, judged.Load(), fetcher.Status().LastError)
	}
}

// resolvesTo is a resolver of a DNS in which every name has this address.
func resolvesTo(t *testing.T, address [4]byte) *net.Resolver {
	t.Helper()
	server, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { server.Close() })
	go func() {
		question := make([]byte, 512)
		for {
			n, from, err := server.ReadFrom(question)
			if err != nil {
				return
			}
			_, _ = server.WriteTo(dnsAnswer(question[:n], address), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// dnsAnswer answers questions for an A record; of other types there are none (RFC 1035 section 4.1).
func dnsAnswer(question []byte, address [4]byte) []byte {
	const header = 12
	end := header
	for question[end] != 0 {
		end += int(question[end]) + 1
	}
	end += 5 // the root's length, type and class
	answer := append([]byte(nil), question[:end]...)
	binary.BigEndian.PutUint16(answer[2:], 0x8180) // an answer without an error
	binary.BigEndian.PutUint16(answer[10:], 0)     // no additional records
	if binary.BigEndian.Uint16(question[end-4:]) != 1 {
		return answer
	}
	binary.BigEndian.PutUint16(answer[6:], 1)
	answer = append(answer, 0xc0, header, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4) // the name of the question, A, IN, no time to live
	return append(answer, address[:]...)
}

func TestPlainHTTPMustBeAllowed(t *testing.T) {
	document, _ := newKeySet(t, keys.ES256)
	server := serveHTTP(t, always(200, document))
	for _, allowed := range []bool{false, true} {
		b := newBench(t)
		provider := b.provider(server)
		provider.Keys.Remote = &gateapi.RemoteKeys{JWKSURI: server, AllowHTTP: allowed, MaxStaleSeconds: 3600}
		b.options.SystemRoots = func() (*x509.CertPool, error) { return x509.NewCertPool(), nil }
		want := remote.Forbidden
		if allowed {
			want = remote.Loaded
		}
		if fetcher, result := b.start(provider); result != want {
			t.Errorf("allowed: %v; got %s: %s", allowed, result, fetcher.Status().LastError)
		}
	}
}

func serveHTTP(t *testing.T, handler http.Handler) string {
	t.Helper()
	listener := listen(t)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: patience}
	go server.Serve(listener) //nolint:errcheck // Ends with the test.
	t.Cleanup(func() { server.Close() })
	return "http://" + listener.Addr().String()
}
