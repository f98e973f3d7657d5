package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

const (
	// maxDocumentBytes bounds what an issuer may send; sets of hundreds of keys have less.
	maxDocumentBytes = 1 << 20
	// exchangeTimeout bounds one question and its whole answer.
	exchangeTimeout = 5 * time.Second
	// dialTimeout is shorter, so that a dropped packet is told apart from a slow issuer.
	dialTimeout = 3 * time.Second
)

// client asks one provider's URLs during one fetch: what it trusts is read anew each time.
type client struct {
	http      *http.Client
	allowHTTP bool
	rootless  error // why https cannot be asked, or nil
}

func newClient(o Options, remote gateapi.RemoteKeys) *client {
	roots, rootless := rootsOf(o, remote)
	dialer := &net.Dialer{Timeout: dialTimeout, Resolver: o.Resolver, ControlContext: control(o.Judge)}
	return &client{allowHTTP: remote.AllowHTTP, rootless: rootless, http: &http.Client{
		Timeout:       exchangeTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			// No proxy: it would choose the address in our place.
			Proxy:                  nil,
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DisableCompression:     true,
			MaxResponseHeaderBytes: 32 << 10,
		},
	}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// rootsOf are the certificates that the issuer is checked with.
func rootsOf(o Options, remote gateapi.RemoteKeys) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if remote.CAFile != "" {
		file := filepath.Join(o.KeysDir, remote.CAFile)
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read the issuer's CA certificates: %w", err)
		}
		if !pool.AppendCertsFromPEM(raw) {
			return nil, fmt.Errorf("%s holds no certificate in PEM", file)
		}
		return pool, nil
	}
	system, err := o.SystemRoots()
	if err != nil {
		return nil, fmt.Errorf("read the image's root certificates: %w", err)
	}
	// An image without any gives an empty pool and no error; then every issuer would be "signed by unknown authority".
	if system.Equal(pool) {
		return nil, errors.New("the image has no root certificates: give the provider's own in caFile, or use an image that has some")
	}
	return system, nil
}

// validators let the issuer say "unchanged" (RFC 9110 section 8.8), for the URL that they came from.
type validators struct{ url, etag, lastModified string }

// answer is a good one.
type answer struct {
	unchanged  bool
	body       []byte // none if unchanged
	validators validators
	fresh      time.Duration // see freshness
}

// get asks once and takes only what is whole and as it was asked for.
func (c *client) get(ctx context.Context, target *url.URL, have validators) (answer, error) {
	if target.Scheme == "https" && c.rootless != nil {
		return answer{}, failed(Untrusted, "%s: %w", shown(target), c.rootless)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return answer{}, failed(Forbidden, "%s: not a URL that can be asked", shown(target))
	}
	conditional := have.url == target.String() && (have.etag != "" || have.lastModified != "")
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	// Compressed, a small answer can grow without end.
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", "gatehouse")
	if conditional {
		setIfAny(request.Header, "If-None-Match", have.etag)
		setIfAny(request.Header, "If-Modified-Since", have.lastModified)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, unanswered(target, err)
	}
	defer response.Body.Close()
	out := answer{validators: have, fresh: freshness(response.Header)}
	if conditional && response.StatusCode == http.StatusNotModified {
		out.unchanged = true
		return out, nil
	}
	if response.StatusCode != http.StatusOK {
		return answer{}, badStatus(target, response.StatusCode)
	}
	out.validators = validatorsOf(target, response.Header)
	out.body, err = body(target, response)
	return out, err
}

func setIfAny(header http.Header, name, value string) {
	if value != "" {
		header.Set(name, value)
	}
}

func badStatus(target *url.URL, status int) *failure {
	remark := ""
	if status >= 300 && status < 400 && status != http.StatusNotModified {
		remark = ": redirects are not followed, configure the URL that it leads to"
	}
	return failed(BadStatus, "%s: status %d%s", shown(target), status, remark)
}

func body(target *url.URL, response *http.Response) ([]byte, error) {
	if coding := response.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return nil, failed(BadDocument, "%s: the answer has a content encoding, which was not asked for", shown(target))
	}
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxDocumentBytes+1))
	if err != nil {
		return nil, unanswered(target, err)
	}
	if len(raw) > maxDocumentBytes {
		return nil, failed(BadDocument, "%s: the answer is longer than %d bytes", shown(target), maxDocumentBytes)
	}
	return raw, nil
}

// validatorsOf keeps what can be sent back as it is, and is not there to be carried around.
func validatorsOf(target *url.URL, header http.Header) validators {
	out := validators{url: target.String()}
	const longest = 256
	if etag := header.Get("ETag"); len(etag) <= longest && isVisible(etag) {
		out.etag = etag
	}
	if date := header.Get("Last-Modified"); isDate(date) {
		out.lastModified = date
	}
	return out
}

func isVisible(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

func isDate(text string) bool {
	_, err := http.ParseTime(text)
	return err == nil
}
