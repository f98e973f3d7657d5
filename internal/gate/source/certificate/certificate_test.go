package certificate_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/certificate"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// mount is a Secret as the kubelet shows it: generations in folders of their own behind the link "..data".
type mount struct {
	t      *testing.T
	dir    string
	number int
}

func newMount(t *testing.T) *mount {
	t.Helper()
	m := &mount{t: t, dir: t.TempDir()}
	for _, name := range []string{gateapi.TLSCertFile, gateapi.TLSKeyFile} {
		must(t, os.Symlink(filepath.Join("..data", name), filepath.Join(m.dir, name)))
	}
	return m
}

func (m *mount) write(certPEM, keyPEM []byte) {
	m.t.Helper()
	m.number++
	generation := ".." + string(rune('a'+m.number))
	must(m.t, os.Mkdir(filepath.Join(m.dir, generation), 0o755))
	must(m.t, os.WriteFile(filepath.Join(m.dir, generation, gateapi.TLSCertFile), certPEM, 0o600))
	must(m.t, os.WriteFile(filepath.Join(m.dir, generation, gateapi.TLSKeyFile), keyPEM, 0o600))
	must(m.t, os.Symlink(generation, filepath.Join(m.dir, "..new")))
	must(m.t, os.Rename(filepath.Join(m.dir, "..new"), filepath.Join(m.dir, "..data")))
}

// newPair makes a certificate and its key.
func newPair(t *testing.T, name string, expires time.Time) (certPEM, keyPEM []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: expires,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRenewal(t *testing.T) {
	m, failures, log := newMount(t), 0, &bytes.Buffer{}
	s := certificate.Open(certificate.Source{
		Dir: m.dir, Log: slog.New(slog.NewTextHandler(log, nil)), Failed: func() { failures++ },
	})
	expect := func(step, name, problem string, renewed bool, failed int) {
		t.Helper()
		got := ""
		if leaf := s.Leaf(); leaf != nil {
			got = leaf.Subject.CommonName
		}
		text := ""
		if err := s.Problem(); err != nil {
			text = err.Error()
		}
		if got != name || (problem == "") != (text == "") || !strings.Contains(text, problem) || failures != failed {
			t.Errorf("%s: certificate %q, problem %q, %d failures", step, got, text, failures)
		}
		if renewed != (strings.Count(log.String(), "TLS certificate loaded") == 1) {
			t.Errorf("%s: log %s", step, log)
		}
		log.Reset()
	}
	expect("nothing is there", "", "no such file", false, 1)
	s.Poll()
	expect("nothing is there yet", "", "no such file", false, 1)

	first, firstKey := newPair(t, "first", time.Now().Add(time.Hour))
	second, secondKey := newPair(t, "second", time.Now().Add(2*time.Hour))
	m.write(first, firstKey)
	if !s.Poll() {
		t.Error("not renewed")
	}
	expect("the first", "first", "", true, 1)
	m.write(second, firstKey)
	if s.Poll() {
		t.Error("renewed by a pair that does not belong together")
	}
	expect("a wrong key", "first", "does not match", false, 2)
	s.Poll()
	expect("still", "first", "does not match", false, 2)
	m.write([]byte("no PEM"), secondKey)
	s.Poll()
	expect("garbage", "first", "failed to find any PEM data", false, 3)
	m.write(second, secondKey)
	s.Poll()
	expect("the second", "second", "", true, 3)
	data := filepath.Join(m.dir, "..data")
	must(t, os.Rename(data, data+"-gone"))
	s.Poll()
	expect("gone", "second", "no such file", false, 4)
	must(t, os.Rename(data+"-gone", data))
	s.Poll()
	expect("back again", "second", "", false, 4)
	if want := time.Now().Add(2 * time.Hour); s.Expires().Sub(want).Abs() > time.Minute {
		t.Errorf("expires %v", s.Expires())
	}
	if strings.Contains(log.String(), "PRIVATE") {
		t.Error("the log holds a key")
	}
}

func TestExpiredIsShown(t *testing.T) {
	m := newMount(t)
	m.write(newPair(t, "old", time.Now().Add(-time.Minute)))
	s := certificate.Open(certificate.Source{Dir: m.dir, Log: slog.New(slog.DiscardHandler), Failed: func() { t.Error("refused") }})
	if s.Leaf() == nil {
		t.Error("an expired certificate is for clients to judge: a wrong clock here must not close the gate")
	}
}

// handshake tells what server and client agree on.
func handshake(s *certificate.Store, client *tls.Config) (tls.ConnectionState, error) {
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	go func() {
		server := tls.Server(there, s.ServerConfig())
		_ = server.Handshake()
		_, _ = io.Copy(io.Discard, there)
	}()
	conn := tls.Client(here, client)
	_ = here.SetDeadline(time.Now().Add(time.Minute))
	err := conn.Handshake()
	return conn.ConnectionState(), err
}

func TestWhichTLS(t *testing.T) {
	m := newMount(t)
	m.write(newPair(t, "x", time.Now().Add(time.Hour)))
	s := certificate.Open(certificate.Source{Dir: m.dir, Log: slog.New(slog.DiscardHandler), Failed: func() {}})
	for name, c := range map[string]struct {
		client *tls.Config
		want   uint16
	}{
		"any":            {&tls.Config{}, tls.VersionTLS13},
		"TLS 1.2":        {&tls.Config{MaxVersion: tls.VersionTLS12}, tls.VersionTLS12},
		"TLS 1.1":        {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, 0},
		"TLS 1.2 in CBC": {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}, 0},
	} {
		c.client.InsecureSkipVerify = true
		state, err := handshake(s, c.client)
		if (err == nil) != (c.want != 0) || err == nil && state.Version != c.want {
			t.Errorf("%s: version %x, %v", name, state.Version, err)
		}
	}
}

func TestSelfConfigKnowsItsOwn(t *testing.T) {
	own, other := newMount(t), newMount(t)
	own.write(newPair(t, "same", time.Now().Add(time.Hour)))
	other.write(newPair(t, "same", time.Now().Add(time.Hour)))
	open := func(m *mount) *certificate.Store {
		return certificate.Open(certificate.Source{Dir: m.dir, Log: slog.New(slog.DiscardHandler), Failed: func() {}})
	}
	s := open(own)
	if _, err := handshake(s, s.SelfConfig()); err != nil {
		t.Error(err)
	}
	if _, err := handshake(open(other), s.SelfConfig()); err == nil || !strings.Contains(err.Error(), "not the one in force") {
		t.Errorf("another's certificate: %v", err)
	}
	if _, err := handshake(open(newMount(t)), s.SelfConfig()); err == nil {
		t.Error("no certificate, and yet a connection")
	}
}
