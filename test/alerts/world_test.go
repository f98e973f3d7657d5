//go:build alerts

package alerts

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// said is a condition as a metric exports it. The zero value is no series.
type said struct {
	value  float64
	reason string
}

// server is what the operator and the gates export of one MCPServer at one moment.
type server struct {
	namespace, name        string
	ready, available, auth said
	replicas               float64
	refused                map[string]float64 // by provider
	lastRound              time.Duration      // since the beginning of the series; negative is no series
	accepted               float64            // bad requests that were let in; 0 is no series
	gate                   string             // the pod of its gate; empty is none
	unreachable            bool               // the gate is a target that cannot be scraped
	reloaded               float64
	expires                time.Duration // since the beginning of the series; 0 is no certificate
	lifetime               time.Duration
	gone                   bool
}

// healthy is a server with nothing wrong.
func healthy(namespace string, at time.Duration) server {
	return server{
		namespace: namespace, name: "files",
		ready: said{1, "Ready"}, available: said{1, "PodsAvailable"}, auth: said{1, "Proven"}, replicas: 2,
		refused: map[string]float64{"corp": 0, "managed": 0}, lastRound: at.Truncate(30 * time.Second),
		gate: "files-7d9f-a", reloaded: 1, expires: 60 * 24 * time.Hour, lifetime: 90 * 24 * time.Hour,
	}
}

// park makes it one that is scaled to zero.
func (s *server) park() {
	s.ready, s.available, s.auth = said{1, "ScaledToZero"}, said{1, "ScaledToZero"}, said{}
	s.replicas, s.refused, s.lastRound, s.accepted, s.gate, s.expires = 0, nil, -1, 0, "", 0
}

// replica is a pod of the operator at one moment.
type replica struct {
	name string
	// namespace is that of the operator; empty is gatehouse-system.
	namespace string
	// leads: it exports what it knows of servers. mute: it is a target that cannot be scraped.
	leads, mute bool
}

// fleet is all that there is to scrape at one moment.
type fleet struct {
	replicas       []replica
	servers        []server
	suspect, stuck float64
	// renamed: the operator is scraped without honorLabels.
	renamed bool
}

// samples returns the value of each series, by name and labels as in "up{job=\"x\"}".
func (f fleet) samples() map[string]float64 {
	out := map[string]float64{}
	for _, r := range f.replicas {
		target := f.operatorTarget(r)
		if r.mute {
			out[series("up", target)] = 0
			continue
		}
		out[series("up", target)] = 1
		leads := 0.0
		if r.leads {
			leads = 1
		}
		out[series("gatehouse_operator_leading", target)] = leads
		out[series("gatehouse_prober_suspect", target)] = f.suspect * leads
		for state, count := range map[string]float64{"Pending": 0, "Running": 0, "Stuck": f.stuck} {
			out[series("gatehouse_upgrades", target, "state", state)] = count * leads
		}
		if r.leads {
			for _, s := range f.servers {
				f.operatorSamples(out, target, s)
			}
		}
	}
	for _, s := range f.servers {
		s.gateSamples(out)
	}
	return out
}

// operatorTarget are the labels that the Prometheus operator gives a pod behind config/prometheus/service_monitor.yaml.
func (f fleet) operatorTarget(r replica) map[string]string {
	return map[string]string{
		"job": "gatehouse-operator", "namespace": cmp.Or(r.namespace, "gatehouse-system"), "service": "gatehouse-operator-metrics", "endpoint": "metrics",
		"container": "operator", "pod": r.name, "instance": r.name + ":8443",
	}
}

// operatorSamples adds what the leader exports of a server.
func (f fleet) operatorSamples(out map[string]float64, target map[string]string, s server) {
	if s.gone {
		return
	}
	labels := maps.Clone(target)
	labels["namespace"], labels["server"] = s.namespace, s.name
	if f.renamed {
		labels["namespace"], labels["exported_namespace"] = target["namespace"], s.namespace
	}
	for name, c := range map[string]said{"gatehouse_ready": s.ready, "gatehouse_available": s.available, "gatehouse_auth_healthy": s.auth} {
		if c.reason != "" {
			out[series(name, labels, "reason", c.reason)] = c.value
		}
	}
	out[series("gatehouse_ready_replicas", labels)] = s.replicas
	if s.expires != 0 {
		out[series("gatehouse_certificate_expiry_seconds", labels)] = s.expires.Seconds()
		out[series("gatehouse_certificate_lifetime_seconds", labels)] = s.lifetime.Seconds()
	}
	for provider, value := range s.refused {
		out[series("gatehouse_clients_refused", labels, "provider", provider)] = value
	}
	if s.lastRound >= 0 {
		out[series("gatehouse_probe_last_round_timestamp_seconds", labels)] = s.lastRound.Seconds()
	}
	if s.accepted > 0 {
		out[series("gatehouse_probe_case_failures_total", labels, "case", "none", "outcome", "Accepted")] = s.accepted
	}
}

// gateSamples adds what a gate exports, with the labels that the Prometheus operator gives its pod after
// config/prometheus/pod_monitor.yaml.
func (s server) gateSamples(out map[string]float64) {
	if s.gate == "" || s.gone {
		return
	}
	target := map[string]string{
		"job": "gatehouse-gates", "namespace": s.namespace, "server": s.name, "endpoint": "gate-admin", "container": "authproxy",
		"pod": s.gate, "instance": s.gate + ":9090",
	}
	if s.unreachable {
		out[series("up", target)] = 0
		return
	}
	out[series("up", target)] = 1
	out[series("gatehouse_gate_last_reload_successful", target)] = s.reloaded
}

// series writes a series with these labels, and more of them as pairs.
func series(name string, labels map[string]string, more ...string) string {
	all := maps.Clone(labels)
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	var parts []string
	for _, label := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, fmt.Sprintf("%s=%q", label, all[label]))
	}
	return name + "{" + strings.Join(parts, ",") + "}"
}
