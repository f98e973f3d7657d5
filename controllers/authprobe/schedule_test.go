package authprobe

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probebudget"
	"github.com/mcp-gatehouse/gatehouse/internal/servicehealth"
)

func TestNextLook(t *testing.T) {
	minutely := &v1alpha1.MCPServer{}
	minutely.Spec.AuthProbe = &v1alpha1.AuthProbe{IntervalSeconds: ptr.To(int32(60))}
	in := func(wait time.Duration) authhealth.PodFindings { return authhealth.PodFindings{Due: noon.Add(wait)} }
	for name, c := range map[string]struct {
		findings authhealth.Findings
		pods     int
		want     time.Duration
	}{
		"no pods":                  {nil, 0, 0},
		"a pod not tried yet":      {nil, 1, time.Minute},
		"the soonest of several":   {authhealth.Findings{"a": in(20 * time.Second), "b": in(10 * time.Second)}, 2, 10 * time.Second},
		"one that is long overdue": {authhealth.Findings{"a": in(-time.Hour)}, 1, time.Millisecond},
	} {
		p := pass{server: minutely, pods: make([]corev1.Pod, c.pods), findings: c.findings, service: servicehealth.View{Due: noon.Add(time.Hour)}}
		if got := p.untilDue(noon); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// keyless is an API server without Secrets.
type keyless struct{ client.Client }

// What cannot be tried must be looked at again, and not at once: nothing but time brings us back.
func TestPodThatCannotBeTriedIsPutOff(t *testing.T) {
	now := time.Unix(1e9, 0)
	running := corev1.PodStatus{PodIP: "10.0.0.1", InitContainerStatuses: []corev1.ContainerStatus{{
		Name: desired.GateContainer, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
	}}}
	for name, c := range map[string]struct {
		status corev1.PodStatus
		before authhealth.Findings
	}{
		"no keys, tried before": {running, authhealth.Findings{"u": {Standing: &good, Due: now.Add(-time.Second)}}},
		"no keys, never tried":  {running, nil},
		"its gate has crashed":  {corev1.PodStatus{PodIP: "10.0.0.1"}, authhealth.Findings{"u": {Standing: &good, Due: now}}},
	} {
		server := &v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "x"}}
		r := &Reconciler{Client: keyless{}, Now: func() time.Time { return now }, Jitter: func() float64 { return 0 }}
		pods := []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{UID: "u"}, Status: c.status}}
		use, err := r.credentials(t.Context(), server)
		if err != nil {
			t.Fatal(err)
		}
		p := &pass{server: server, pods: pods, use: use, findings: c.before, service: servicehealth.View{Due: now.Add(time.Hour)}}
		r.tryDue(t.Context(), p)
		if wait := p.untilDue(now); wait < time.Second || wait > time.Minute {
			t.Errorf("%s: looked at again after %v", name, wait)
		}
	}
}

// Quick checks leave enough of the budget for the first proof of a pod, unless they are late themselves.
func TestFirstProofsAreDueBeforeQuickChecks(t *testing.T) {
	r := &Reconciler{Now: func() time.Time { return noon }, Jitter: func() float64 { return 0 }, budget: probebudget.New(probebudget.FullCost + probebudget.QuickCost)}
	settings := desired.Probe{Interval: time.Minute}
	quick := func(age time.Duration) *authhealth.PodFindings {
		return &authhealth.PodFindings{Standing: &authhealth.Evidence{Grade: authhealth.Proven, At: noon.Add(-age)}, Full: authhealth.FullProof{Until: noon.Add(time.Hour)}}
	}
	due := func(what string, known *authhealth.PodFindings, want bool) {
		t.Helper()
		if got := r.isDue(known, settings, 1); got != want {
			t.Errorf("%s: due is %v", what, got)
		}
	}
	due("a quick check, of a full budget", quick(time.Minute), true)
	due("a second quick check", quick(time.Minute), false)
	due("a late quick check", quick(2*time.Minute), true)
	due("a first proof, of which a part is gone", &authhealth.PodFindings{}, false)
	r.budget = probebudget.New(probebudget.FullCost + probebudget.QuickCost)
	due("a quick check", quick(time.Minute), true)
	due("a second quick check", quick(time.Minute), false)
	due("a first proof", &authhealth.PodFindings{}, true)
}

// TestUrgedPodsWaitForNobody, and a proof that is about to lapse does not for want of budget.
func TestUrgedPodsWaitForNobody(t *testing.T) {
	for name, c := range map[string]struct {
		urgent bool
		age    time.Duration
		want   bool
	}{"no budget": {false, time.Minute, false}, "urged": {true, time.Minute, true}, "about to lapse": {false, authhealth.ProofLasts(thrice) - time.Second, true}} {
		r := &Reconciler{Now: func() time.Time { return noon }, Jitter: func() float64 { return 0 }, budget: probebudget.New(1)}
		r.budget.Charge(probebudget.FullCost, noon)
		standing := good
		standing.At = noon.Add(-c.age)
		e := authhealth.PodFindings{Standing: &standing, Due: noon, Urgent: c.urgent}
		if got := r.isDue(&e, thrice, 1); got != c.want || !got && e.Hindered != authhealth.HinderedByBudget {
			t.Errorf("%s: %t, %q", name, got, e.Hindered)
		}
	}
	standing := good
	standing.At = noon.Add(-time.Hour)
	if got := standing.AsOf(noon, thrice, authhealth.HinderedByBudget); !strings.Contains(got.Message, "--probe-qps") {
		t.Errorf("%s", got.Message)
	}
	if e := (authhealth.Findings{"a": {Due: noon.Add(time.Hour), Full: authhealth.FullProof{Basis: "b"}}}).Urged(noon)["a"]; !e.Urgent || !e.Due.Equal(noon) || e.Full.Basis != "" {
		t.Errorf("%+v", e)
	}
}

func (keyless) Get(_ context.Context, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	return apierrors.NewNotFound(corev1.Resource("secrets"), key.Name)
}

func TestRemembered(t *testing.T) {
	known, after := failuresOf(t), probe.FailuresFor(probe.Failure{Result: probe.Result{Case: probe.Malformed}})
	if got := remembered(known, known, after); got.Len() != 1 {
		t.Errorf("handed on: %+v", got)
	}
	if got := remembered(known, probe.Failures{}, after); got.Len() != 2 {
		t.Errorf("kept back: %+v", got)
	}
}
