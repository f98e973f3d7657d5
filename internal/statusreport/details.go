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

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/texttable"
)

// width is that of wrapped text, in characters.
const width = 100

// Details writes all that is known of one server, as of now.
func Details(out io.Writer, server Server, now time.Time) error {
	p := &page{now: now}
	p.heading(server)
	p.facts(server)
	p.conditions(server)
	p.failures(server.Failures)
	p.keys(server)
	p.pods(server)
	p.events(server)
	_, err := io.WriteString(out, p.String())
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
		p.WriteString(", as of " + ago(server.Evidence.LastProbeTime, p.now))
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
		return "not known, " + ready.Reason
	}
}

func (p *page) facts(server Server) {
	rows := [][]string{
		{"Address", addressText(server)},
		{"Image", server.Image},
		{"Gate", cmp.Or(server.GateImage, "none yet")},
		{"Replicas", replicasText(server)},
		{"Server", serverText(server.ServerInfo)},
		{"Last report", p.evidence(server.Evidence)},
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
		return "NetworkPolicies are enforced, as far as the operator sees: it cannot connect to a port that they open to nobody"
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
	"Hangs":     "without its gate it gave no answer within 15 s to a request without a good token, and answered another meanwhile",
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
	if !isDated(e.LastProbeTime) {
		return "none: the lock was not tried yet"
	}
	text := fmt.Sprintf("%s: %d of %d pods proven", ago(e.LastProbeTime, p.now), e.ProvenPods, e.Pods)
	if e.Stale {
		return text + ". STALE: nothing was reported since, so nothing below is known to hold. Does the operator run?"
	}
	return text + " (a change is reported at once, else every ten minutes)"
}

// conditions shows every condition with what was seen, also of those that are True: that is where warnings are. What to do
// is told of those that are not as they should be, and of warnings.
func (p *page) conditions(server Server) {
	p.WriteString("\nConditions\n")
	if len(server.Conditions) == 0 {
		p.WriteString("  none: no operator has looked at this MCPServer yet\n")
		return
	}
	table := texttable.Table{Indent: 2}
	var rows [][]string
	for _, c := range server.Conditions {
		reason := c.Reason
		if c.Outdated {
			reason += " (of an earlier spec)"
		}
		rows = append(rows, []string{c.Type, string(c.Status), reason, age(c.Since, p.now)})
	}
	// Once for the widths of all: each row may be followed by text.
	_ = table.Write(io.Discard, rows...)
	for i, c := range server.Conditions {
		_ = table.Write(p, rows[i])
		if !isSummary(c) || !c.isWell() && !isRepeated(c, server.Conditions) {
			p.explain(c)
		}
	}
}

// explain writes what was seen of a condition, and what to do about it if there is anything to do.
func (p *page) explain(c Condition) {
	if c.Message != "" {
		fmt.Fprintln(p, texttable.Wrap(c.Message, width, 6))
	}
	if c.Action != "" && (!c.isWell() || c.isUnderWay() || c.warns()) {
		fmt.Fprintln(p, texttable.Wrap("What to do: "+c.Action, width, 6))
	}
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

func (p *page) pods(server Server) {
	p.WriteString("\nPods\n")
	switch {
	case slices.Contains(server.NotShown, Pods):
		fmt.Fprintf(p, "  not shown: you may not list pods in namespace %s\n", server.Namespace)
		return
	case len(server.Pods) == 0:
		p.WriteString("  none\n")
		return
	}
	rows := [][]string{{"NAME", "READY", "PROVEN", "RESTARTS", "AGE", "NODE", "STATE"}}
	for _, pod := range server.Pods {
		ready := "no"
		if pod.Ready {
			ready = "yes"
		}
		rows = append(rows, []string{
			pod.Name, ready, provenText(pod), fmt.Sprint(pod.Restarts), age(pod.Created, p.now), cmp.Or(pod.Node, "-"), stateText(pod),
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
	switch {
	case pod.Foreign:
		text += ", FOREIGN: wears this server's labels, made by " + cmp.Or(pod.MadeBy, "hand")
	case pod.Former:
		text += ", of an earlier MCPServer of this name"
	}
	return text
}

func (p *page) events(server Server) {
	if slices.Contains(server.NotShown, Events) {
		fmt.Fprintf(p, "\nLast events\n  not shown: you may not list Events in namespace %s\n", server.Namespace)
		return
	}
	if len(server.Events) == 0 {
		return
	}
	p.WriteString("\nLast events\n")
	table := texttable.Table{Indent: 2}
	var rows [][]string
	for _, e := range server.Events {
		times := ""
		if e.Count > 1 {
			times = fmt.Sprintf("%d times", e.Count)
		}
		rows = append(rows, []string{ago(e.Time, p.now), e.Type, e.Reason, times})
	}
	_ = table.Write(io.Discard, rows...)
	for i, e := range server.Events {
		_ = table.Write(p, rows[i])
		fmt.Fprintln(p, texttable.Wrap(e.Message, width, 6))
	}
}
