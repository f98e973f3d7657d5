package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

const serverUID = "gatehouse-server"

// Selectors of one server: of the operator's metrics about it and of those of its gates alike.
const (
	one   = `namespace="$namespace", server="$name"`
	gates = `job="gatehouse-gates", ` + one
)

func server() *dashboard.DashboardBuilder {
	d := base("Gatehouse / Server", serverUID, "One MCPServer: its lock, the requests of its clients and what the gates answer, its keys, and the gates themselves.").
		WithVariable(choice("namespace", "Namespace", "label_values(gatehouse_ready, namespace)")).
		WithVariable(choice("name", "MCPServer", `label_values(gatehouse_ready{namespace="$namespace"}, server)`)).
		Link(dashboard.NewDashboardLinkBuilder("Fleet").Type(dashboard.DashboardLinkTypeLink).Url("/d/" + fleetUID + "?var-datasource=${datasource}"))
	serverState(d)
	serverRequests(d)
	serverStreams(d)
	serverKeys(d)
	serverChecks(d)
	serverGates(d)
	return d
}

func serverState(d *dashboard.DashboardBuilder) {
	condition := func(name, metric, description string) {
		d.WithPanel(number(name, description, "none", `min(`+metric+`{`+one+`})`, plain()...).Mappings(conditionValues()))
	}
	d.WithRow(row("State"))
	condition("Lock", "gatehouse_auth_healthy", "The condition AuthHealthy: True when the lock is proven. A server that is scaled to zero has none.")
	condition("Ready", "gatehouse_ready", "The condition Ready.")
	condition("Available", "gatehouse_available", "The condition Available: whether the server's pods run.")
	d.WithPanel(number("Pods in service", "Pods that take traffic.", "none", `max(gatehouse_ready_replicas{`+one+`})`, goodFrom(1)...)).
		WithPanel(number("Age of the last check", "Time since the last check of a pod that counted.", "s",
			`time() - max(gatehouse_probe_last_round_timestamp_seconds{`+one+`})`, badFrom(7200)...)).
		WithPanel(number("Providers that refuse all clients", "Providers whose clients have all been refused for ten minutes although the lock holds.", "none",
			`sum(max by (provider) (gatehouse_clients_refused{`+one+`}))`, badFrom(1)...)).
		WithPanel(timeline("Conditions over time", "AuthHealthy, Ready and Available, with the reason of the moment.", 8,
			query{`min by (reason) (gatehouse_auth_healthy{` + one + `})`, "AuthHealthy: {{reason}}"},
			query{`min by (reason) (gatehouse_ready{` + one + `})`, "Ready: {{reason}}"},
			query{`min by (reason) (gatehouse_available{` + one + `})`, "Available: {{reason}}"}))
}

func serverRequests(d *dashboard.DashboardBuilder) {
	const requests = `gatehouse_gate_requests_total{` + one
	d.WithRow(row("Requests of clients")).
		WithPanel(graph("Requests by outcome", "forwarded: the server answered. denied: the gate refused. failed: the server or the gate failed. public: metadata. abandoned: the client left.", "reqps",
			query{`sum by (outcome) (rate(` + requests + `}[$__rate_interval]))`, "{{outcome}}"})).
		WithPanel(graph("Refusals by reason", "Requests that the gate refused. docs/gate.md says what to do for each reason.", "reqps",
			query{`sum by (reason) (rate(` + requests + `, outcome="denied"}[$__rate_interval]))`, "{{reason}}"})).
		WithPanel(graph("Failures by reason", "Requests that the gate let through and that were not answered by the server.", "reqps",
			query{`sum by (reason) (rate(` + requests + `, outcome="failed"}[$__rate_interval]))`, "{{reason}}"})).
		WithPanel(graph("Answers by status code", "none: the client left before there was an answer.", "reqps",
			query{`sum by (code) (rate(` + requests + `}[$__rate_interval]))`, "{{code}}"})).
		WithPanel(graph("Failures of the server", "Exchanges of clients with the MCP server that failed, by kind.", "cps",
			query{`sum by (kind) (rate(gatehouse_gate_upstream_failures_total{` + one + `}[$__rate_interval]))`, "{{kind}}"})).
		WithPanel(graph("Time to verify a token", "What the gate adds for a token, good or bad, including those of probes. Gates do not measure how long servers take.", "s",
			quantilesOf(`gatehouse_gate_token_verification_seconds_bucket{`+one+`}`)...))
}

func serverStreams(d *dashboard.DashboardBuilder) {
	d.WithRow(row("Streams and limits")).
		WithPanel(graph("Open streams", "Streams of server-sent events, by pod.", "none",
			query{`sum by (pod) (gatehouse_gate_streams_open{` + one + `})`, "{{pod}}"})).
		WithPanel(graph("Requests in progress", "Including open streams, by pod.", "none",
			query{`sum by (pod) (gatehouse_gate_requests_in_flight{` + one + `})`, "{{pod}}"})).
		WithPanel(graph("Refused by a limit", "Requests beyond a limit of the gate: bad tokens, requests, streams, body, or memory.", "reqps",
			query{`sum by (reason) (rate(gatehouse_gate_requests_total{` + one + `, reason=~"too_many_failures|too_many_requests|too_many_streams|stream_too_old|overloaded|body_too_large|body_timeout"}[$__rate_interval]))`, "{{reason}}"})).
		WithPanel(graph("Evicted connections", "Connections without a request in progress that were closed because too many waited, by pod.", "cps",
			query{`sum by (pod) (rate(gatehouse_gate_waiting_connections_closed_total{` + one + `}[$__rate_interval]))`, "{{pod}}"})).
		WithPanel(graph("Audit lines beyond the budget", "Decisions about requests without a valid token that were summarized instead of getting a line, by reason.", "cps",
			query{`sum by (reason) (rate(gatehouse_gate_audit_suppressed_total{` + one + `}[$__rate_interval]))`, "{{reason}}"})).
		WithPanel(graph("Lost audit lines", "Lines that were lost because their reader was too slow or gone, by pod.", "cps",
			query{`sum by (pod) (rate(gatehouse_gate_audit_dropped_total{` + one + `}[$__rate_interval]))`, "{{pod}}"}))
}

func serverKeys(d *dashboard.DashboardBuilder) {
	d.WithRow(row("Keys and files")).
		WithPanel(graph("Keys of each provider", "With which gates can verify tokens now: of the gate that has the fewest and the most. They differ while a change reaches the pods. "+
			"The phase of each key is in the status: kubectl gatehouse keys list.", "none",
			query{`min by (provider) (gatehouse_gate_keys{` + one + `})`, "{{provider}}: fewest"},
			query{`max by (provider) (gatehouse_gate_keys{` + one + `})`, "{{provider}}: most"})).
		WithPanel(graph("Faulty keys", "Keys that are at fault and not used, by provider. The gate's log names them.", "none",
			query{`max by (provider) (gatehouse_gate_faulty_keys{` + one + `})`, "{{provider}}"})).
		WithPanel(graph("Age of remote keys", "Time since the issuer last sent or confirmed them, of the gate where it is the longest.", "s",
			query{`max by (provider) (gatehouse_gate_remote_keys_age_seconds{` + one + `})`, "{{provider}}"})).
		WithPanel(graph("Fetches of remote keys", "By provider and result.", "cps",
			query{`sum by (provider, result) (rate(gatehouse_gate_key_fetches_total{` + one + `}[$__rate_interval]))`, "{{provider}}: {{result}}"})).
		WithPanel(graph("Unusable files", "New contents of mounted files that a gate could not use, by what the file holds.", "cps",
			query{`sum by (file) (rate(gatehouse_gate_reload_failures_total{` + one + `}[$__rate_interval]))`, "{{file}}"})).
		WithPanel(graph("Certificate expires in", "Of the certificate that each gate shows clients.", "s",
			query{`gatehouse_gate_tls_certificate_expiry_seconds{` + one + `} - time()`, "{{pod}}"}))
}

func serverChecks(d *dashboard.DashboardBuilder) {
	const failed = `gatehouse_probe_case_failures_total{` + one + `}`
	d.WithRow(row("Checks")).
		WithPanel(graph("Checks by result", "Checks of pods that counted, by the reason they came to.", "cps",
			query{`sum by (result) (rate(gatehouse_probe_rounds_total{` + one + `}[$__rate_interval]))`, "{{result}}"})).
		WithPanel(graph("Failures of test cases", "By case and what came of them.", "cps",
			query{`sum by (case, outcome) (rate(` + failed + `[$__rate_interval]))`, "{{case}}: {{outcome}}"})).
		WithPanel(graph("Probes as the gates saw them", "Requests of the prober and of the gates' self-test, by outcome and reason. A denied one is a bad token that was refused, as it must be.", "reqps",
			query{`sum by (outcome, reason) (rate(gatehouse_gate_probe_requests_total{` + one + `}[$__rate_interval]))`, "{{outcome}} {{reason}}"})).
		WithPanel(grid("Failing test cases", "Test cases that did not pass within the time range, and how often at least.",
			// As in the dashboard of the fleet.
			query{`sum by (case, outcome) (increase(` + failed + `[$__range])) > 0 or sum by (case, outcome) (` + failed + `) unless sum by (case, outcome) (` + failed + ` offset $__range)`, "Failures"}))
}

func serverGates(d *dashboard.DashboardBuilder) {
	d.WithRow(row("Gates")).
		WithPanel(graph("Gates scraped", "1 while Prometheus reaches the gate of the pod. If not, name it in spec.network.metricsFrom.", "none",
			query{`max by (pod) (up{` + gates + `})`, "{{pod}}"})).
		WithPanel(graph("Files in use", "1 while the gate uses its mounted files as they are now, 0 while it goes on with older ones.", "none",
			query{`min by (pod) (gatehouse_gate_last_reload_successful{` + one + `})`, "{{pod}}"})).
		WithPanel(graph("Restarts of the gate", "Restarts of the container within the last hour, by pod.", "none",
			query{`max by (pod) (changes(process_start_time_seconds{` + gates + `}[1h]))`, "{{pod}}"})).
		WithPanel(graph("Memory", "Resident memory of each gate.", "bytes",
			query{`max by (pod) (process_resident_memory_bytes{` + gates + `})`, "{{pod}}"})).
		WithPanel(graph("Processor", "Cores that each gate uses.", "none",
			query{`sum by (pod) (rate(process_cpu_seconds_total{` + gates + `}[$__rate_interval]))`, "{{pod}}"})).
		WithPanel(graph("Goroutines", "Of each gate. They grow with connections and streams.", "none",
			query{`max by (pod) (go_goroutines{` + gates + `})`, "{{pod}}"}))
}
