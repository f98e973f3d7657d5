package controllers_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"
)

// schema is the part of a CRD's schema by which specs are made up.
type schema struct {
	Type       string            `json:"type"`
	Enum       []string          `json:"enum"`
	Required   []string          `json:"required"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
	Minimum    *int64            `json:"minimum"`
	Maximum    *int64            `json:"maximum"`
	MinLength  int               `json:"minLength"`
	MinItems   int               `json:"minItems"`
	MaxItems   *int              `json:"maxItems"`
	ListType   string            `json:"x-kubernetes-list-type"`
	MapKeys    []string          `json:"x-kubernetes-list-map-keys"`
}

// specSchema reads the schema of spec from the CRD.
func specSchema() schema {
	data, err := os.ReadFile("../config/crd/bases/mcp.gatehouse.dev_mcpservers.yaml")
	Expect(err).NotTo(HaveOccurred())
	var crd struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema schema `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	Expect(yaml.Unmarshal(data, &crd)).To(Succeed())
	return crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
}

// author makes up specs. Where the schema alone tells what a field may hold, the value follows from it: a new field needs
// no line here. For the rest there are samples, by path.
type author struct {
	*rand.Rand
	// density is how likely an optional field is set.
	density float64
	// words makes names that are not there yet.
	words int
}

// spec makes up a spec that ought to be admitted.
func (a *author) spec(s schema) map[string]any {
	a.density, a.words = 0.05+0.6*a.Float64(), 0
	spec, _ := a.value("", s).(map[string]any)
	a.reconcile(spec)
	return spec
}

func (a *author) value(path string, s schema) any {
	if makeUp, found := samples[path]; found {
		return makeUp(a)
	}
	if at := slices.IndexFunc(sampleEnds, func(e sampleEnd) bool { return strings.HasSuffix(path, e.end) }); at >= 0 {
		return sampleEnds[at].makeUp(a)
	}
	switch {
	case len(s.Enum) > 0:
		return one(a, s.Enum...)
	case s.Type == "integer":
		return a.number(s)
	case s.Type == "boolean":
		return a.IntN(2) == 0
	case s.Type == "array":
		return a.list(path, s)
	case s.Type == "object":
		return a.object(path, s)
	}
	return a.word()
}

func (a *author) object(path string, s schema) map[string]any {
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if slices.Contains(s.Required, name) || a.Float64() < a.density {
			out[name] = a.value(path+"."+name, s.Properties[name])
		}
	}
	return out
}

func (a *author) list(path string, s schema) []any {
	most := 3
	if s.MaxItems != nil {
		most = min(most, *s.MaxItems)
	}
	out := []any{}
	told := map[string]bool{}
	for range s.MinItems + a.IntN(most-s.MinItems+1) {
		item := a.value(path+"[]", *s.Items)
		identity := fmt.Sprint(item)
		if fields, isObject := item.(map[string]any); isObject && len(s.MapKeys) > 0 {
			identity = fmt.Sprint(fields[s.MapKeys[0]])
		}
		if s.ListType == "atomic" && len(s.Items.Enum) == 0 || !told[identity] {
			told[identity] = true
			out = append(out, item)
		}
	}
	return out
}

// number prefers the ends of what is allowed.
func (a *author) number(s schema) int64 {
	least, most := int64(0), int64(1000)
	if s.Minimum != nil {
		least = *s.Minimum
	}
	if s.Maximum != nil {
		most = *s.Maximum
	}
	return one(a, least, most, least+a.Int64N(most-least+1), least+a.Int64N(min(most-least, 100)+1))
}

func (a *author) word() string {
	a.words++
	return fmt.Sprintf("%s%d", one(a, "alpha", "beta", "gamma", "delta"), a.words)
}

func one[T any](a *author, choices ...T) T { return choices[a.IntN(len(choices))] }

// some gives each entry with even chances.
func (a *author) some(all map[string]any) map[string]any {
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if a.IntN(2) == 0 {
			out[name] = all[name]
		}
	}
	return out
}

// spoil changes one thing in a spec, and says what. The result may be admitted or refused.
func (a *author) spoil(spec map[string]any) string {
	var steps []func() string
	visit("spec", spec, func(path string, node any, put func(any)) {
		for _, change := range changesOf(node) {
			steps = append(steps, func() string {
				put(change.to)
				return path + " " + change.name
			})
		}
	})
	return steps[a.IntN(len(steps))]()
}

// visit shows every value in a tree, and how to put another in its place.
func visit(path string, node any, show func(path string, node any, put func(any))) {
	switch node := node.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(node)) {
			show(path+"."+name, node[name], func(to any) {
				if node[name] = to; to == nil {
					delete(node, name)
				}
			})
			visit(path+"."+name, node[name], show)
		}
	case []any:
		for i := range node {
			show(fmt.Sprintf("%s[%d]", path, i), node[i], func(to any) { node[i] = to })
			visit(fmt.Sprintf("%s[%d]", path, i), node[i], show)
		}
	}
}

type specChange struct {
	name string
	to   any
}

// changesOf are those that people make by mistake.
func changesOf(node any) []specChange {
	switch node := node.(type) {
	case string:
		return []specChange{
			{"is empty", ""}, {"has a space", node + " x"}, {"has a line break", node + "\n"}, {"is in capitals", strings.ToUpper(node)},
			{"is too long", strings.Repeat("x", 5000)}, {"climbs", "../" + node}, {"begins with a dash", "-" + node}, {"is absent", nil},
		}
	case int64:
		return []specChange{{"is 0", int64(0)}, {"is negative", int64(-1)}, {"is huge", int64(1) << 40}, {"is a word", "many"}, {"is absent", nil}}
	case bool:
		return []specChange{{"is a word", "yes"}}
	case []any:
		out := []specChange{{"is empty", []any{}}, {"is absent", nil}}
		if len(node) > 0 {
			out = append(out, specChange{"has an item twice", append(slices.Clone(node), node[0])})
		}
		return out
	case map[string]any:
		more := maps.Clone(node)
		more["hostNetwork"] = true
		return []specChange{{"is empty", map[string]any{}}, {"is absent", nil}, {"has an unknown field", more}}
	}
	return nil
}

var index = regexp.MustCompile(`\[\d+\]`)

// isKubernetesOwn tells of a path that what stands there has a type of Kubernetes: the schema cannot judge all of it, and an
// API server that refuses the object is told of in Accepted, as ObjectRefused.
func isKubernetesOwn(path string) bool {
	path = index.ReplaceAllString(path, "[]")
	return kubernetesOwn.MatchString(path)
}

var kubernetesOwn = regexp.MustCompile(`^spec\.(env\[\]|envFrom\[\]|resources|gate\.resources|volumes\[\]|volumeMounts\[\]|imagePullSecrets\[\]|` +
	`service\.annotations|pod\.(labels|annotations|nodeSelector|affinity|tolerations|topologySpreadConstraints)|network\..*Selector)`)
