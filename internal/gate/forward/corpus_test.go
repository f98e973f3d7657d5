package forward_test

import (
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/revocation"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/forward"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// TestCorpus plays every scene in both ways to the server and compares with the golden files what client and server saw,
// byte for byte.
func TestCorpus(t *testing.T) {
	for name, scenes := range map[string][]scene{
		"framing": framing, "heads": heads, "breaks": breaks, "streams": streams, "early": early, "requests": requests,
	} {
		for way, forwarder := range ways {
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				records := []string{}
				for _, sc := range scenes {
					records = append(records, perform(t, sc, forwarder()))
				}
				compareGolden(t, name, records)
			})
		}
	}
}

// ways are those to the server.
var ways = map[string]func() *forward.Forwarder{
	"short or long": func() *forward.Forwarder { return forward.New("127.0.0.1", patience).Reusing(patience) },
	"long":          func() *forward.Forwarder { return forward.New("127.0.0.1", patience).OnlyLong() },
}

func perform(t *testing.T, sc scene, forwarder *forward.Forwarder) string {
	t.Helper()
	if sc.client == nil {
		sc.client = []string{post(ping)}
	}
	if sc.server == nil {
		sc.server = answers
	}
	s := newStage(t, forwarder, sc.server)
	seen, end := s.play(sc)
	record := s.record(sc, seen, end)
	s.isClean()
	return record
}

// somebody is a principal as only the verifier makes them.
func somebody(t *testing.T) verify.Principal {
	t.Helper()
	key, err := keys.Generate(keys.EdDSA)
	must(t, err)
	template := token.Template{Key: key, Issuer: "urn:test", Audience: "urn:test", Subject: "someone", Lifetime: time.Hour}
	raw, err := template.Good(time.Now())
	must(t, err)
	config := gateapi.Config{
		Providers: []gateapi.Provider{{
			Name: "test", Issuer: "urn:test", Audiences: []string{"urn:test"}, Algorithms: []keys.Algorithm{keys.EdDSA},
		}},
		Limits: gateapi.Limits{TokenBytes: 8 << 10},
	}
	principal, denial := verify.New(config, "", map[string][]keys.Public{"test": {key.Public()}}, revocation.List{}, time.Now).Verify(raw)
	if denial != nil {
		t.Fatal(denial.Message)
	}
	return principal
}
