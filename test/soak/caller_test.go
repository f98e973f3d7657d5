//go:build soak

package soak

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

// caller is a client with connections of its own.
type caller struct {
	http   http.Client
	url    string
	header http.Header
}

// newCaller makes one; port is the gate's. Certificates are not judged: the tests compare them.
func newCaller(scheme string, port int32, keepAlive bool) *caller {
	return &caller{
		http: http.Client{Transport: &http.Transport{
			DisableKeepAlives: !keepAlive, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		}},
		url: scheme + "://" + pod.Loopback(port) + "/mcp", header: http.Header{},
	}
}

// preferHTTP2 speaks HTTP/2 where the gate does, which is over TLS.
func (c *caller) preferHTTP2() {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	c.http.Transport = &http.Transport{Protocols: protocols, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
}

func (c *caller) close() { c.http.CloseIdleConnections() }

// reply is an answer in short: a status, with the reason where the gate gave one.
type reply struct {
	verdict string
	body    string
	header  http.Header
	shown   *tls.ConnectionState
}

const (
	accepted   = "200"
	overloaded = "503 overloaded"        // the gate has no room for more requests of verified callers
	tooMany    = "429 too_many_requests" // or none for more of this one
)

func (c *caller) request(ctx context.Context, method, bearer string, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.url, body)
	if err != nil {
		return nil, err
	}
	r.Header = c.header.Clone()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+bearer)
	return c.http.Do(r)
}

func (c *caller) post(ctx context.Context, bearer, body string) (reply, error) {
	response, err := c.request(ctx, http.MethodPost, bearer, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	return reply{verdictOf(response.StatusCode, raw), string(raw), response.Header, response.TLS}, err
}

// verdictOf is like "200" or "401 revoked".
func verdictOf(status int, body []byte) string {
	var denial struct {
		Error struct{ Data struct{ Reason string } }
	}
	if status >= http.StatusBadRequest && json.Unmarshal(body, &denial) == nil && denial.Error.Data.Reason != "" {
		return fmt.Sprintf("%d %s", status, denial.Error.Data.Reason)
	}
	return fmt.Sprint(status)
}

var asked atomic.Int64

// call is a body that no other has, so that an answer to another request is seen.
func call(tool string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q}}`, asked.Add(1), tool)
}
