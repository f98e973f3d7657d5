package conditions

import (
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func declared(t *testing.T) Declared {
	t.Helper()
	out, err := Read("../../api/v1alpha1/conditions.go")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var all = []metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown}

func TestEveryReasonBelongsToACondition(t *testing.T) {
	d := declared(t)
	if len(d.Types) < 7 || len(d.Reasons) < 30 {
		t.Fatalf("read %d types and %d reasons: has the file another form now?", len(d.Types), len(d.Reasons))
	}
	listed := map[string]bool{}
	for _, kind := range d.Types {
		reasons := 0
		for _, status := range all {
			for _, reason := range d.Of(kind, status) {
				reasons, listed[reason] = reasons+1, true
				if d.Reasons[reason] == "" {
					t.Errorf("%s lists %q, which is no declared reason with a comment", kind, reason)
				}
			}
		}
		if reasons == 0 {
			t.Errorf("%s lists no reasons", kind)
		}
	}
	for reason := range d.Reasons {
		if !listed[reason] {
			t.Errorf("no condition lists the reason %s", reason)
		}
	}
}

func TestListsAreRead(t *testing.T) {
	d := declared(t)
	for _, c := range []struct {
		kind   string
		status metav1.ConditionStatus
		reason string
		want   bool
	}{
		{"AuthHealthy", metav1.ConditionFalse, "PodTampered", true}, // on the second line of its list
		{"AuthHealthy", metav1.ConditionTrue, "PodTampered", false},
		{"AuthHealthy", metav1.ConditionUnknown, "EvidenceStale", true},
		{"Ready", metav1.ConditionFalse, "NameTaken", true}, // taken from Accepted
		{"Ready", metav1.ConditionFalse, "PodTampered", true},
		{"Ready", metav1.ConditionUnknown, "Pending", true},
		{"Ready", metav1.ConditionUnknown, "NoPods", true},
		{"Ready", metav1.ConditionTrue, "Proven", false},
		{"Stalled", metav1.ConditionTrue, "GateBypass", true},
		{"Stalled", metav1.ConditionFalse, "GateBypass", false},
	} {
		if got := slices.Contains(d.Of(c.kind, c.status), c.reason); got != c.want {
			t.Errorf("%s=%s with reason %s: %v, want %v", c.kind, c.status, c.reason, got, c.want)
		}
	}
}
