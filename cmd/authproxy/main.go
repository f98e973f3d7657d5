// Command authproxy is the gate: the sidecar in front of an MCP server that lets in who has a good token, and nobody
// else. All it decides by is in the mounted directories; see package gateapi for their contents.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/mcp-gatehouse/gatehouse/internal/gate"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/memory"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// version is set by the linker.
var version = "dev"

// Exit codes, beside gateapi.ExitPortTaken.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// Where the audit lines go.
const (
	auditStdout = "stdout"
	auditOff    = "off"
)

// gcPercent is how much garbage there may be, in percent of what is in use, where memory is limited.
const gcPercent = 300

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("authproxy", flag.ContinueOnError)
	flags.SetOutput(stderr)
	options := gate.Options{PodUID: os.Getenv(gateapi.PodUIDEnv), Version: version}
	flags.StringVar(&options.ConfigDir, "config-dir", gateapi.ConfigDir, "directory with "+gateapi.ConfigFile)
	flags.StringVar(&options.KeysDir, "keys-dir", gateapi.KeysDir, "directory with one JWK Set per provider")
	flags.StringVar(&options.SecretDir, "secret-dir", gateapi.SecretDir, "directory with the gate's secret")
	flags.StringVar(&options.TLSDir, "tls-dir", gateapi.TLSDir, "directory with "+gateapi.TLSCertFile+" and "+gateapi.TLSKeyFile)
	flags.StringVar(&options.RunDir, "run-dir", gateapi.RunDir, "directory that lives as long as the pod, for "+gateapi.BareServerFile)
	flags.StringVar(&options.UpstreamHost, "upstream-host", "127.0.0.1", "address of the MCP server behind the gate")
	auditTo := flags.String("audit", auditStdout, "where a JSON line per decision goes: "+auditStdout+" or "+auditOff)
	options.LogLevel = new(slog.LevelVar)
	flags.TextVar(options.LogLevel, "log-level", new(slog.LevelVar), "debug, info, warn or error, unless the configuration says so; debug tells of accepted requests, too")
	showVersion := flags.Bool("version", false, "print the version and exit")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage
	case flags.NArg() == 1 && flags.Arg(0) == gateapi.TerminateArg:
		return terminate(gatePID, stderr)
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "authproxy takes flags and the argument %s, not %q\n", gateapi.TerminateArg, flags.Arg(0))
		return exitUsage
	case *auditTo != auditStdout && *auditTo != auditOff:
		fmt.Fprintf(stderr, "--audit is %s or %s, not %q\n", auditStdout, auditOff, *auditTo)
		return exitUsage
	case *showVersion:
		fmt.Fprintln(stdout, version)
		return exitOK
	}
	options.Log = slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: options.LogLevel}))
	slog.SetDefault(options.Log) // net/http has things to say, too.
	if *auditTo == auditStdout {
		options.Audit = stdout
	}
	options.MemoryLimit = limitMemory("/sys/fs/cgroup")
	if err := serve(ctx, options); err != nil {
		options.Log.Error("the gate stops", "error", err.Error())
		if errors.Is(err, gate.ErrPortTaken) {
			return gateapi.ExitPortTaken
		}
		return exitFailed
	}
	return exitOK
}

// limitMemory makes the garbage collector work harder before the kernel kills the process, and returns the limit of the
// container or, if it has none, of the runtime, which has read GOMEMLIMIT already; 0 is no limit.
func limitMemory(cgroups string) int64 {
	limit, limited := memory.Limit(cgroups)
	if limited && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory.ForGo(limit))
	}
	ofRuntime := debug.SetMemoryLimit(-1)
	if ofRuntime == math.MaxInt64 {
		return limit
	}
	// Below a limit, room is cheaper than collecting: most of what a request needs is garbage in a millisecond. Near it, the
	// runtime collects as often as it must.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if !limited {
		return ofRuntime
	}
	return limit
}

func serve(ctx context.Context, options gate.Options) error {
	hooks := make(chan os.Signal, 1)
	signal.Notify(hooks, terminateSignal)
	defer signal.Stop(hooks)
	g, err := gate.New(options)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		for {
			select {
			case <-hooks:
				g.Terminate()
			case <-ctx.Done():
				return
			}
		}
	}()
	return g.Run(ctx)
}
