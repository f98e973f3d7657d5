package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// target is a process that requests can be sent to.
type target struct {
	process *process
	address string
	// ready is how long it took until the gate said that it is ready, memory what it then had resident.
	ready  time.Duration
	memory int64
}

func (b *bench) startServer(ctx context.Context) (*target, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	p, err := b.startSelf(ctx, "server", "server", "-address", address)
	if err != nil {
		return nil, err
	}
	return &target{process: p, address: address}, within("the server listens", listens(address))
}

func (b *bench) startReverseProxy(ctx context.Context) (*target, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	p, err := b.startSelf(ctx, "reverseproxy", "reverseproxy", "-address", address, "-server", b.server.address)
	if err != nil {
		return nil, err
	}
	return &target{process: p, address: address}, within("the reverse proxy listens", listens(address))
}

const startLimit = 10 * time.Second

// startGate runs a gate with one provider.
func (b *bench) startGate(ctx context.Context, issuer *tokenIssuer) (*target, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	admin, err := freeAddress()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(b.dir, "gate-"+strings.ToLower(string(issuer.Key.Algorithm())))
	if err := b.writeGate(dir, issuer, address, admin); err != nil {
		return nil, err
	}
	began := time.Now()
	p, err := b.start(ctx, filepath.Base(dir), []string{
		gateapi.PodUIDEnv + "=bench",
		"GOMEMLIMIT=230MiB", // What the gate makes of its container's limit, 256 MiB unless somebody says otherwise.
	}, b.plan.gate,
		"-config-dir", dir, "-keys-dir", dir, "-secret-dir", dir)
	if err != nil {
		return nil, err
	}
	t := &target{process: p, address: address}
	err = within("the gate is ready", func() bool {
		response, err := http.Get("http://" + admin + "/readyz") //nolint:noctx // Its limit is that of the wait.
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	t.ready = time.Since(began)
	if err != nil {
		return nil, p.failed(err)
	}
	t.memory, err = p.memory()
	return t, err
}

// failed adds the last words of the process.
func (p *process) failed(err error) error {
	log, _ := os.ReadFile(p.log)
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return fmt.Errorf("%w; %s", err, lines[len(lines)-1])
}

func (b *bench) writeGate(dir string, issuer *tokenIssuer, address, admin string) error {
	config := gateapi.Config{
		Server: gateapi.ServerID{Namespace: "bench", Name: "bench", UID: "1"},
		Port:   portOf(address), AdminPort: portOf(admin),
		Upstream:     gateapi.Upstream{Port: portOf(b.server.address), Path: "/mcp"},
		AllowedHosts: []string{"bench"},
		Providers: []gateapi.Provider{{
			Name: "bench", Issuer: issuerURN, Audiences: []string{audienceURN},
			Algorithms: []keys.Algorithm{issuer.Key.Algorithm()}, ClockSkewSeconds: 30,
			Keys: issuer.source,
		}},
		Limits: gateapi.Limits{BodyBytes: 4 << 20, TokenBytes: 8 << 10, FailuresPerSecond: 50, FailureBurst: 100, Streams: 1000},
		Drain:  gateapi.Drain{RequestSeconds: 1},
	}
	raw, err := json.Marshal(config)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		gateapi.ConfigFile: raw, keysFile: issuer.keyFile, gateapi.SecretFile: []byte(strings.Repeat("s", 32)),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func portOf(address string) int32 {
	_, port, _ := net.SplitHostPort(address)
	n, _ := strconv.ParseInt(port, 10, 32) // It is one that the kernel gave.
	return int32(n)
}
