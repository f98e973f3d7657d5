package imports

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/mcp-gatehouse/gatehouse"

// rule says what the packages of one pattern may import. The linter has the same rules per file; here they hold for what
// is compiled, whatever a comment in the source silences.
type rule struct {
	pattern string
	// direct lists what may be imported besides the standard library: import paths, and with "/..." all below too.
	// Nil: anything.
	direct []string
	// never lists what must not be reached by any way.
	never []string
}

var kubernetes = []string{"k8s.io/...", "sigs.k8s.io/...", module + "/api/..."}

// asking are what test cases of the prober are made of.
var asking = []string{
	module + "/internal/keys", module + "/internal/probe", module + "/internal/probe/client", module + "/internal/probe/expect",
	module + "/internal/probe/wire", module + "/internal/token",
}

// judged is what cannot be reached from what judges a lock: clients of the API server and of gates.
var judged = []string{"k8s.io/client-go/kubernetes", "sigs.k8s.io/controller-runtime/...", module + "/internal/probe/runner"}

// judges are what may be imported there beside packages of that name and below.
func judges(beside ...string) []string {
	direct := []string{
		"k8s.io/api/...", "k8s.io/apimachinery/...", module + "/api/...", module + "/internal/desired", module + "/internal/gate/admin",
		module + "/internal/gateapi", module + "/internal/mask", module + "/internal/probe",
	}
	for _, name := range beside {
		direct = append(direct, module+"/internal/"+name+"/...")
	}
	return direct
}

var rules = []rule{
	{
		pattern: "./api/v1alpha1",
		direct:  []string{"k8s.io/apimachinery/...", "k8s.io/api/core/v1"},
		never:   []string{"k8s.io/client-go/...", "sigs.k8s.io/controller-runtime/...", module + "/internal/..."},
	},
	{
		pattern: "./internal/keys/...",
		direct: []string{
			"github.com/golang-jwt/jwt/v5", "github.com/MicahParks/jwkset", module + "/internal/exactjson", module + "/internal/keys",
		},
		never: kubernetes,
	},
	{
		pattern: "./internal/token/...",
		direct: []string{
			"github.com/golang-jwt/jwt/v5", "github.com/MicahParks/jwkset", module + "/internal/claimpath", module + "/internal/keys",
		},
		never: kubernetes,
	},
	{
		pattern: "./internal/gateapi/...",
		direct: []string{
			module + "/internal/claimpath", module + "/internal/exactjson", module + "/internal/gateapi/...", module + "/internal/keys",
		},
		never: append([]string{module + "/internal/gate/...", module + "/internal/probe/..."}, kubernetes...),
	},
	{
		pattern: "./internal/gate/...",
		direct: []string{
			"github.com/golang-jwt/jwt/v5",
			"github.com/prometheus/client_golang/...",
			module + "/internal/gate/...",
			module + "/internal/gateapi/...",
			module + "/internal/claimpath",
			module + "/internal/exactjson",
			module + "/internal/keys/...",
			module + "/internal/token", // the self-test forges tokens
		},
		never: append([]string{module + "/internal/probe/..."}, kubernetes...),
	},
	{pattern: "./internal/probe/...", never: append([]string{module + "/internal/gate/..."}, kubernetes...)},
	// Each package of the prober knows only those before it.
	{pattern: "./internal/probe", direct: []string{module + "/internal/keys", module + "/internal/token"}},
	{pattern: "./internal/probe/wire", direct: []string{module + "/internal/probe"}},
	{pattern: "./internal/probe/expect", direct: []string{module + "/internal/probe", module + "/internal/probe/wire"}},
	{
		pattern: "./internal/probe/client",
		direct:  []string{module + "/internal/probe", module + "/internal/probe/expect", module + "/internal/probe/wire", module + "/internal/mask"},
	},
	{
		pattern: "./internal/probe/plan",
		direct: []string{
			module + "/internal/keys", module + "/internal/probe", module + "/internal/probe/client", module + "/internal/probe/expect", module + "/internal/token",
		},
	},
	{
		pattern: "./internal/probe/cases",
		direct:  append([]string{module + "/internal/probe/plan"}, asking...),
	},
	{
		pattern: "./internal/probe/forms",
		direct:  append([]string{module + "/internal/probe/plan"}, asking...),
	},
	{pattern: "./internal/probe/verdicts", direct: []string{module + "/internal/probe"}},
	{
		pattern: "./internal/probe/runner",
		direct:  []string{module + "/internal/keys", module + "/internal/probe/...", module + "/internal/token"},
	},
	{
		pattern: "./internal/desired/...",
		direct: []string{
			"k8s.io/api/...",
			"k8s.io/apimachinery/...",
			"k8s.io/client-go/applyconfigurations/...",
			"k8s.io/utils/ptr",
			module + "/api/...",
			module + "/internal/gateapi", // Config; not the packages that carry requests
			module + "/internal/gateapi/schema",
			module + "/internal/desired/...",
			module + "/internal/exactjson",
			module + "/internal/keys/...",
		},
		never: []string{"k8s.io/client-go/kubernetes", "sigs.k8s.io/controller-runtime/...", module + "/internal/probe/..."},
	},
	{
		pattern: "./internal/probereport",
		direct:  []string{module + "/internal/probe", module + "/internal/probe/verdicts", module + "/internal/texttable"},
		never:   kubernetes,
	},
	{
		pattern: "./internal/statusreport",
		direct: []string{
			"k8s.io/api/...",
			"k8s.io/apimachinery/...",
			module + "/api/...",
			module + "/docs",
			module + "/internal/texttable",
		},
		never: []string{"k8s.io/client-go/kubernetes", "sigs.k8s.io/controller-runtime/...", module + "/internal/probe/..."},
	},
	{pattern: "./internal/claimpath", direct: []string{}},
	{pattern: "./internal/exactjson", direct: []string{}},
	{pattern: "./internal/texttable", direct: []string{}},
	{pattern: "./internal/mask", direct: []string{}},
	{pattern: "./internal/diagnosis", direct: []string{"k8s.io/api/core/v1", module + "/internal/mask"}},
	{pattern: "./docs", direct: []string{}},
	{pattern: "./test/mcpfake/...", never: kubernetes},
	{pattern: "./cmd/authproxy", never: kubernetes},
	// What judges a lock, and what plans how it is tried, asks nobody. Each knows those before it.
	{pattern: "./internal/podstate", direct: []string{"k8s.io/api/core/v1", module + "/api/...", module + "/internal/desired"}, never: judged},
	{pattern: "./internal/authhealth", direct: judges("desired/podlock", "podstate", "diagnosis", "gate/upstream/bareserver"), never: judged},
	{pattern: "./internal/servicehealth", direct: append(judges("desired/network", "podstate", "authhealth"), "k8s.io/utils/ptr"), never: judged},
	{pattern: "./internal/gatestate", direct: judges("authhealth", "desired/gateconfig", "desired/podlock", "keys", "publication"), never: judged},
	{
		pattern: "./internal/probeplan",
		direct:  judges("podstate", "desired/gateconfig", "authhealth", "gatestate", "keys", "token", "gate/authz", "gate/telemetry/probeid"),
		never:   judged,
	},
	{pattern: "./internal/...", never: []string{module + "/controllers/..."}},
	{pattern: "./api/...", never: []string{module + "/controllers/..."}},
	{pattern: "./controllers/..."}, // anything, but it has to be there
	// No controller knows another; what they share is a package of its own.
	{pattern: "./controllers/authprobe", never: []string{module + "/controllers/fallback", module + "/controllers/mcpserver"}},
	{pattern: "./controllers/fallback", never: []string{module + "/controllers/authprobe", module + "/controllers/mcpserver"}},
	{pattern: "./controllers/mcpserver", never: []string{module + "/controllers/authprobe", module + "/controllers/fallback"}},
	{pattern: "./controllers/ssa", never: []string{module + "/..."}},
	{pattern: "./cmd/operator"},
	{pattern: "./cmd/gatehouse", never: []string{module + "/cmd/gatehouse/cli/clitest"}},
	{
		pattern: "./cmd/gatehouse/cli",
		direct: []string{
			"github.com/spf13/cobra", "golang.org/x/term", "k8s.io/...", "sigs.k8s.io/controller-runtime/pkg/client", "sigs.k8s.io/yaml",
			module + "/api/...",
		},
	},
	{
		pattern: "./cmd/gatehouse/serverprobe",
		direct: []string{
			"github.com/spf13/cobra", "github.com/spf13/pflag", "sigs.k8s.io/yaml", module + "/cmd/gatehouse/cli", module + "/internal/keys",
			module + "/internal/probe/...", module + "/internal/probereport", module + "/internal/token",
		},
	},
	// No subcommand knows another; what they share is in cli.
	{pattern: "./cmd/gatehouse/serverkeys", never: []string{module + "/cmd/gatehouse/serverprobe", module + "/cmd/gatehouse/status"}},
	{pattern: "./cmd/gatehouse/status", never: []string{module + "/cmd/gatehouse/serverkeys", module + "/cmd/gatehouse/serverprobe"}},
}

// goPackage is what `go list -json` tells.
type goPackage struct {
	ImportPath string
	Imports    []string
	Deps       []string
	Error      *struct{ Err string }
}

func TestImports(t *testing.T) {
	for _, r := range rules {
		t.Run(r.pattern, func(t *testing.T) {
			packages := list(t, r.pattern)
			if len(packages) == 0 {
				t.Errorf("no package matches %s: mend the rule, or the tree", r.pattern)
			}
			for _, p := range packages {
				if p.Error != nil {
					t.Errorf("%s: %s", p.ImportPath, p.Error.Err)
				}
				for _, violation := range r.violations(p) {
					t.Error(violation)
				}
			}
		})
	}
}

func (r rule) violations(p goPackage) []string {
	var found []string
	if r.direct != nil {
		for _, path := range p.Imports {
			if !standard(path) && !matches(r.direct, path) {
				found = append(found, p.ImportPath+" imports "+path+", which is not on the list of "+r.pattern)
			}
		}
	}
	for _, path := range p.Deps {
		if matches(r.never, path) {
			found = append(found, p.ImportPath+" reaches "+path+", which "+r.pattern+" must not")
		}
	}
	return found
}

// standard reports whether a path is of the standard library: its first element has no dot.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func matches(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		folder, below := strings.CutSuffix(pattern, "/...")
		return path == folder || below && strings.HasPrefix(path, folder+"/")
	})
}

// list runs go list in the module's root.
func list(t *testing.T, pattern string) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports,Deps,Error", pattern)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	var packages []goPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatalf("%s: %v", cmd, err)
		}
		packages = append(packages, p)
	}
}

// TestViolations shows that the rules can fail.
func TestViolations(t *testing.T) {
	r := rule{pattern: "./x", direct: []string{"a.org/b", "c.org/d/..."}, never: []string{"k8s.io/..."}}
	for _, c := range []struct {
		name    string
		imports []string
		deps    []string
		want    int
	}{
		{"the standard library", []string{"net/http"}, []string{"net/http", "internal/abi"}, 0},
		{"a listed package", []string{"a.org/b"}, nil, 0},
		{"below a listed package", []string{"a.org/b/c"}, nil, 1},
		{"below a listed folder", []string{"c.org/d/e"}, nil, 0},
		{"a namesake of a listed folder", []string{"c.org/dd"}, nil, 1},
		{"something forbidden, by another's import", []string{"a.org/b"}, []string{"a.org/b", "k8s.io/api/core/v1"}, 1},
		{"something forbidden, not listed either", []string{"k8s.io/api"}, []string{"k8s.io/api"}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := r.violations(goPackage{ImportPath: "x", Imports: c.imports, Deps: c.deps}); len(got) != c.want {
				t.Errorf("got %q, want %d violations", got, c.want)
			}
		})
	}
}
