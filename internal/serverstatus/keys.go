package serverstatus

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/conditions"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/terminal"
)

// KeysPublished is the message of KeysReady while nothing is to be said.
const KeysPublished = "Every provider has its keys."

// judgeKeys: a spec that is not carried out has keys of ours only if an earlier one had.
func judgeKeys(server *v1alpha1.MCPServer, seen Seen, wrong *terminal.Error, now time.Time) conditions.Verdict {
	_, managed := desired.Resolve(server).Managed()
	rotates := judgeRotation(seen.Turns, isStored(wrong) || seen.Stored, seen.Published, now)
	switch {
	case wrong != nil && wrong.Condition == v1alpha1.ConditionKeysReady:
		told := conditions.False(wrong.Reason, wrong.Message)
		if rotates.Status == metav1.ConditionFalse { // A revocation is told besides.
			return told.And(rotates.Message)
		}
		return told
	case !isStored(wrong) && managed && seen.Versions[desired.KeysSecretName(server)] == "":
		return conditions.False(v1alpha1.ReasonKeysPending, "No key is made before the spec can be carried out.")
	}
	lacks := judgeMissing(server, seen.Missing, len(seen.Pods), now)
	turns := judgeTurnover(seen.GateSecret, isStored(wrong), now)
	told := worstOfKeys(rotates, lacks, judgeLost(server, seen.Turns, isStored(wrong)), turns)
	if told.Reason == "" {
		return conditions.True(v1alpha1.ReasonKeysPublished, KeysPublished+notUsed(seen.Faulty))
	}
	return told
}

// worstOfKeys is the verdict that matters most, with what others have to say besides; one without a reason if none has.
func worstOfKeys(rotates, lacks, lost, turns conditions.Verdict) conditions.Verdict {
	switch {
	case rotates.Status == metav1.ConditionFalse:
		return rotates.And(lost.Message)
	case lacks.Reason != "":
		return lacks.And(lost.Message)
	case lost.Reason != "":
		return lost.And(rotates.Message, turns.Message)
	case rotates.Reason != "":
		return rotates.And(turns.Message)
	default:
		return turns
	}
}

// notUsed tells of keys that are at fault; the first few stand for all.
func notUsed(faulty []string) string {
	const told = 5
	switch {
	case len(faulty) == 0:
		return ""
	case len(faulty) > told:
		return fmt.Sprintf(" %d keys are at fault and not used: %s; and others.", len(faulty), strings.Join(faulty[:told], "; "))
	default:
		return " Not used, as they are at fault: " + strings.Join(faulty, "; ") + "."
	}
}
