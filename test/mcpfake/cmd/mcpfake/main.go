// Command mcpfake runs the fake MCP server. Every flag can be given as an environment variable, too, so that the
// manifest of a pod can set it: --on-term is MCPFAKE_ON_TERM. A flag beats its variable.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// exitUsage is the exit code for flags and faults that make no sense.
const exitUsage = 2

// drainTime bounds --on-term=drain.
const drainTime = 30 * time.Second

type settings struct {
	options      mcpfake.Options
	addr, onTerm string
}

func main() {
	os.Exit(run(os.Args[1:], os.LookupEnv, os.Stderr))
}

// run is main with its surroundings passed in; it returns the exit code.
func run(args []string, env func(string) (string, bool), stderr io.Writer) int {
	if len(args) > 0 && args[0] == "quilt" {
		return runQuilt(args[1:], env, stderr)
	}
	parsed, err := parse(args, env, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "mcpfake:", err)
		return exitUsage
	}
	server, err := mcpfake.New(parsed.options)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := serve(ctx, server, parsed, env, stderr); err != nil {
		complain(stderr, err)
		var exit *mcpfake.ExitError
		if errors.As(err, &exit) {
			return exit.Code
		}
		return 1
	}
	return 0
}

func parse(args []string, env func(string) (string, bool), stderr io.Writer) (settings, error) {
	var s settings
	var dialect, answer string
	flags := flag.NewFlagSet("mcpfake", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&s.addr, "addr", "0.0.0.0:8000", "`host:port` to listen on")
	flags.StringVar(&s.options.Path, "path", "/mcp", "`path` of the MCP endpoint")
	flags.StringVar(&dialect, "dialect", string(mcpfake.Stateful), fmt.Sprintf("one of %v", mcpfake.Dialects()))
	flags.StringVar(&answer, "answer", string(mcpfake.JSON), fmt.Sprintf("form of an answer, one of %v", mcpfake.Answers()))
	flags.StringVar(&s.options.Faults, "fault", "none", "comma-separated `list` of FAULT[@TRIGGER...], see below")
	flags.DurationVar(&s.options.StreamInterval, "stream-interval", time.Second, "time between two events on a GET stream")
	flags.StringVar(&s.onTerm, "on-term", "quit-at-once", "what SIGTERM does: quit-at-once cuts every connection, drain waits up to 30 s for requests in flight")
	if err := setFromEnv(flags, env); err != nil {
		return s, err
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			usage(flags, stderr)
		}
		return s, err
	}
	s.options.Dialect, s.options.Answer = mcpfake.Dialect(dialect), mcpfake.Answer(answer)
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case s.onTerm != "quit-at-once" && s.onTerm != "drain":
		return s, fmt.Errorf("unknown --on-term %q: use quit-at-once or drain", s.onTerm)
	}
	return s, nil
}

func usage(flags *flag.FlagSet, out io.Writer) {
	_, _ = fmt.Fprintln(out, "Usage of mcpfake (each --flag-name can be set as MCPFAKE_FLAG_NAME, too):")
	flags.SetOutput(out)
	flags.PrintDefaults()
	_, _ = fmt.Fprintln(out, "\n\"mcpfake quilt RELEASE\" plays quilt-mcp-server, and is configured like that.")
	_, _ = fmt.Fprintf(out, "\nFaults befall the MCP endpoint only, /health and /_fake/requests stay well, but those of the port befall all of it.\n\n%s", mcpfake.Usage())
}

func setFromEnv(flags *flag.FlagSet, env func(string) (string, bool)) error {
	var problems []error
	flags.VisitAll(func(f *flag.Flag) {
		name := "MCPFAKE_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value, ok := env(name); ok {
			if err := f.Value.Set(value); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", name, err))
			}
		}
	})
	return errors.Join(problems...)
}

// serve runs until ctx ends.
func serve(ctx context.Context, server *mcpfake.Server, s settings, env func(string) (string, bool), stderr io.Writer) error {
	if err := server.Prepare(ctx, env); err != nil {
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	_, _ = fmt.Fprintln(stderr, "mcpfake: listening on", listener.Addr())
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	if s.onTerm == "quit-at-once" {
		return server.Close()
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := server.Shutdown(limited); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("drain: %w", err)
	}
	return nil
}

// complain prints why the server does not run. For a variable that is missing it prints a block, as servers do whose
// last words are all that a crash loop leaves behind.
func complain(stderr io.Writer, err error) {
	var missing *mcpfake.MissingEnvError
	if !errors.As(err, &missing) {
		_, _ = fmt.Fprintln(stderr, "mcpfake:", err)
		return
	}
	_, _ = fmt.Fprintf(stderr, `============================================================
Failed to start the MCP server
Details: %s
Troubleshooting:
  1. Set %s in the environment of the container.
  2. Read the chapter on multiuser mode in the server's documentation.
============================================================
`, upperFirst(missing.Error()), missing.Name)
}

func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
