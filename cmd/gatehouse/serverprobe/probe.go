// Package serverprobe is the subcommand probe: it tries the lock of any MCP server. It talks to no cluster.
package serverprobe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/internal/probereport"
)

const long = `Try the lock of an MCP server, as the operator does: ask with bad tokens, each bad in one way, and with a good one.

No Kubernetes is needed, and the server may be anybody's. Requests are sent to URL alone; redirects are not followed. The
server sees the first requests of MCP clients (initialize, tools/list) and no tool is called, but for --forbidden-tool.

What a good token is, is told in one of three ways:

  --key FILE                        the issuer's signing key. Good tokens and bad ones are made with it, so all can be
                                    asked. PEM, JWK and JWK Set are recognized; a shared secret needs --key-format=secret.
  --token-file FILE, --token-env E  a token that somebody else made. What would have to be signed is not asked.
  neither                           only what needs no secret is asked. The lock may be found open, but never proven: a
                                    server that refuses everybody looks the same.

There is no flag for the token itself: what stands on a command line is read by every user of the machine and kept by
shells. "--token-file -" reads standard input; "--token-file <(command)" runs a command.

Exit status:
  0  Locked: every bad request was refused, and a good one was let in
  1  the lock does not hold: Open, a good token refused (ValidRejected), or answers that a gate must not give (Broken)
  2  the command could not be carried out as it was given
  3  not proven: Unreachable, UpstreamUnavailable, ClockSkew, Inconclusive, or no good token was there to try`

const example = `  # does this server let strangers in?
  gatehouse probe https://mcp.example.com/mcp

  # prove the lock with the issuer's key; a table for the log, a file for CI
  gatehouse probe https://mcp.example.com/mcp --key issuer.pem --issuer https://issuer.example.com \
    --audience https://mcp.example.com/mcp -o table -o junit=probe.xml

  # tokens of another form: a shared secret, no claims but these and "exp"
  gatehouse probe http://127.0.0.1:8000/mcp --key secret --key-format=secret --bare --type=- \
    --claim id='"7"' --identity-claim id

  # an MCPServer over a port-forward, with a token that kubectl gatehouse mints
  gatehouse probe http://127.0.0.1:8080/mcp --token-file <(kubectl gatehouse token everything)`

var errNoTokenFlag = errors.New("there is no --token: a command line is no place for secrets; use --token-file FILE " +
	"(- is standard input) or --token-env NAME")

// NewCommand returns the subcommand.
func NewCommand() *cobra.Command {
	o := options{readFile: os.ReadFile, getenv: os.Getenv}
	command := &cobra.Command{
		Use:     "probe URL",
		Short:   "Try the lock of any MCP server",
		Long:    long,
		Example: example,
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.stdin, o.isSet = cmd.InOrStdin(), cmd.Flags().Changed
			defer cli.AnnounceSlow(cmd.ErrOrStderr(), "Asking "+args[0]+". A full check asks some fifty times; --tier=beat four times.")()
			return o.run(cmd.Context(), args[0], cmd.OutOrStdout())
		},
	}
	command.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if err.Error() == "unknown flag: --token" {
			return cli.UsageError(errNoTokenFlag)
		}
		return cli.UsageErrorWithHint(cmd, err)
	})
	o.addFlags(command.Flags())
	command.ValidArgsFunction = cobra.NoFileCompletions
	cli.CompleteFlag(command, "gate", gateAuto, gateYes, gateNo)
	cli.CompleteFlag(command, "tier", tierFull, tierQuick)
	cli.CompleteFlag(command, "key-format", keyAuto, keySecret)
	formats := cobra.FixedCompletions([]string{cli.FormatTable, cli.FormatJSON, cli.FormatYAML, cli.FormatJUnit}, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace)
	if err := command.RegisterFlagCompletionFunc("output", formats); err != nil {
		panic(err)
	}
	return command
}

// run makes a round, writes it in every format asked for, and gives the exit status of its verdict as an error.
func (o *options) run(ctx context.Context, url string, stdout io.Writer) error {
	outputs, err := o.parseOutputs()
	if err != nil {
		return cli.UsageError(err)
	}
	target, err := o.target(url)
	if err != nil {
		return cli.UsageError(err)
	}
	round, err := o.round(ctx, runner.New(runner.Options{}), target)
	if err != nil {
		return cli.UsageError(err)
	}
	for _, report := range outputs {
		if err := report.write(round, stdout); err != nil {
			return cli.UsageError(err)
		}
	}
	if code := exitStatus(round.Standing()); code != cli.ExitOK {
		return &cli.ExitError{Code: code}
	}
	return nil
}

// round finds out whether this is a gate of ours, where that is to be found out, and asks.
func (o *options) round(ctx context.Context, prober *runner.Prober, target probe.Target) (probereport.Run, error) {
	if o.gate == gateAuto && o.hasCredential() {
		recognized, err := prober.Recognize(ctx, target)
		if err != nil {
			return probereport.Run{}, err
		}
		target.Exact = recognized
	}
	report, err := prober.Run(ctx, target)
	if err != nil {
		return probereport.Run{}, err
	}
	out := probereport.Run{Report: report, Verdict: verdicts.Of(report), Gate: target.Exact}
	if !o.hasCredential() {
		out.Report, out.Verdict = verdicts.Unauthenticated(report)
	}
	if out.Verdict.Outcome == probe.NotTried && !o.hasCredential() {
		out.Verdict.Message += " To have one tried, give --key, --token-file or --token-env."
	}
	return out, nil
}

func exitStatus(standing probereport.Standing) int {
	switch standing {
	case probereport.Locked:
		return cli.ExitOK
	case probereport.NotLocked:
		return cli.ExitFailed
	default:
		return cli.ExitNotProven
	}
}

// reportYAML writes a report as JSON does, in YAML.
func reportYAML(out io.Writer, check probereport.Run) error {
	var buffer bytes.Buffer
	if err := probereport.JSON(&buffer, check); err != nil {
		return err
	}
	text, err := yaml.JSONToYAML(buffer.Bytes())
	if err != nil {
		return fmt.Errorf("write YAML: %w", err)
	}
	_, err = out.Write(text)
	return err
}

// output is one format of a report, and the file that it goes to; "" is standard output.
type output struct {
	write func(check probereport.Run, stdout io.Writer) error
}

func newOutput(format, file string) (output, error) {
	formats := map[string]func(io.Writer, probereport.Run) error{
		cli.FormatTable: probereport.Table, cli.FormatJSON: probereport.JSON, cli.FormatYAML: reportYAML, cli.FormatJUnit: probereport.JUnit,
	}
	set, known := formats[format]
	if !known {
		return output{}, fmt.Errorf("--output %q: use table, json, yaml or junit, with =FILE to write a file", format)
	}
	return output{write: func(check probereport.Run, stdout io.Writer) error {
		if file == "" {
			return set(stdout, check)
		}
		created, err := os.Create(file)
		if err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
		return errors.Join(set(created, check), created.Close())
	}}, nil
}
