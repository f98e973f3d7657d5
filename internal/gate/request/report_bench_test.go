package request

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

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/drain"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/body"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/ratelimit"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/writedeadline"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/secret"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/audit"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/metrics"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/probeid"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/stats"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// BenchmarkReport is what a request costs between its answer and its end: it is recognised, counted, audited and
// logged. It is the same for every request that is let in, so a warm one pays for all of it.
func BenchmarkReport(b *testing.B) {
	h, bearer := benchHandler(b)
	const hexID = "00112233445566778899aabbccddeeff"
	for _, c := range []struct {
		name, id, body, bearer string
		denial                 *deny.Denial
	}{
		{"forwarded", "client-1", `{"jsonrpc":"2.0","id":7,"method":"ping"}`, bearer, nil},
		{"forwarded, id like a probe's", hexID, `{"jsonrpc":"2.0","id":7,"method":"ping"}`, bearer, nil},
		{"forwarded, tool", "client-1", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"forecast"}}`, bearer, nil},
		{"forwarded, URI", "client-1", `{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":"file:///public/a/b/c.txt"}}`, bearer, nil},
		{"no token", "client-1", `{"jsonrpc":"2.0","id":7,"method":"ping"}`, "", deny.Token(gateapi.ReasonMissingToken)},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(c.body))
			r.RemoteAddr = "10.0.0.7:4711"
			w := httptest.NewRecorder()
			current := h.Store.Current()
			x := &exchange{
				handler: h, snapshot: current, request: r, began: time.Now(), source: current.Sources.Of(r),
				deadline: writedeadline.New(w, r, time.Minute),
				response: &recorder{ResponseWriter: w, leaving: h.Drain.Ending, request: r, status: 200, bytes: 17},
				body:     body.Of(w, r, 4<<20), result: result{denial: c.denial, requestID: c.id, serverID: "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
			}
			_, _ = io.Copy(io.Discard, x.body)
			if c.bearer != "" {
				if denial := x.verifyToken(c.bearer); denial != nil {
					b.Fatal(denial)
				}
				x.result.admitted = time.Now()
			}
			b.ReportAllocs()
			for b.Loop() {
				x.result.told = false
				x.report()
			}
		})
	}
}

func benchHandler(b *testing.B) (h *Handler, bearer string) {
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
	config, err := json.Marshal(gateapi.Config{
		Server: gateapi.ServerID{Namespace: "tools", Name: "weather", UID: "1"}, Port: 8080, AdminPort: 9090,
		Upstream: gateapi.Upstream{Port: 8000, Path: "/mcp"},
		Providers: []gateapi.Provider{{
			Name: "managed", Issuer: "urn:x", Audiences: []string{"urn:x"}, Algorithms: []keys.Algorithm{keys.ES256}, ClockSkewSeconds: 30,
		}},
		Limits: gateapi.Limits{BodyBytes: 4 << 20, TokenBytes: 8 << 10},
	})
	check(err)
	write(gateapi.ConfigFile, config)
	set, err := keys.MarshalPublic([]keys.Public{key.Public()})
	check(err)
	write(gateapi.KeysFile("managed"), set)
	write(gateapi.SecretFile, []byte("0123456789abcdef0123456789abcdef"))
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	store, err := snapshot.Open(snapshot.Source{
		ConfigDir: root, KeysDir: root, PodUID: "6d9f5c0e-0000-4000-8000-000000000001", Now: time.Now, Log: log,
	})
	check(err)
	probes, err := probeid.NewRecognizer("6d9f5c0e-0000-4000-8000-000000000001")
	check(err)
	written := audit.New(io.Discard, "tools/weather")
	go written.Run(b.Context())
	h = &Handler{
		Store: store, Secrets: secret.Open(root, log), Drain: drain.New(func(bool) {}), RateLimit: ratelimit.New(time.Now), Stats: stats.New(),
		Metrics: metrics.New(func() map[string]int { return nil }), Audit: written, Sampler: audit.NewSampler(written.WriteSummary),
		Probes: probes, Now: time.Now, Log: log,
	}
	bearer, err = (token.Template{Key: key, Issuer: "urn:x", Audience: "urn:x", Subject: "someone", Lifetime: time.Hour}).Good(time.Now())
	check(err)
	return h, bearer
}
