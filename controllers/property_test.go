package controllers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/inventory"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/network"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/workload"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// warnings are those of the API server.
type warnings struct {
	sync.Mutex
	texts []string
}

func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, _ int, _, text string) {
	w.Lock()
	defer w.Unlock()
	w.texts = append(w.texts, text)
}

// take gives the warnings since the last time.
func (w *warnings) take() []string {
	w.Lock()
	defer w.Unlock()
	texts := w.texts
	w.texts = nil
	return texts
}

// specExaminer puts specs, and what follows from them, to the API server, which keeps none of it.
type specExaminer struct {
	client.Client

	warnings  *warnings
	namespace string
	inputs    desired.Inputs
}

func newExaminer(ctx context.Context) specExaminer {
	GinkgoHelper()
	namespace := &corev1.Namespace{}
	Expect(k8s.Get(ctx, client.ObjectKey{Name: newNamespace(ctx)}, namespace)).To(Succeed())
	for _, mode := range []string{"enforce", "warn"} {
		metav1.SetMetaDataLabel(&namespace.ObjectMeta, "pod-security.kubernetes.io/"+mode, "restricted")
	}
	Expect(k8s.Update(ctx, namespace)).To(Succeed())
	heard := &warnings{}
	config := rest.CopyConfig(restConfig)
	config.WarningHandlerWithContext, config.QPS = heard, -1
	c, err := client.New(config, client.Options{Scheme: k8s.Scheme(), FieldValidation: metav1.FieldValidationStrict})
	Expect(err).NotTo(HaveOccurred())
	key, err := keys.Generate(keys.EdDSA)
	Expect(err).NotTo(HaveOccurred())
	return specExaminer{c, heard, namespace.Name, desired.Inputs{
		Cluster:    desired.Issuer{URL: "https://kubernetes.default.svc", Keys: []keys.Public{key.Public()}},
		Keys:       map[string][]keys.Private{"": {key}},
		GateSecret: map[string][]byte{"current": make([]byte, 32)}, GateImage: testGateImage, ClusterDomain: "cluster.local",
		OperatorNamespace: "gatehouse-system", OperatorLabels: map[string]string{"app": "gatehouse"},
	}}
}

// examination is what became of a spec.
type examination int

const (
	refused examination = iota
	admitted
	// stopped: admission could not tell, and the operator does: GateBypass, InvalidSpec or ObjectRefused.
	stopped
)

// examine asks whether a spec is admitted, and what is wrong with what follows from it. spoilt is what was changed in it.
func (e specExaminer) examine(ctx context.Context, spec map[string]any, spoilt string) (examination, error) {
	asked := &unstructured.Unstructured{Object: map[string]any{"spec": runtime.DeepCopyJSON(spec)}}
	asked.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("MCPServer"))
	asked.SetNamespace(e.namespace)
	asked.SetName("x")
	err := e.Create(ctx, asked, client.DryRunAll)
	if said := e.warnings.take(); len(said) > 0 {
		return refused, fmt.Errorf("warnings: %q", said)
	}
	switch {
	case err == nil:
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		if spoilt == "" {
			return refused, fmt.Errorf("a spec that nobody has spoilt is refused: %w", err)
		}
		return refused, nil
	default:
		return refused, fmt.Errorf("neither admitted nor refused: %w", err)
	}
	server := &v1alpha1.MCPServer{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(asked.Object, server, true); err != nil {
		return admitted, fmt.Errorf("decode: %w", err)
	}
	return e.follow(ctx, server, spoilt)
}

// follow puts the objects of an admitted server to the API server.
func (e specExaminer) follow(ctx context.Context, server *v1alpha1.MCPServer, spoilt string) (examination, error) {
	objects, err := inventory.Of(server, e.inputsFor(server))
	if err != nil {
		if spoilt != "" && foreseen(err) {
			return stopped, nil
		}
		return admitted, fmt.Errorf("no objects: %w", err)
	}
	for _, object := range objects {
		live, err := e.apply(ctx, object)
		if said := e.warnings.take(); len(said) > 0 && !isKubernetesOwn(spoilt) {
			return admitted, fmt.Errorf("warnings: %q", said)
		}
		switch {
		case isKubernetesOwn(spoilt) && apierrors.IsInvalid(err):
			return stopped, nil
		case live == nil && err == nil: // an HTTPRoute, where there is no Gateway API
		case err != nil:
			return admitted, err
		default:
			if err := e.inspect(server, object, live); err != nil {
				return admitted, err
			}
		}
	}
	return admitted, nil
}

func foreseen(err error) bool {
	switch err.(type) { //nolint:errorlint // Objects gives these two as they are
	case *inventory.UnlockedError, *desired.InvalidError:
		return true
	}
	return false
}

func (e specExaminer) inputsFor(server *v1alpha1.MCPServer) desired.Inputs {
	in := e.inputs
	in.Keys, in.Rotations = map[string][]keys.Private{}, map[string][]byte{}
	for _, provider := range desired.Resolve(server).Providers {
		in.Keys[provider.Name], in.Rotations[provider.Name] = e.inputs.Keys[""], []byte("{}")
	}
	return in
}

// apply gives what the API server would make of an object; nil if it has no such kind.
func (e specExaminer) apply(ctx context.Context, object runtime.ApplyConfiguration) (*unstructured.Unstructured, error) {
	data, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	out := &unstructured.Unstructured{}
	if err := json.Unmarshal(data, &out.Object); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	kind := out.GetKind()
	err = e.Apply(ctx, client.ApplyConfigurationFromUnstructured(out), client.FieldOwner("gatehouse"), client.ForceOwnership, client.DryRunAll)
	if kind == network.HTTPRouteKind.Kind && err != nil && strings.Contains(err.Error(), "no matches for kind") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	return out, nil
}

// inspect asks whether the pods of a Deployment are locked, and whether the gate takes its configuration.
func (e specExaminer) inspect(server *v1alpha1.MCPServer, asked runtime.ApplyConfiguration, live *unstructured.Unstructured) error {
	key, err := gateconfig.Key(server)
	if err != nil {
		return err
	}
	if text, found, _ := unstructured.NestedString(live.Object, "data", key); found && live.GetKind() == "ConfigMap" {
		if _, err := gateapi.ParseConfig([]byte(text)); err != nil {
			return fmt.Errorf("the gate does not take its configuration: %w", err)
		}
	}
	if live.GetKind() != "Deployment" {
		return nil
	}
	var wanted, got appsv1.Deployment
	data, err := json.Marshal(asked)
	if err == nil {
		err = json.Unmarshal(data, &wanted)
	}
	if err == nil {
		err = runtime.DefaultUnstructuredConverter.FromUnstructured(live.Object, &got)
	}
	if err != nil {
		return fmt.Errorf("decode Deployment: %w", err)
	}
	lock := podlock.Of(server, workload.Defaulted(wanted.Spec.Template.Spec))
	if violations := podlock.Violations(got.Spec.Template.Spec, lock); len(violations) > 0 {
		return fmt.Errorf("the pods are not locked: %v", violations)
	}
	return nil
}

// numberFrom reads a number from the environment.
func numberFrom(variable string, otherwise int64) int64 {
	GinkgoHelper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	number, err := strconv.ParseInt(text, 10, 64)
	Expect(err).NotTo(HaveOccurred(), variable)
	return number
}

var _ = Describe("Specs that nobody has thought of", func() {
	It("are refused, or give objects that the API server accepts and pods that are locked", func(ctx SpecContext) {
		seed := numberFrom("PROPERTY_SEED", time.Now().UnixNano())
		end := time.Now().Add(time.Duration(numberFrom("PROPERTY_SECONDS", 20)) * time.Second)
		examiner, fields := newExaminer(ctx), specSchema()
		counts := map[examination]int{}
		var wrong []string
		for n := int64(0); time.Now().Before(end) && len(wrong) < 40; n++ {
			a := &author{Rand: rand.New(rand.NewPCG(uint64(seed), uint64(n)))}
			spec, spoilt := a.spec(fields), ""
			if n%3 == 2 {
				spoilt = a.spoil(spec)
			}
			verdict, err := examiner.examine(ctx, spec, spoilt)
			if err != nil {
				text, _ := json.Marshal(spec)
				wrong = append(wrong, fmt.Sprintf("PROPERTY_SEED=%d, spec %d (spoilt: %q): %v\n%s", seed, n, spoilt, err, text))
			}
			counts[verdict]++
		}
		AddReportEntry("random specs", fmt.Sprintf("PROPERTY_SEED=%d: %d admitted, %d refused, %d stopped by the operator",
			seed, counts[admitted], counts[refused], counts[stopped]))
		if len(wrong) > 0 {
			Fail(strings.Join(wrong, "\n\n")) // Gomega would cut it short
		}
		Expect(counts[admitted]).To(BeNumerically(">", counts[refused]))
		Expect(counts[refused]).NotTo(BeZero())
	})
})
