package main

import (
	"flag"
	"io"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// parse gives what the operator makes of arguments, in a pod that has all its environment.
func parse(t *testing.T, args ...string) (options, error) {
	t.Helper()
	flags := flag.NewFlagSet("operator", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return parseOptions(flags, args, func(name string) string { return "from " + name })
}

// The page has every flag with its default, and no other.
func TestFlagsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/operator.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\|.* \\| (.+) \\|$").FindAllStringSubmatch(string(page), -1) {
		documented[row[1]] = strings.Trim(row[2], "`")
	}
	flags := flag.NewFlagSet("operator", flag.ContinueOnError)
	if _, err := parseOptions(flags, []string{"--version"}, func(name string) string { return "$" + name }); err != nil {
		t.Fatal(err)
	}
	flags.Var(flag.Lookup("kubeconfig").Value, "kubeconfig", "") // the client library's own
	flags.VisitAll(func(f *flag.Flag) {
		text, found := documented[f.Name]
		delete(documented, f.Name)
		if !found {
			t.Errorf("docs/operator.md does not have --%s", f.Name)
		} else if f.DefValue != "" && f.DefValue != text {
			t.Errorf("docs/operator.md: the default of --%s is %s, not %s", f.Name, f.DefValue, text)
		}
	})
	for name := range documented {
		t.Errorf("docs/operator.md has --%s, which there is not", name)
	}
}

// Each flag has an effect, and nothing that is not said has one.
func TestFlagsHaveAnEffect(t *testing.T) {
	for arg, want := range map[string]func(*options){
		"--authproxy-image=x":           func(o *options) { o.gateImage = "x" },
		"--cluster-domain=x":            func(o *options) { o.clusterDomain = "x" },
		"--namespace=x":                 func(o *options) { o.namespace = "x" },
		"--watch-namespaces=x,y":        func(o *options) { o.watchNamespaces = []string{"x", "y"} },
		"--leader-elect":                func(o *options) { o.leaderElect = true },
		"--probe-qps=7":                 func(o *options) { o.probeQPS = 7 },
		"--readiness-gates=Off":         func(o *options) { o.readinessGatesOff = true },
		"--readiness-gates=Enforce":     func(*options) {},
		"--diagnose-logs":               func(o *options) { o.diagnoseLogs = true },
		"--metrics-bind-address=x":      func(o *options) { o.metricsAddress = "x" },
		"--metrics-secure=false":        func(o *options) { o.metricsSecure = false },
		"--health-probe-bind-address=x": func(o *options) { o.healthAddress = "x" },
		"--version":                     func(o *options) { o.printVersion = true },
	} {
		expected, err := parse(t)
		if err != nil {
			t.Fatal(err)
		}
		want(&expected)
		got, err := parse(t, arg)
		got.log = expected.log
		if err != nil || !reflect.DeepEqual(got, expected) {
			t.Errorf("%s: %+v, %v\nwant %+v", arg, got, err, expected)
		}
	}
	managed, err := parse(t, "--leader-elect", "--metrics-bind-address=0", "--health-probe-bind-address=:1", "--watch-namespaces=a")
	if err != nil {
		t.Fatal(err)
	}
	if o := managerOptions(managed); !o.LeaderElection || o.LeaderElectionNamespace != "from POD_NAMESPACE" || o.Metrics.BindAddress != "0" ||
		!o.Metrics.SecureServing || o.HealthProbeBindAddress != ":1" || len(o.Cache.DefaultNamespaces) != 1 {
		t.Errorf("the manager gets %+v", o)
	}
}

func TestFlagsThatAreWrong(t *testing.T) {
	for text, args := range map[string][]string{
		"--readiness-gates":         {"--readiness-gates=off"},
		"--watch-namespaces":        {"--watch-namespaces=A"},
		"--max-concurrent-upgrades": {"--max-concurrent-upgrades=0"},
		"--probe-qps":               {"--probe-qps=0"},
		"no image":                  {"--authproxy-image="},
		"--leader-elect":            {"--leader-elect", "--namespace="},
		"not defined":               {"--no-such-flag"},
	} {
		if _, err := parse(t, args...); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v: %v", args, err)
		}
	}
	if _, err := parse(t, "--readiness-gates=off", "--probe-qps=0"); err == nil || strings.Count(err.Error(), "--") < 2 {
		t.Errorf("all at once: %v", err)
	}
}

func TestNamespaces(t *testing.T) {
	for list, want := range map[string][]string{
		"":        nil,
		"a":       {"a"},
		"b,a":     {"a", "b"},
		"a, b ,a": {"a", "b"},
	} {
		if o, err := parse(t, "--watch-namespaces="+list); err != nil || !slices.Equal(o.watchNamespaces, want) {
			t.Errorf("%q: %q, %v; want %q", list, o.watchNamespaces, err, want)
		}
	}
	// Where no name is left, all namespaces would be meant.
	for _, list := range []string{",", "a,", " ", "A", "a b", "*"} {
		if o, err := parse(t, "--watch-namespaces="+list); err == nil || !strings.Contains(err.Error(), "is no namespace") {
			t.Errorf("%q: %q, %v", list, o.watchNamespaces, err)
		}
	}
}
