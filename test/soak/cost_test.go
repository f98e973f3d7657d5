//go:build soak

package soak

import (
	"context"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

// What the operator does by itself: a beat every 30 s, and all cases every 15 min.
const (
	beatsPerHour = 120
	fullPerHour  = 4
)

// TestCostOfProbing measures what the rounds of each tier cost: connections, and the processors' time of the prober, of
// the gate and of the server behind it.
func TestCostOfProbing(t *testing.T) {
	port := pod.FreePorts(t, 1)[0]
	server := pod.Start(t, logFile(t, "server"), nil, *serverProgram, "--addr="+pod.Loopback(port))
	gate := newGate(t, "gate", port)
	gate.Config.SessionBinding = authproxy.SessionBindingCaller
	gate.WriteConfig(t)
	template := newIssuer(t)
	gate.WriteKeys(t, provider, template.Key.Public())
	gate.Start(t)

	costs := &table{
		title: "What probing costs, for each pod (server: mcpfake, with sessions; a key of EdDSA)",
		rows:  [][]any{{"tier", "rounds", "connections", "prober CPU", "gate CPU", "server CPU", "rounds an hour", "connections an hour", "CPU an hour"}},
	}
	for _, tier := range []struct {
		tier probe.Tier
		hour int
	}{{probe.Beat, beatsPerHour}, {probe.Full, fullPerHour}} {
		const rounds = 50
		var dialled atomic.Int64
		prober := probe.New(probe.Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled.Add(1)
			return (&net.Dialer{KeepAlive: -1}).DialContext(ctx, network, address)
		}})
		before := [...]time.Duration{pod.CPUOf(t, os.Getpid()), pod.CPUOf(t, gate.PID), pod.CPUOf(t, server.PID)}
		for range rounds {
			report, err := prober.Run(t.Context(), probe.Target{
				URL: "http://" + pod.Loopback(gate.Config.Port) + "/mcp", Providers: []probe.Provider{{Tokens: template}},
				Tier: tier.tier, Exact: true, Timeout: pod.Patience, ClockTolerance: 30 * time.Second,
			})
			must(t, err)
			if verdict := report.Verdict(); verdict.Kind != probe.Locked {
				t.Fatalf("%+v", verdict)
			}
		}
		spent := [...]time.Duration{pod.CPUOf(t, os.Getpid()), pod.CPUOf(t, gate.PID), pod.CPUOf(t, server.PID)}
		row, all := []any{tier.tier, rounds, float64(dialled.Load()) / rounds}, time.Duration(0)
		for i := range spent {
			each := (spent[i] - before[i]) / rounds
			row, all = append(row, each), all+each
		}
		costs.rows = append(costs.rows, append(row, tier.hour, dialled.Load()/rounds*int64(tier.hour), all*time.Duration(tier.hour)))
	}
	costs.write(t)
}
