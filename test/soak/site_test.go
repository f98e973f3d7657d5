//go:build soak

package soak

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

const (
	providerName = "managed"
	issuerName   = "urn:gatehouse:soak" // and audience
)

// serve runs the server behind the gates.
func serve(t *testing.T, handler http.HandlerFunc) (port int32) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: pod.Patience}
	go server.Serve(listener) //nolint:errcheck // Ends with the test.
	t.Cleanup(func() { server.Close() })
	return int32(listener.Addr().(*net.TCPAddr).Port)
}

// echo answers a POST with what it said, and a GET with a stream that counts, under its caller's name.
func echo(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, r.Body)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		fmt.Fprintf(w, "data: %s %d\n\n", r.Header.Get(subjectHeader), n)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

// subjectHeader tells the server who is asking.
const subjectHeader = "X-Subject"

// newGate prepares a gate in front of a server, with one provider whose keys are still to be written.
func newGate(t *testing.T, log string, upstream int32) *pod.Gate {
	t.Helper()
	ports := pod.FreePorts(t, 2)
	return pod.NewGate(t, *program, logFile(t, log), gateapi.Config{
		Server: gateapi.ServerID{Namespace: "test", Name: "soak", UID: "1"},
		Port:   ports[0], AdminPort: ports[1],
		Upstream: gateapi.Upstream{
			Port: upstream, Path: "/mcp", ClaimHeaders: []gateapi.ClaimHeader{{Header: subjectHeader, Claim: "sub"}},
		},
		Providers: []gateapi.Provider{{
			Name: providerName, Issuer: issuerName, Audiences: []string{issuerName}, Algorithms: []keys.Algorithm{keys.EdDSA}, ClockSkewSeconds: 30,
		}},
		Limits: gateapi.Limits{BodyBytes: 4 << 20, TokenBytes: 8 << 10, FailuresPerSecond: 10, FailureBurst: 20, Streams: 100},
		Drain:  gateapi.Drain{RequestSeconds: 5},
	})
}

// newIssuer makes a key, and tokens of it.
func newIssuer(t *testing.T) token.Template {
	t.Helper()
	key, err := keys.Generate(keys.EdDSA)
	must(t, err)
	return token.Template{Key: key, Issuer: issuerName, Audience: issuerName, Subject: "somebody", Lifetime: time.Hour}
}

func mint(t *testing.T, template token.Template, subject string) string {
	t.Helper()
	template.Subject = subject
	raw, err := template.Good(time.Now())
	must(t, err)
	return raw
}

// stateOf asks a gate what is in force.
func stateOf(t *testing.T, gate *pod.Gate, secret []byte) (admin.State, error) {
	t.Helper()
	key, err := admin.NewKey(secret)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), pod.Patience)
	defer cancel()
	client := admin.Client{Key: key}
	return client.State(ctx, gate.Admin(), pod.UID)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
