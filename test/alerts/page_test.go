//go:build alerts

package alerts

import (
	"strings"
	"testing"
)

// summaries are the first lines of the pages, as their reader gets them.
var summaries = map[string]string{
	"GatehouseOperatorDown/no pod":                                "No operator of Gatehouse works",
	"GatehouseOperatorDown/a pod that does not answer":            "No operator of Gatehouse works in namespace gatehouse-system",
	"GatehouseOperatorDown/two replicas and none leads":           "No operator of Gatehouse works in namespace gatehouse-system",
	"GatehouseLockFails":                                          "The lock of MCPServer team-a/files does not hold",
	"GatehouseBadTokenAccepted":                                   "MCPServer team-a/files let in a request that must be refused",
	"GatehouseServerDown":                                         "MCPServer team-a/files does not serve",
	"GatehouseClientsRefused":                                     "MCPServer team-a/files refuses every client of provider corp",
	"GatehouseCertificateExpired":                                 "The TLS certificate of MCPServer team-a/files has expired",
	"GatehouseProberSuspect":                                      "The prober doubts itself and takes no pod out of service",
	"GatehouseServerNotReady":                                     "MCPServer team-a/files is not as its spec asks for",
	"GatehouseLockUnproven":                                       "Nobody knows whether the lock of MCPServer team-a/files holds",
	"GatehouseEvidenceOld":                                        "The lock of MCPServer team-a/files was not tried for two hours",
	"GatehouseGateOnOldFiles":                                     "The gate of MCPServer team-a/files runs on old files",
	"GatehouseCertificateExpiresSoon/nobody renews it":            "The TLS certificate of MCPServer team-a/files expires in 6d 23h 43m 0s",
	"GatehouseCertificateExpiresSoon/nobody renews one for a day": "The TLS certificate of MCPServer team-a/files expires in 4h 31m 0s",
	"GatehouseGatesNotScraped":                                    "Prometheus does not reach the gates of MCPServer team-a/files",
	"GatehouseUpgradeStuck":                                       "New pods of 3 servers do not come into service after an upgrade",
}

// annotations are what the page of a fault says.
func (f fault) annotations(t *testing.T, r rule, labels map[string]string) map[string]string {
	t.Helper()
	summary, found := summaries[f.alert+"/"+f.name]
	if !found {
		summary, found = summaries[f.alert]
	}
	if !found {
		t.Errorf("%s: what does its page say?", f.title("plain"))
	}
	description := r.Annotations["description"]
	for _, label := range []string{"namespace", "server", "provider"} {
		description = strings.ReplaceAll(description, "{{ $labels."+label+" }}", labels[label])
	}
	description = strings.ReplaceAll(description, "{{ $value }}", "1")
	return map[string]string{"summary": summary, "description": description, "runbook_url": r.Annotations["runbook_url"]}
}
