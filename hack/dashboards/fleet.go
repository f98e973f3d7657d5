package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

const fleetUID = "gatehouse-fleet"

// Expressions that several panels of the fleet use. While a leader replaces another both may have series of a server: as in
// the alerts, the worse one counts.
const (
	healthy  = `min by (namespace, server) (gatehouse_auth_healthy{namespace=~"$namespace"})`
	ready    = `min by (namespace, server) (gatehouse_ready{namespace=~"$namespace"})`
	failures = `gatehouse_probe_case_failures_total{namespace=~"$namespace"}`
	ofCases  = `sum by (namespace, server, case, outcome)`
)

func fleet() *dashboard.DashboardBuilder {
	d := base("Gatehouse / Fleet", fleetUID, "All MCPServers: whose lock is proven and since when, what fails, what changes, and how the operator does.").
		WithVariable(choice("namespace", "Namespace", "label_values(gatehouse_ready, namespace)").Multi(true).IncludeAll(true).AllValue(".*"))
	fleetLocks(d)
	fleetChecks(d)
	fleetChanges(d)
	fleetOperator(d)
	return d
}

func fleetLocks(d *dashboard.DashboardBuilder) {
	d.WithRow(row("Locks")).
		WithPanel(number("Locked", "MCPServers whose condition AuthHealthy is True: the prober has proven their lock.", "none",
			`sum(`+healthy+` == bool 1)`, plain()...)).
		WithPanel(number("Lock fails", "MCPServers whose AuthHealthy is False. The table below names them and the reason.", "none",
			`sum(`+healthy+` == bool 0)`, badFrom(1)...)).
		WithPanel(number("Lock not known", "MCPServers whose AuthHealthy is Unknown: something keeps the prober from trying the lock.", "none",
			`sum(`+healthy+` == bool -1)`, badFrom(1)...)).
		WithPanel(number("Not ready", "MCPServers whose condition Ready is False or Unknown.", "none",
			`sum(`+ready+` != bool 1)`, badFrom(1)...)).
		WithPanel(number("Refuse all clients", "Providers whose clients have all been refused for ten minutes although the lock holds.", "none",
			`sum(max by (namespace, server, provider) (gatehouse_clients_refused{namespace=~"$namespace"}))`, badFrom(1)...)).
		WithPanel(number("Prober doubts itself", "1 while so many locks seem open at once that the prober takes no pod out of service.", "none",
			`max(gatehouse_prober_suspect)`, badFrom(1)...))

	servers := grid("Who is locked, and since when",
		"AuthHealthy of each server. A server is locked since it was last seen not locked; without that time, for the whole time range. "+
			"A server that is scaled to zero is not listed.",
		query{`min by (namespace, server, reason) (gatehouse_auth_healthy{namespace=~"$namespace"})`, "AuthHealthy"},
		query{`1000 * max_over_time(timestamp(` + healthy + ` != 1)[$__range:1m])`, "Last seen not locked"},
		query{`1000 * max_over_time(timestamp(` + healthy + ` == 1)[$__range:1m])`, "Last seen locked"},
		query{`time() - max by (namespace, server) (gatehouse_probe_last_round_timestamp_seconds{namespace=~"$namespace"})`, "Age of the last check"},
		query{`max by (namespace, server) (gatehouse_ready_replicas{namespace=~"$namespace"})`, "Pods in service"})
	servers = inUnit(inUnit(servers, "Last seen not locked", "dateTimeFromNow"), "Last seen locked", "dateTimeFromNow")
	d.WithPanel(inUnit(asCondition(servers, "AuthHealthy"), "Age of the last check", "s")).
		WithPanel(timeline("AuthHealthy over time", "The lock of each server: proven, failing, or not known.", 9, query{healthy, "{{namespace}}/{{server}}"})).
		WithPanel(asCondition(grid("Conditions that are not True", "Each condition of a server that is False or Unknown now, with its reason. docs/conditions.md says what to do.",
			query{notTrue("Ready", "gatehouse_ready") + " or " + notTrue("Available", "gatehouse_available") + " or " + notTrue("AuthHealthy", "gatehouse_auth_healthy"), "Status"}), "Status"))
}

// notTrue selects the servers whose condition is not True, and names the condition in a label.
func notTrue(condition, metric string) string {
	return `label_replace(min by (namespace, server, reason) (` + metric + `{namespace=~"$namespace"}) != 1, "condition", "` + condition + `", "", "")`
}

func fleetChecks(d *dashboard.DashboardBuilder) {
	d.WithRow(row("Checks")).
		WithPanel(grid("Failing test cases", "Test cases that did not pass within the time range, and how often at least. The outcome Accepted is a bad request that was let in.",
			// A counter appears with its first failure, which increase() does not see.
			query{ofCases + ` (increase(` + failures + `[$__range])) > 0 or ` + ofCases + ` (` + failures + `) unless ` + ofCases + ` (` + failures + ` offset $__range)`, "Failures"})).
		WithPanel(graph("Failures of test cases", "Test cases that did not pass, by case and what came of them.", "cps",
			query{`sum by (case, outcome) (rate(` + failures + `[$__rate_interval]))`, "{{case}}: {{outcome}}"})).
		WithPanel(graph("Checks per second, by result", "Checks of pods that counted, by the reason they came to.", "cps",
			query{`sum by (result) (rate(gatehouse_probe_rounds_total{namespace=~"$namespace"}[$__rate_interval]))`, "{{result}}"})).
		WithPanel(graph("Checks per second, by extent", "Beat: a quick check. Full: all test cases. None: no test case was asked.", "cps",
			query{`sum by (tier) (rate(gatehouse_probe_rounds_total{namespace=~"$namespace"}[$__rate_interval]))`, "{{tier}}"})).
		WithPanel(graph("Oldest checks", "Time since the last check that counted, of the ten servers where it is the oldest.", "s",
			query{`topk(10, time() - max by (namespace, server) (gatehouse_probe_last_round_timestamp_seconds{namespace=~"$namespace"}))`, "{{namespace}}/{{server}}"}).Span(half)).
		WithPanel(graph("Duration of a check", "Of all namespaces.", "s", quantilesOf("gatehouse_probe_round_seconds_bucket")...).Span(half))
}

// quantilesOf a histogram, given the series of its buckets.
func quantilesOf(buckets string) []query {
	of := func(q string) string {
		return `histogram_quantile(` + q + `, sum by (le) (rate(` + buckets + `[$__rate_interval])))`
	}
	return []query{{of("0.50"), "50 %"}, {of("0.90"), "90 %"}, {of("0.99"), "99 %"}}
}

func fleetChanges(d *dashboard.DashboardBuilder) {
	d.WithRow(row("Rotations, certificates and upgrades")).
		WithPanel(graph("Upgrades", "MCPServers whose pods are to be replaced because the operator has another version.", "none",
			query{`max by (state) (gatehouse_upgrades)`, "{{state}}"})).
		WithPanel(graph("Servers with a rotation", "MCPServers where a gate got or lost a key of a provider within the last hour. A rotation does both.", "none",
			query{`count(max by (namespace, server) (changes(gatehouse_gate_keys{namespace=~"$namespace"}[1h])) > 0) or 0 * count(count by (namespace, server) (gatehouse_gate_keys{namespace=~"$namespace"}))`, "servers"})).
		WithPanel(graph("Gates on old files", "Gates that cannot use a mounted file as it is now and go on with an older one, by server.", "none",
			query{`sum by (namespace, server) (gatehouse_gate_last_reload_successful{namespace=~"$namespace"} == bool 0)`, "{{namespace}}/{{server}}"})).
		WithPanel(grid("Rotations in the time range", "How often the number of keys of a provider changed at a gate of the server, and how many keys its gates have now.",
			query{`max by (namespace, server, provider) (changes(gatehouse_gate_keys{namespace=~"$namespace"}[$__range])) > 0`, "Changes"},
			query{`min by (namespace, server, provider) (gatehouse_gate_keys{namespace=~"$namespace"}) and max by (namespace, server, provider) (changes(gatehouse_gate_keys{namespace=~"$namespace"}[$__range])) > 0`, "Keys now"}).Span(half)).
		WithPanel(inUnit(grid("Certificates", "Time until the certificate expires that a gate was last seen to show clients.",
			query{`sort(min by (namespace, server) (gatehouse_certificate_expiry_seconds{namespace=~"$namespace"}) - time())`, "Expires in"}), "Expires in", "s").Span(half))
}

func fleetOperator(d *dashboard.DashboardBuilder) {
	const job = `job="gatehouse-operator"`
	d.WithRow(row("Operator")).
		WithPanel(number("Leaders", "Replicas of the operator that lead. There must be one; more are several installations.", "none",
			`sum(gatehouse_operator_leading)`, goodFrom(1)...)).
		WithPanel(number("Replicas scraped", "Replicas of the operator that Prometheus reaches.", "none", `sum(up{`+job+`})`, goodFrom(1)...)).
		WithPanel(number("Restarts", "Restarts of containers of the operator within the time range. A new pod is none.", "none",
			`sum(changes(process_start_time_seconds{`+job+`}[$__range]))`, badFrom(1)...)).
		WithPanel(graph("Reconcile errors", "By controller.", "cps",
			query{`sum by (controller) (rate(controller_runtime_reconcile_errors_total{` + job + `}[$__rate_interval]))`, "{{controller}}"}).Span(half)).
		WithPanel(graph("Work queues", "Objects that wait to be reconciled, by queue.", "none",
			query{`sum by (name) (workqueue_depth{` + job + `})`, "{{name}}"})).
		WithPanel(graph("Requests to the API server", "By status code.", "reqps",
			query{`sum by (code) (rate(rest_client_requests_total{` + job + `}[$__rate_interval]))`, "{{code}}"})).
		WithPanel(graph("Time of a reconcile", "90 % of the reconciles of each controller take no longer.", "s",
			query{`histogram_quantile(0.90, sum by (controller, le) (rate(controller_runtime_reconcile_time_seconds_bucket{` + job + `}[$__rate_interval])))`, "{{controller}}"})).
		WithPanel(graph("Memory", "Resident memory of each replica.", "bytes",
			query{`process_resident_memory_bytes{` + job + `}`, "{{instance}}"}).Span(half)).
		WithPanel(graph("Processor", "Cores that each replica uses.", "none",
			query{`sum by (instance) (rate(process_cpu_seconds_total{` + job + `}[$__rate_interval]))`, "{{instance}}"}).Span(half))
}
