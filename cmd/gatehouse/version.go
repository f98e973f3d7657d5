package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/internal/texttable"
)

const versionLong = `Show the version of this program, and which versions of operator and gate are in the cluster.

The operators are the Deployments with the labels of one; their images are shown to who may list Deployments. The gates are
those of the MCPServers that the caller may list. With --client only this program is asked.

If operator and gates are of several versions, an upgrade is under way, or stuck: gatehouse status --all-namespaces tells.`

// versions are what is shown. Its JSON form is documented in docs/status-command.md.
type versions struct {
	Client clientVersion `json:"client"`
	// Operators are the images that operators run, Gates those of gates; nil if they were not looked for.
	Operators []imageCount `json:"operators,omitempty"`
	Gates     []imageCount `json:"gates,omitempty"`
	// NotShown says what could not be found out, and why.
	NotShown []string `json:"notShown,omitempty"`
}

type clientVersion struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// imageCount is an image, and how many operators or MCPServers have it.
type imageCount struct {
	Image string `json:"image"`
	Count int    `json:"count"`
}

func versionCommand() *cobra.Command {
	var format string
	var clientOnly bool
	var cluster cli.ConnectFunc
	command := &cobra.Command{
		Use: "version", Short: "Show the versions of this program, of operators and of gates", Long: versionLong, Args: cli.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cli.ValidateFormat(format); err != nil {
				return cli.UsageError(err)
			}
			found := versions{Client: clientVersion{version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}}
			if !clientOnly {
				defer cli.AnnounceSlow(cmd.ErrOrStderr(), cli.WaitingForCluster)()
				if c, _, err := cluster(); err != nil {
					found.NotShown = append(found.NotShown, "operators and gates: "+err.Error())
				} else {
					found.ask(cmd.Context(), c)
				}
			}
			if format != cli.FormatTable {
				return cli.WriteDocument(cmd.OutOrStdout(), format, found)
			}
			return found.write(cmd.OutOrStdout())
		},
	}
	cluster = cli.AddClusterFlags(command)
	cli.AddOutputFlag(command, &format)
	command.Flags().BoolVar(&clientOnly, "client", false, "show the version of this program alone; no cluster is needed")
	return command
}

// operatorLabels are those of the operator's Deployment, in every way to install it.
var operatorLabels = client.MatchingLabels{"app.kubernetes.io/name": "gatehouse", "app.kubernetes.io/component": "operator"}

// ask looks into the cluster. What cannot be seen is said, and is no error: most people may not look into the operator's
// namespace.
func (v *versions) ask(ctx context.Context, c client.Reader) {
	var deployments appsv1.DeploymentList
	if err := c.List(ctx, &deployments, operatorLabels); err != nil {
		v.miss("operators", "Deployments", err)
	}
	var operators []string
	for _, deployment := range deployments.Items {
		for _, container := range deployment.Spec.Template.Spec.Containers {
			if container.Name == "operator" {
				operators = append(operators, container.Image)
			}
		}
	}
	v.Operators = counted(operators)
	var servers v1alpha1.MCPServerList
	if err := c.List(ctx, &servers); err != nil {
		v.miss("gates", "MCPServers", err)
	}
	var gates []string
	for _, server := range servers.Items {
		if server.Status.GateImage != "" {
			gates = append(gates, server.Status.GateImage)
		}
	}
	v.Gates = counted(gates)
}

func (v *versions) miss(what, kind string, err error) {
	if apierrors.IsForbidden(err) {
		v.NotShown = append(v.NotShown, fmt.Sprintf("%s: you may not list %s of all namespaces", what, kind))
		return
	}
	v.NotShown = append(v.NotShown, cli.Explain(what, err).Error())
}

// counted puts equal images together, in the order of their names.
func counted(images []string) []imageCount {
	count := map[string]int{}
	for _, image := range images {
		count[image]++
	}
	var out []imageCount
	for _, image := range slices.Sorted(maps.Keys(count)) {
		out = append(out, imageCount{image, count[image]})
	}
	return out
}

func (v *versions) write(out io.Writer) error {
	rows := [][]string{{"Client", v.Client.Version, v.Client.Go + " " + v.Client.Platform}}
	for _, operator := range v.Operators {
		rows = append(rows, []string{"Operator", operator.Image, ""})
	}
	for _, gate := range v.Gates {
		rows = append(rows, []string{"Gate", gate.Image, plural(gate.Count, "MCPServer")})
	}
	if err := new(texttable.Table).Write(out, rows...); err != nil {
		return err
	}
	for _, missing := range v.NotShown {
		if _, err := fmt.Fprintf(out, "Not shown: %s\n", missing); err != nil {
			return err
		}
	}
	return nil
}

func plural(count int, noun string) string {
	if count == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", count, noun)
}
