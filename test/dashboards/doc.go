// Package dashboards holds the queries of config/grafana against the metrics that the operator and the gate register: each
// query parses, and names only metrics and labels that there are.
//
// What the queries return, test/scale asks a real Prometheus.
package dashboards
