package statusreport

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/texttable"
)

// Overview is a table with a row for each server, which can be added to: while a server is watched, each change of it is
// a row.
type Overview struct {
	// Namespaces says whether there is a column for them.
	Namespaces bool
	table      texttable.Table
	begun      bool
}

// Write writes rows as of now, under a heading when they are the first.
func (o *Overview) Write(out io.Writer, servers []Server, now time.Time) error {
	var rows [][]string
	if !o.begun {
		rows = append(rows, o.row("NAMESPACE", "NAME", "READY", "REASON", "AUTH", "REPLICAS", "LAST REPORT", "NOTES"))
		o.begun = true
	}
	for _, server := range servers {
		ready, auth := server.condition(v1alpha1.ConditionReady), server.condition(v1alpha1.ConditionAuthHealthy)
		if ready == nil {
			ready = &Condition{Status: "Unknown", Reason: v1alpha1.ReasonPending}
		}
		if auth == nil {
			auth = &Condition{Reason: v1alpha1.ReasonNotYetProbed}
		}
		rows = append(rows, o.row(server.Namespace, server.Name, string(ready.Status), ready.Reason, auth.Reason,
			fmt.Sprintf("%d/%d", server.ReadyReplicas, server.Replicas), server.Evidence.lastReport(now), strings.Join(server.Notes, "; ")))
	}
	return o.table.Write(out, rows...)
}

func (o *Overview) row(namespace string, cells ...string) []string {
	if o.Namespaces {
		return append([]string{namespace}, cells...)
	}
	return cells
}

// lastReport is the age of the evidence, and a mark when it is stale.
func (e Evidence) lastReport(now time.Time) string {
	switch {
	case !isDated(e.LastProbeTime):
		return "never"
	case e.Stale:
		return ago(e.LastProbeTime, now) + ", STALE"
	default:
		return ago(e.LastProbeTime, now)
	}
}
