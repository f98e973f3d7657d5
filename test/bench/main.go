// Command bench measures what the gate costs: whole processes side by side on loopback, in one run, each before the same
// server: the server alone, a bare httputil.ReverseProxy, the gate, and HAProxy with jwt_verify.
//
//	bench -gate bin/authproxy [-rounds 3] [-seconds 3] [-connections 32,512] [-run PATTERN] [-out out/bench.json]
//
// Machines are shared and noisy: rounds are interleaved, medians told, and the CPU time of the proxy's process is the
// number to compare. The command starts itself for the other parts: bench server, bench reverseproxy, bench load.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // Nothing is left to be undone.
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "server":
			return serveAnswers(args[1:])
		case "reverseproxy":
			return serveReverseProxy(args[1:])
		case "load":
			return load(ctx, args[1:])
		}
	}
	plan, err := parsePlan(args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	// HAProxy reads its key as a user of its own.
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	b := &bench{plan: plan, dir: dir}
	defer b.stopAll()
	return b.run(ctx)
}

// benchPlan is what was asked for.
type benchPlan struct {
	gate        string
	rounds      int
	each        time.Duration
	connections []int
	pattern     *regexp.Regexp
	out         string
	haproxy     string // path; empty: not installed
}

func parsePlan(args []string) (benchPlan, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	p := benchPlan{}
	flags.StringVar(&p.gate, "gate", "bin/authproxy", "the gate's program")
	flags.IntVar(&p.rounds, "rounds", 3, "how often each case is measured")
	flags.DurationVar(&p.each, "each", 3*time.Second, "how long a case is measured in each round")
	connections := flags.String("connections", "32,512", "numbers of connections")
	pattern := flags.String("run", "", "only cases that match this pattern")
	flags.StringVar(&p.out, "out", "out/bench.json", "where the rows go, as JSON lines")
	if err := flags.Parse(args); err != nil {
		return p, err
	}
	for text := range strings.SplitSeq(*connections, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return p, fmt.Errorf("connections: %q is not a number above zero", text)
		}
		p.connections = append(p.connections, n)
	}
	var err error
	if p.pattern, err = regexp.Compile(*pattern); err != nil {
		return p, err
	}
	if p.haproxy, err = exec.LookPath("haproxy"); errors.Is(err, exec.ErrNotFound) {
		p.haproxy, err = "", nil
	}
	return p, err
}
