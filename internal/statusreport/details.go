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
	page.pods(server.Pods)
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
		{"Address", cmp.Or(server.Address, "none yet")},
		{"Image", server.Image},
		{"Gate", cmp.Or(server.GateImage, "none yet")},
		{"Replicas", fmt.Sprintf("%d ready of %d", server.ReadyReplicas, server.Replicas)},
		{"Server", serverText(server.ServerInfo)},
		{"Last probe", p.evidence(server.Evidence)},
	}
	for i, key := range server.Keys {
		label := ""
		if i == 0 {
			label = "Keys"
		}
		rows = append(rows, []string{label, strings.TrimSpace(key.Provider + "  " + key.KID + "  " + key.Algorithm)})
	}
	p.table(2, rows)
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
		if c.isWell() || server.isRepeated(c) {
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

// isWell: nothing needs to be said of it.
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
