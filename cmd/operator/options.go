package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/mcp-gatehouse/gatehouse/internal/probebudget"
	"github.com/mcp-gatehouse/gatehouse/internal/rollout"
)

type options struct {
	gateImage       string
	clusterDomain   string
	namespace       string
	serviceAccount  string
	watchNamespaces []string
	metricsAddress  string
	metricsSecure   bool
	healthAddress   string
	leaderElect     bool
	// probeQPS caps the requests per second of the prober.
	probeQPS int
	// readinessGatesOff leaves the readiness gate out of new pod templates.
	readinessGatesOff bool
	// maxUpgrades is how many MCPServers are upgraded at a time.
	maxUpgrades int
	// diagnoseLogs lets the ends of crashed containers' logs be quoted.
	diagnoseLogs bool
	printVersion bool
	log          zap.Options
}

// parseOptions reads flags and environment. All that is wrong comes in one error.
func parseOptions(flags *flag.FlagSet, args []string, getenv func(string) string) (options, error) {
	var o options
	flags.StringVar(&o.gateImage, "authproxy-image", getenv("AUTHPROXY_IMAGE"),
		"Image of the gate. Default: the environment variable AUTHPROXY_IMAGE. Use the version of the operator.")
	flags.StringVar(&o.clusterDomain, "cluster-domain", "cluster.local", "DNS suffix of the cluster.")
	flags.StringVar(&o.namespace, "namespace", getenv("POD_NAMESPACE"),
		"Namespace of the operator itself: its lease is there, and gates let its pods in. Default: the environment variable POD_NAMESPACE.")
	flags.StringVar(&o.serviceAccount, "service-account", getenv("POD_SERVICE_ACCOUNT"),
		"ServiceAccount of the operator itself, of which it asks for tokens to try gates with. Default: the environment variable POD_SERVICE_ACCOUNT.")
	namespaces := flags.String("watch-namespaces", "",
		"Namespaces to look after, separated by commas; nothing is read or written in others. Default: all, which takes a ClusterRole.")
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", ":8443", "Address of the metrics, 0 for none.")
	flags.BoolVar(&o.metricsSecure, "metrics-secure", true,
		"Serve metrics over TLS, to callers that the API server authenticates and lets get /metrics.")
	flags.StringVar(&o.healthAddress, "health-probe-bind-address", ":8081", "Address of /healthz and /readyz.")
	flags.BoolVar(&o.leaderElect, "leader-elect", false, "Let one of several operators act. Needs --namespace.")
	flags.IntVar(&o.probeQPS, "probe-qps", probebudget.DefaultQPS, "Requests and connections per second that the prober makes at most, over all servers.")
	flags.IntVar(&o.maxUpgrades, "max-concurrent-upgrades", rollout.DefaultMaxUpgrades,
		"MCPServers whose pods are replaced at a time because the operator has another version. One that fails keeps its place.")
	gates := flags.String("readiness-gates", "Enforce",
		"Enforce keeps pods out of their Service until their lock was proven; Off leaves the readiness gate out of all pod templates, which replaces all pods.")
	flags.BoolVar(&o.diagnoseLogs, "diagnose-logs", false,
		"Quote in conditions up to two lines, redacted, of the end of the log of a container that crashed without a word. Needs the right to get pods/log (config/diagnose-logs).")
	flags.BoolVar(&o.printVersion, "version", false, "Print the version and exit.")
	o.log.BindFlags(flags)
	if err := flags.Parse(args); err != nil {
		return o, fmt.Errorf("flags: %w", err)
	}
	if o.printVersion {
		return o, nil
	}
	var problems []error
	var err error
	if o.watchNamespaces, err = parseNamespaces(*namespaces); err != nil {
		problems = append(problems, err)
	}
	switch *gates {
	case "Enforce":
	case "Off":
		o.readinessGatesOff = true
	default:
		problems = append(problems, fmt.Errorf("--readiness-gates is %q: it must be Enforce or Off", *gates))
	}
	if o.probeQPS < 1 {
		problems = append(problems, fmt.Errorf("--probe-qps is %d: it must be at least 1", o.probeQPS))
	}
	if o.maxUpgrades < 1 {
		problems = append(problems, fmt.Errorf("--max-concurrent-upgrades is %d: it must be at least 1", o.maxUpgrades))
	}
	if o.gateImage == "" {
		problems = append(problems, errors.New("no image for the gate: set --authproxy-image or AUTHPROXY_IMAGE"))
	}
	if o.leaderElect && o.namespace == "" {
		problems = append(problems, errors.New("--leader-elect needs a namespace for its lease: set --namespace or POD_NAMESPACE"))
	}
	return o, errors.Join(problems...)
}

// parseNamespaces reads a list of names; none is nil. What is no name must not pass: where no namespace is left, all are meant.
func parseNamespaces(list string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	var names []string
	var problems []error
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if wrong := validation.IsDNS1123Label(name); len(wrong) > 0 {
			problems = append(problems, fmt.Errorf("--watch-namespaces: %q is no namespace: %s", name, wrong[0]))
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names), errors.Join(problems...)
}
