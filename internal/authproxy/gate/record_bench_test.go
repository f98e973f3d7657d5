package gate

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/body"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// BenchmarkConclude is what a request costs between its answer and its end: it is recognised, counted, audited and
// logged. It is the same for every request that is let in, so a warm one pays for all of it.
func BenchmarkConclude(b *testing.B) {
	g, bearer := benchGate(b)
	const hexID = "00112233445566778899aabbccddeeff"
	for _, c := range []struct {
		name, id, body, bearer string
		denial                 *deny.Denial
	}{
		{"forwarded", "client-1", `{"jsonrpc":"2.0","id":7,"method":"ping"}`, bearer, nil},
		{"forwarded, id like a probe's", hexID, `{"jsonrpc":"2.0","id":7,"method":"ping"}`, bearer, nil},
		{"forwarded, tool", "client-1", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"forecast"}}`, bearer, nil},
		{"forwarded, URI", "client-1", `{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":"file:///public/a/b/c.txt"}}`, bearer, nil},
		{"no token", "client-1", `{"jsonrpc":"2.0","id":7,"method":"ping"}`, "", deny.Token(deny.MissingToken)},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(c.body))
			r.RemoteAddr = "10.0.0.7:4711"
			w := httptest.NewRecorder()
			current := g.store.Current()
			v := &visit{
				gate: g, snapshot: current, request: r, began: time.Now(), source: current.Sources.Of(r), steady: newSteady(w, r, writePatience),
				answer: &recorder{ResponseWriter: w, leaving: g.drain.Ending, request: r, status: 200, bytes: 17},
				body:   body.Of(w, r, 4<<20), denial: c.denial, requestID: c.id, serverID: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
			}
			_, _ = io.Copy(io.Discard, v.body)
			if c.bearer != "" {
				if denial := v.verify(c.bearer); denial != nil {
					b.Fatal(denial)
				}
				v.admitted = time.Now()
			}
			b.ReportAllocs()
			for b.Loop() {
				v.told = false
				v.conclude()
			}
		})
	}
}

func benchGate(b *testing.B) (g *Gate, bearer string) {
	b.Helper()
	check := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	key, err := keys.Generate(keys.ES256)
	check(err)
	root := b.TempDir()
	write := func(name string, data []byte) {
		b.Helper()
		check(os.WriteFile(filepath.Join(root, name), data, 0o600))
	}
	config, err := json.Marshal(authproxy.Config{
		Server: authproxy.ServerID{Namespace: "tools", Name: "weather", UID: "1"}, Port: 8080, AdminPort: 9090,
		Upstream: authproxy.Upstream{Port: 8000, Path: "/mcp"},
		Providers: []authproxy.Provider{{
			Name: "managed", Issuer: "urn:x", Audiences: []string{"urn:x"}, Algorithms: []keys.Algorithm{keys.ES256}, ClockSkewSeconds: 30,
		}},
		Limits: authproxy.Limits{BodyBytes: 4 << 20, TokenBytes: 8 << 10},
	})
	check(err)
	write(authproxy.ConfigFile, config)
	set, err := keys.MarshalPublic([]keys.Public{key.Public()})
	check(err)
	write(authproxy.KeysFile("managed"), set)
	write(authproxy.SecretFile, []byte("0123456789abcdef0123456789abcdef"))
	g, err = New(Options{
		ConfigDir: root, KeysDir: root, SecretDir: root, PodUID: "6d9f5c0e-0000-4000-8000-000000000001", Audit: io.Discard,
		Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
	})
	check(err)
	go g.audit.Run(b.Context())
	bearer, err = (token.Template{Key: key, Issuer: "urn:x", Audience: "urn:x", Subject: "someone", Lifetime: time.Hour}).Good(time.Now())
	check(err)
	return g, bearer
}
