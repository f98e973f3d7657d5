package gate_test

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// prepareTLS gives a site that serves over TLS, and the folder for its certificate, which is still empty.
func prepareTLS(t *testing.T, handler http.HandlerFunc) (s *site, dir string) {
	t.Helper()
	s = prepareSite(t, serveHTTP(t, handler))
	s.config.TLS = true
	s.writeConfig()
	return s, t.TempDir()
}

func inDir(dir string) siteOption { return func(_ *site, o *gate.Options) { o.TLSDir = dir } }

// writePair writes a new certificate for localhost and gives the pool that trusts it.
func (s *site) writePair(dir, name string) *x509.CertPool {
	s.t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(s.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	must(s.t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	must(s.t, err)
	s.write(dir, gateapi.TLSCertFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	s.write(dir, gateapi.TLSKeyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
	certificate, err := x509.ParseCertificate(der)
	must(s.t, err)
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	return pool
}

// tlsClient speaks HTTP/2, or HTTP/1.1.
func tlsClient(t *testing.T, roots *x509.CertPool, two bool) *http.Client {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!two)
	protocols.SetHTTP2(two)
	transport := &http.Transport{
		Protocols: protocols, DisableCompression: true, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "localhost"},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// secure makes a request to the gate over TLS.
func (s *site) secure(method, bearer string, body io.Reader) *http.Request {
	s.t.Helper()
	r := s.request(method, "/mcp", bearer, body)
	r.URL.Scheme = "https"
	return r
}

func TestTLS(t *testing.T) {
	s, dir := prepareTLS(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Proto", r.Header.Get("X-Forwarded-Proto"))
		echo(w, r)
	})
	roots := s.writePair(dir, "first")
	s.start(inDir(dir)) // The self-test passes, over TLS.
	for _, major := range []int{1, 2} {
		client := tlsClient(t, roots, major == 2)
		for name, c := range map[string]struct {
			bearer string
			want   int
		}{"good": {s.token(), 200}, "none": {"", 401}, "malformed": {"x", 401}} {
			response, err := client.Do(s.secure(http.MethodPost, c.bearer, strings.NewReader(ping)))
			must(t, err)
			body, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || response.StatusCode != c.want || response.ProtoMajor != major {
				t.Errorf("HTTP/%d, %s: %d %s, HTTP/%d, %v", major, name, response.StatusCode, body, response.ProtoMajor, err)
			}
			if c.want == 200 && (string(body) != ping || response.Header.Get("X-Proto") != "https") {
				t.Errorf("HTTP/%d: %v %s", major, response.Header, body)
			}
		}
	}
	if got := s.adminGet("/metrics").body; !strings.Contains(got, "gatehouse_gate_tls_certificate_expiry_seconds ") {
		t.Error("no metric tells when the certificate expires")
	}
	if state, err := s.state(podUID); err != nil || time.Until(state.CertificateExpires) < time.Minute ||
		state.CertificateNotBefore.IsZero() || !state.CertificateNotBefore.Before(time.Now()) || len(state.CertificateSHA256) != 64 {
		t.Errorf("state: %+v, %v", state, err)
	}
}

// HTTP/2 without TLS could be smuggled past a proxy that takes it for a body.
func TestNoHTTP2InPlainText(t *testing.T) {
	s := newSite(t, serveHTTP(t, echo))
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.clients)
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	must(t, err)
	if reply, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(reply), "HTTP/1.1 400") {
		t.Errorf("got %q, %v", reply, err)
	}
}

func TestCertificateIsRenewedUnderConnections(t *testing.T) {
	s, dir := prepareTLS(t, echo)
	first := s.writePair(dir, "first")
	s.start(inDir(dir))
	shown := func() string {
		conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", s.clients)
		must(t, err)
		defer conn.Close()
		return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	conn, err := (&tls.Dialer{Config: &tls.Config{RootCAs: first, ServerName: "localhost"}}).DialContext(t.Context(), "tcp", s.clients)
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	reader := bufio.NewReader(conn)
	ask := func(when string) {
		t.Helper()
		_, err := fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 2\r\n\r\n{}", s.token())
		must(t, err)
		response, err := http.ReadResponse(reader, nil)
		must(t, err)
		defer response.Body.Close()
		if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != 200 {
			t.Errorf("%s: the open connection got %d, %v", when, response.StatusCode, err)
		}
	}
	ask("before")
	s.writePair(dir, "second")
	s.eventually("the new certificate is shown", func() bool { return shown() == "second" })
	ask("after")

	failures := s.counted("reload_failures_total", `file="certificate"`) // The second pair may have been read half written.
	s.write(dir, gateapi.TLSKeyFile, []byte("no key"))
	s.eventually("the state tells of it", func() bool {
		state, err := s.state(podUID)
		return err == nil && strings.Contains(state.LastReloadError, dir)
	})
	if got := shown(); got != "second" {
		t.Errorf("a broken pair: %q is shown", got)
	}
	if got := s.adminGet("/readyz"); got.status != 200 {
		t.Errorf("a broken pair: not ready: %s", got.body)
	}
	if n := s.counted("reload_failures_total", `file="certificate"`); n != failures+1 {
		t.Errorf("%d failed reloads are counted, %d before", n, failures)
	}
	if got := s.adminGet("/metrics").body; !strings.Contains(got, "gatehouse_gate_last_reload_successful 0\n") {
		t.Error("no metric tells of it")
	}
	ask("with a broken pair")
}

func TestWithoutCertificateTheGateWaits(t *testing.T) {
	s, dir := prepareTLS(t, echo)
	s.startUnready(inDir(dir))
	s.eventually("readiness tells why", func() bool {
		got, err := s.try(s.adminRequest("/readyz"))
		return err == nil && got.status == 503 && strings.Contains(got.body, "no TLS certificate is loaded")
	})
	if conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", s.clients); err == nil {
		conn.Close()
		t.Error("somebody could connect")
	}
	if got := s.raw("POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + s.token() + "\r\nContent-Length: 2\r\n\r\n{}"); got.status != 400 {
		t.Errorf("plain HTTP got %d %s", got.status, got.body)
	}
	roots := s.writePair(dir, "late")
	s.eventually("the gate is ready", func() bool { return s.adminGet("/readyz").status == 200 })
	response, err := tlsClient(t, roots, true).Do(s.secure(http.MethodPost, s.token(), strings.NewReader(ping)))
	must(t, err)
	defer response.Body.Close()
	if response.StatusCode != 200 {
		t.Errorf("got %d", response.StatusCode)
	}
	must(t, os.Remove(filepath.Join(dir, gateapi.TLSCertFile)))
	s.eventually("the state tells that it is gone", func() bool {
		state, err := s.state(podUID)
		return err == nil && state.LastReloadError != ""
	})
	if got := s.adminGet("/readyz"); got.status != 200 {
		t.Errorf("the certificate is gone, and the good one with it: %s", got.body)
	}
}
