//go:build soak

package soak

import (
	"context"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

// What the operator does by itself: a quick check and a look at the Service every 30 s, and all cases every 15 min.
const (
	quickPerHour = 120
	fullPerHour  = 4
)

// prober puts the rounds of the operator to a gate, and counts its connections.
type prober struct {
	*runner.Prober
	admin   *admin.Client
	gate    *pod.Gate
	target  probe.Target
	dialled atomic.Int64
}

// round asks the cases of a tier, and before and after them the gate who it is.
func (p *prober) round(tier probe.Tier) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		p.identify(t)
		target := p.target
		target.Tier = tier
		report, err := p.Run(t.Context(), target)
		must(t, err)
		if verdict := verdicts.Of(report); verdict.Kind != probe.Locked {
			t.Fatalf("%+v", verdict)
		}
		p.identify(t)
	}
}

func (p *prober) identify(t *testing.T) {
	t.Helper()
	_, err := p.admin.State(t.Context(), p.gate.Admin(), pod.UID)
	must(t, err)
}

// look asks one case, as at the Service's address.
func (p *prober) look(t *testing.T) {
	t.Helper()
	result, err := p.Ask(t.Context(), p.target, probe.NoToken)
	must(t, err)
	if result.Outcome != probe.Passed {
		t.Fatalf("%+v", result)
	}
}

// TestCostOfProbing measures what the rounds of each tier cost: connections, and the processors' time of the prober, of
// the gate and of the server behind it.
func TestCostOfProbing(t *testing.T) {
	port := pod.FreePorts(t, 1)[0]
	server := pod.Start(t, logFile(t, "server"), nil, *serverProgram, "--addr="+pod.Loopback(port))
	gate := newGate(t, "gate", port)
	gate.Config.SessionBinding = gateapi.SessionBindingCaller
	gate.Config.Limits.FailuresPerSecond, gate.Config.Limits.FailureBurst = 10_000, 10_000 // rounds here have no pause between them
	gate.WriteConfig(t)
	secret := pod.NewSecret()
	gate.WriteSecret(t, secret)
	template := newIssuer(t)
	gate.WriteKeys(t, providerName, template.Key.Public())
	gate.Start(t)

	p := &prober{gate: gate}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		p.dialled.Add(1)
		return (&net.Dialer{KeepAlive: -1}).DialContext(ctx, network, address)
	}
	p.Prober = runner.New(runner.Options{Dial: dial})
	key, err := admin.NewKey(secret)
	must(t, err)
	p.admin = &admin.Client{HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dial}}, Key: key}
	p.target = probe.Target{
		URL: "http://" + pod.Loopback(gate.Config.Port) + "/mcp", Exact: true, Timeout: pod.Patience, ClockTolerance: 30 * time.Second,
		Providers: []probe.Provider{{Tokens: template, OtherCaller: map[string]any{"sub": "somebody else"}}},
		Policy: probe.Policy{
			SessionBinding: true, Hosts: true, Origins: true, BodyBytes: gate.Config.Limits.BodyBytes,
			TokenBytes: int(gate.Config.Limits.TokenBytes), Slash: probe.SlashDistinct,
		},
	}
	costs := &table{
		title: "What probing costs, for each pod (server: mcpfake, with sessions; a key of EdDSA)",
		rows: [][]any{{"tier", "rounds", "connections", "prober CPU", "gate CPU", "server CPU", "rounds an hour",
			"connections an hour", "prober CPU an hour", "gate CPU an hour"}},
	}
	for _, tier := range []struct {
		name  string
		round func(*testing.T)
		hour  int
	}{{"Beat", p.round(probe.Quick), quickPerHour}, {"Full", p.round(probe.Full), fullPerHour}, {"Service", p.look, quickPerHour}} {
		const rounds = 200
		p.dialled.Store(0)
		before := [...]time.Duration{pod.CPUOf(t, os.Getpid()), pod.CPUOf(t, gate.PID), pod.CPUOf(t, server.PID)}
		for range rounds {
			tier.round(t)
		}
		spent := [...]time.Duration{pod.CPUOf(t, os.Getpid()), pod.CPUOf(t, gate.PID), pod.CPUOf(t, server.PID)}
		row := []any{tier.name, rounds, float64(p.dialled.Load()) / rounds}
		for i := range spent {
			spent[i] = (spent[i] - before[i]) / rounds
			row = append(row, spent[i])
		}
		hour := time.Duration(tier.hour)
		costs.rows = append(costs.rows, append(row, tier.hour, p.dialled.Load()/rounds*int64(tier.hour), spent[0]*hour, spent[1]*hour))
	}
	costs.write(t)
}
