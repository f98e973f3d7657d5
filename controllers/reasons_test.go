package controllers_test

import (
	"maps"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/test/conditions"
)

// saidReasons are the reasons that a spec asked a condition for, and that it had.
var saidReasons = map[string]bool{}

// say matches a condition by status and reason.
func say(status metav1.ConditionStatus, reason string) OmegaMatcher {
	return And(HaveField("Status", status), HaveField("Reason", reason), Satisfy(func(any) bool {
		saidReasons[reason] = true
		return true
	}))
}

const reasonsSaid = "reasons that conditions gave"

// A reason that is declared, and documented for whoever is woken at night, is one that something leads to. A new one is
// reached by a spec that expects it by say. Only a run of all specs can tell that none does.
var _ = ReportAfterSuite("Every declared reason is reached", func(report Report) {
	for _, spec := range report.SpecReports {
		if spec.LeafNodeType == types.NodeTypeIt && spec.State != types.SpecStatePassed {
			return
		}
	}
	declared, err := conditions.Read("../api/v1alpha1/conditions.go")
	Expect(err).NotTo(HaveOccurred())
	reached := reported(report, reasonsSaid)
	missing := slices.DeleteFunc(slices.Sorted(maps.Keys(declared.Reasons)), func(reason string) bool { return reached[reason] })
	Expect(missing).To(BeEmpty(), "no spec has a condition say them")
})
