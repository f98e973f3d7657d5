package statusreport

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/texttable"
)

// width is that of wrapped text, in characters.
const width = 100

// Details writes all that is known of one server, as of now.
func Details(out io.Writer, server Server, now time.Time) error {
	page := &page{now: now}
	page.heading(server)
	page.facts(server)
	page.conditions(server)
	page.failures(server.Failures)
	page.keys(server)
	page.pods(server.Pods)
	page.events(server.Events)
	_, err := io.WriteString(out, page.String())
	return err
}

// page collects the parts; writing to it cannot fail.
type page struct {
	strings.Builder

	now time.Time
}

func (p *page) table(indent int, rows [][]string) {
	_ = (&texttable.Table{Indent: indent}).Write(p, rows...)
}

func (p *page) heading(server Server) {
	fmt.Fprintf(p, "MCPServer %s in namespace %s", server.Name, server.Namespace)
	if ready := server.condition(v1alpha1.ConditionReady); ready != nil {
		fmt.Fprintf(p, ": %s", readiness(*ready))
	}
	if server.Evidence.Stale {
		p.WriteString(", as far as anybody knew " + ago(server.Evidence.LastProbeTime.Time, p.now))
	}
	p.WriteString("\n\n")
}

func readiness(ready Condition) string {
	switch ready.Status {
	case metav1.ConditionTrue:
		return "ready"
	case metav1.ConditionFalse:
		return "not ready, " + ready.Reason
	default:
		return "nobody knows, " + ready.Reason
	}
}

func (p *page) facts(server Server) {
	rows := [][]string{
		{"Address", addressText(server)},
		{"Image", server.Image},
		{"Gate", cmp.Or(server.GateImage, "none yet")},
		{"Replicas", replicasText(server)},
		{"Server", serverText(server.ServerInfo)},
		{"Last probe", p.evidence(server.Evidence)},
	}
	if text := policyText(server.Evidence.NetworkPolicy); text != "" {
		rows = append(rows, []string{"Policies", text})
	}
	if text := bareTexts[server.Evidence.BareServer]; text != "" {
		rows = append(rows, []string{"Bare server", text})
	}
	p.table(2, rows)
}

func addressText(server Server) string {
	text := cmp.Or(server.Address, "none yet")
	if server.RoutePending {
		text += "; no gateway has accepted the route yet"
	}
	return text
}

func replicasText(server Server) string {
	text := fmt.Sprintf("%d ready of %d", server.ReadyReplicas, server.Replicas)
	if server.ExistingReplicas != server.Replicas {
		text += fmt.Sprintf(", %d exist", server.ExistingReplicas)
	}
	return text
}

// policyText is empty where nobody has looked.
func policyText(enforcement v1alpha1.NetworkPolicyEnforcement) string {
	switch enforcement {
	case v1alpha1.NetworkPolicyEnforced:
		return "the cluster enforces NetworkPolicies"
	case v1alpha1.NetworkPolicyNotEnforced:
		return "the cluster does not enforce NetworkPolicies: what a pod has open besides its gate can be reached"
	case v1alpha1.NetworkPolicyUnknown:
		return "it is not known whether the cluster enforces NetworkPolicies"
	default:
		return ""
	}
}

// bareTexts say what the server does without its gate.
var bareTexts = map[v1alpha1.BareServerResult]string{
	"Refuses":   "without its gate it refuses requests without a token and malformed ones",
	"Open":      "without its gate it lets in whoever comes",
	"AnyBearer": "without its gate it takes any token",
	"Resets":    "without its gate it resets a request without a good token",
	"Exits":     "without its gate it exits at a request without a good token",
	"Hangs":     "without its gate it hangs at a request without a good token",
	"Unclear":   "what it does without its gate is not clear",
}

func serverText(info *v1alpha1.ServerInfo) string {
	if info == nil {
		return "has not spoken yet"
	}
	text := strings.TrimSpace(info.Name + " " + info.Version)
	if info.ProtocolVersion != "" {
		text += ", MCP " + info.ProtocolVersion
	}
	return text
}

func (p *page) evidence(e Evidence) string {
	if e.LastProbeTime.IsZero() {
		return "never"
	}
	text := fmt.Sprintf("%s, %d of %d pods proven", ago(e.LastProbeTime.Time, p.now), e.ProvenPods, e.Pods)
	if e.Stale {
		text += ". STALE: nobody has looked since, so nothing below is known to hold. Does the operator run?"
	}
	return text
}

// conditions shows every condition, and of those that are not as they should be what was seen and what to do.
func (p *page) conditions(server Server) {
	p.WriteString("\nConditions\n")
	table := texttable.Table{Indent: 2}
	var rows [][]string
	for _, c := range server.Conditions {
		reason := c.Reason
		if c.Outdated {
			reason += " (of an earlier spec)"
		}
		rows = append(rows, []string{c.Type, string(c.Status), reason, duration.HumanDuration(p.now.Sub(c.Since.Time))})
	}
	// Once for the widths of all: each row may be followed by text.
	_ = table.Write(io.Discard, rows...)
	for i, c := range server.Conditions {
		_ = table.Write(p, rows[i])
		if !server.isTold(c) {
			continue
		}
		if c.Message != "" {
			fmt.Fprintln(p, texttable.Wrap(c.Message, width, 6))
		}
		if c.Action != "" {
			fmt.Fprintln(p, texttable.Wrap("What to do: "+c.Action, width, 6))
		}
	}
}

// isTold: there is more to say of the condition than its reason.
func (s Server) isTold(c Condition) bool {
	// Well, and yet something is under way, or somebody has slipped.
	rotating := c.Reason == v1alpha1.ReasonKeysRotating || strings.Contains(c.Message, v1alpha1.AnnotationRevokeKey)
	return c.Type == v1alpha1.ConditionKeysReady && rotating || !c.isWell() && !s.isRepeated(c)
}

// isWell: nothing needs to be done about it.
func (c Condition) isWell() bool {
	bad := c.Type == v1alpha1.ConditionReconciling || c.Type == v1alpha1.ConditionStalled
	return (c.Status == metav1.ConditionTrue) != bad
}

// isRepeated: Ready, Reconciling and Stalled take their reason from another condition, which has the text.
func (s Server) isRepeated(c Condition) bool {
	return isSummary(c) && slices.ContainsFunc(s.Conditions, func(other Condition) bool {
		return other.Reason == c.Reason && !isSummary(other) && !other.isWell()
	})
}

func isSummary(c Condition) bool {
	return slices.Contains([]string{v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled}, c.Type)
}

func (p *page) failures(failures []v1alpha1.AuthFailure) {
	if len(failures) == 0 {
		return
	}
	p.WriteString("\nFailing cases\n")
	for _, failure := range failures {
		fmt.Fprintf(p, "  %s on pod %s\n", failure.Case, failure.Pod)
		for _, side := range [][2]string{{"expected: ", failure.Expected}, {"seen: ", failure.Seen}} {
			if side[1] != "" {
				fmt.Fprintln(p, texttable.Wrap(side[0]+side[1], width, 6))
			}
		}
	}
}

func (p *page) keys(server Server) {
	if len(server.Keys) > 0 {
		p.WriteString("\nKeys\n")
		p.table(2, keyRows(server.Keys, server.ExistingReplicas, p.now))
	}
}

func (p *page) pods(pods []Pod) {
	p.WriteString("\nPods\n")
	if len(pods) == 0 {
		p.WriteString("  none\n")
		return
	}
	rows := [][]string{{"NAME", "READY", "PROVEN", "RESTARTS", "AGE", "NODE", "STATE"}}
	for _, pod := range pods {
		ready := "no"
		if pod.Ready {
			ready = "yes"
		}
		rows = append(rows, []string{
			pod.Name, ready, provenText(pod), fmt.Sprint(pod.Restarts), duration.HumanDuration(p.now.Sub(pod.Created.Time)),
			cmp.Or(pod.Node, "-"), stateText(pod),
		})
	}
	p.table(2, rows)
}

func provenText(pod Pod) string {
	switch pod.Proven {
	case corev1.ConditionTrue:
		return "yes"
	case corev1.ConditionFalse:
		return "no: " + pod.ProvenReason
	default:
		return "not yet"
	}
}

func stateText(pod Pod) string {
	text := pod.Phase
	if pod.Trouble != "" {
		text += ", " + pod.Trouble
	}
	if pod.Foreign {
		text += ", NOT MADE FOR THIS SERVER"
	}
	return text
}

func (p *page) events(events []Event) {
	if len(events) == 0 {
		return
	}
	p.WriteString("\nLast events\n")
	table := texttable.Table{Indent: 2}
	var rows [][]string
	for _, e := range events {
		times := ""
		if e.Count > 1 {
			times = fmt.Sprintf("%d times", e.Count)
		}
		rows = append(rows, []string{ago(e.Time.Time, p.now), e.Type, e.Reason, times})
	}
	_ = table.Write(io.Discard, rows...)
	for i, e := range events {
		_ = table.Write(p, rows[i])
		fmt.Fprintln(p, texttable.Wrap(e.Message, width, 6))
	}
}
