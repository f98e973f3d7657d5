package pair_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
	"github.com/mcp-gatehouse/gatehouse/test/pair"
)

// impatience is the time limit of a case where something hangs; what is endless ends at a bound.
const impatience = time.Second

// TestEveryFault plays every fault to the prober, over TCP: of a server that stands alone, and behind the gate. Nothing
// that a server does to a request without a token may come through the gate, and nothing but a lock be called one.
func TestEveryFault(t *testing.T) {
	var modes []string
	for _, row := range pair.Rows() {
		name, _, _ := strings.Cut(row.Fault, "=")
		if !slices.Contains(modes, name) {
			modes = append(modes, name)
		}
		t.Run(row.Fault, func(t *testing.T) {
			t.Parallel()
			play(t, row)
		})
	}
	for _, name := range mcpfake.Faults() {
		if !slices.Contains(modes, name) {
			t.Errorf("%s has no row", name)
		}
	}
	t.Cleanup(func() { t.Logf("%d fault modes in %d rows", len(modes), len(pair.Rows())) })
}

func play(t *testing.T, row pair.Row) {
	t.Helper()
	t.Run("alone", func(t *testing.T) {
		t.Parallel()
		check(t, probeServer(t, row.Fault, false), probe.Valid, row.Alone)
	})
	t.Run("alone, taken for the gate", func(t *testing.T) {
		t.Parallel()
		if verdict := verdicts.Of(probeServer(t, row.Fault, true)); verdict.Kind == probe.Locked {
			t.Errorf("%+v", verdict)
		}
	})
	if row.Gated != "" {
		t.Run("behind the gate", func(t *testing.T) {
			t.Parallel()
			check(t, probeGate(t, row.Fault), probe.Valid, row.Gated)
		})
	}
	if row.BadOnly != "" {
		t.Run("alone, without a token", func(t *testing.T) {
			t.Parallel()
			check(t, probeServer(t, row.Fault+"@no-token,"+pair.Checking, false), probe.NoToken, row.BadOnly)
		})
	}
	if _, err := mcpfake.New(mcpfake.Options{Faults: row.Fault + "@no-token"}); err != nil {
		return // it has nothing to do with requests
	}
	t.Run("behind the gate, without a token", func(t *testing.T) {
		t.Parallel()
		check(t, probeGate(t, row.Fault+"@no-token"), probe.Valid, "Passed Locked valid")
	})
}

// check compares the first result of the case, and the verdict on the round, with "OUTCOME KIND CASE [REASON]".
func check(t *testing.T, report probe.Report, asked probe.Case, want string) {
	t.Helper()
	verdict := verdicts.Of(report)
	for _, result := range report.Results {
		if result.Case != asked {
			continue
		}
		got := fmt.Sprintf("%s %s %s", result.Outcome, verdict.Kind, verdict.Case)
		if result.Reason != "" && asked == probe.Valid {
			got += " " + result.Reason
		}
		if got != want {
			t.Errorf("%s, want %s\n%+v\n%+v", got, want, verdict, report.Results)
		}
		return
	}
	t.Errorf("%s was not asked", asked)
}

// probeServer tries a server that stands alone; exact takes it for the gate.
func probeServer(t *testing.T, faults string, exact bool) probe.Report {
	t.Helper()
	key, err := keys.NewShared([]byte(pair.ServerSecret), keys.HS256)
	if err != nil {
		t.Fatal(err)
	}
	report, err := runner.New(runner.Options{}).Run(t.Context(), probe.Target{
		URL: "http://" + listen(t, faults).String() + "/mcp", Exact: exact, Timeout: patienceFor(faults), ClockTolerance: 30 * time.Second,
		Providers: []probe.Provider{{Tokens: token.Template{
			Key: key, Subject: "someone", Lifetime: time.Minute,
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func probeGate(t *testing.T, faults string) probe.Report {
	t.Helper()
	report, _ := newSite(t, listen(t, faults), func(s *site) { s.config.Upstream.ForwardAuthorization = true }).probe(t, patienceFor(faults))
	return report
}

func patienceFor(faults string) time.Duration {
	if pair.IsSilent(faults) {
		return impatience
	}
	return patience
}

// listen serves a fake server on a port of its own, as its program does: a fault of the start keeps the port shut, and
// an exit shuts it.
func listen(t *testing.T, faults string) net.Addr {
	t.Helper()
	var server *mcpfake.Server
	server, err := mcpfake.New(mcpfake.Options{Faults: faults, Exit: func(int) { _ = server.Close() }})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	starting, cancel := context.WithTimeout(t.Context(), impatience/5)
	defer cancel()
	if err := server.Prepare(starting, func(string) (string, bool) { return "", false }); err != nil {
		_ = listener.Close()
		return listener.Addr()
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if strings.Contains(faults, "-after=") { // the process is to be gone
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		return listener.Addr()
	}
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return listener.Addr()
}
