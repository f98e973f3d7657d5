package pair_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// TestWhatARoundCosts counts the connections of rounds on a real gate, and holds them against what the operator's budget pays
// for a round, and against docs/probe.md. What is drawn in a round makes no difference, so one of each is enough.
func TestWhatARoundCosts(t *testing.T) {
	page, err := os.ReadFile("../../docs/probe.md")
	if err != nil {
		t.Fatal(err)
	}
	for server, options := range map[string]mcpfake.Options{
		"with sessions": {}, "of 2026-07-28": {Dialect: mcpfake.Discover}, "without sessions": {Dialect: mcpfake.Stateless},
	} {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			fullEstate, _ := newEstate(t, keys.EdDSA, options)
			most := fullEstate.target
			usual := most
			usual.Providers = []probe.Provider{{Name: "first", Tokens: most.Providers[0].Tokens, OtherCaller: most.Providers[0].OtherCaller}}
			usual.Policy.RequiredScopes, usual.Policy.RuleCases, usual.Policy.Forbidden = nil, nil, nil
			usual.Policy.Metadata, usual.Policy.ExtraPaths, usual.Policy.HealthPaths = nil, nil, nil
			counted := []any{server}
			for _, target := range []probe.Target{
				of(usual, probe.Quick, 1), of(usual, probe.Full, 1), of(most, probe.Full, 1), of(most, probe.Full, 2), of(most, probe.Full, 3),
			} {
				count := connections(t, fullEstate, target)
				counted = append(counted, count)
				paid := target.Tier.Connections(len(target.Providers))
				if count > paid || server == "with sessions" && count < paid*8/10 && len(target.Policy.RuleCases) > 0 {
					t.Errorf("%s of %d issuers: %d connections, and %d are paid for", target.Tier, len(target.Providers), count, paid)
				}
			}
			for heavy := range uint64(5) { // One of the heavy rows makes more, which is paid for afterwards.
				target := of(most, probe.Full, 1)
				target.Turn.Heavy = heavy
				if count, paid := connections(t, fullEstate, target), target.Tier.Connections(1); count > paid+crowd || count < counted[3].(int) || count > counted[3].(int)+crowd {
					t.Errorf("heavy row %d: %d connections, and %d are paid for", heavy, count, paid)
				}
			}
			if row := fmt.Sprintf("| %s | %d | %d | %d | %d | %d |", counted...); !strings.Contains(string(page), row) {
				t.Errorf("docs/probe.md lacks the row\n%s", row)
			}
		})
	}
}

// crowd is how many connections more the heaviest row makes than the others.
const crowd = 15

func of(target probe.Target, tier probe.Tier, issuers int) probe.Target {
	target.Tier, target.Providers, target.Turn = tier, target.Providers[:issuers], probe.Turn{Round: 1}
	return target
}

// connections counts those of a round that has tokens of an earlier one to replay, as all have but a pod's first.
func connections(t *testing.T, e *estate, target probe.Target) int {
	t.Helper()
	var dialled atomic.Int64
	prober := runner.New(runner.Options{Now: e.now, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled.Add(1)
		return new(net.Dialer).DialContext(ctx, network, address)
	}})
	for range 2 {
		dialled.Store(0)
		report, err := prober.Run(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		if verdict := verdicts.Of(report); verdict.Kind != probe.Locked {
			t.Fatalf("seed %d: %+v", report.Seed, verdict)
		}
		target.Replay, target.Sessions, target.KeepSessions = report.Replay, report.Sessions, true
		e.advance(2 * time.Minute)
	}
	return int(dialled.Load())
}
