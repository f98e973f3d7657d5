//go:build alerts

package alerts

import "time"

// fault is something that an alert must tell of.
type fault struct {
	alert, name string
	// apply changes a healthy world; since is how long ago the fault began.
	apply func(f *fleet, s *server, since time.Duration)
	// wait is how long the fault must last before the alert fires: what prober and rule take together.
	wait time.Duration
	// labels are those of the page besides alertname and severity, of the server team-a/files if there are none.
	labels map[string]string
	// of says who exports the metric; it decides which situations change anything.
	of exporter
	// event: it happens once, and the alert ends by itself.
	event bool
}

// exporter is who exports the metric of an alert.
type exporter int

const (
	// operatorOfServer: the operator, of a server. operatorItself: the operator, of itself or the fleet. gateOfServer: a gate.
	operatorOfServer exporter = iota
	operatorItself
	gateOfServer
)

func condition(kind *said, value float64, reason string) { *kind = said{value, reason} }

var faults = []fault{
	{alert: "GatehouseOperatorDown", name: "no pod", of: operatorItself, wait: 10 * time.Minute, labels: map[string]string{},
		apply: func(f *fleet, _ *server, _ time.Duration) { f.replicas = nil }},
	{alert: "GatehouseOperatorDown", name: "a pod that does not answer", of: operatorItself, wait: 10 * time.Minute, labels: inOperators,
		apply: func(f *fleet, _ *server, _ time.Duration) { f.replicas = []replica{{name: "operator-a", mute: true}} }},
	{alert: "GatehouseOperatorDown", name: "two replicas and none leads", of: operatorItself, wait: 10 * time.Minute, labels: inOperators,
		apply: func(f *fleet, _ *server, _ time.Duration) {
			f.replicas = []replica{{name: "operator-a"}, {name: "operator-b"}}
		}},
	{alert: "GatehouseLockFails", name: "open", wait: time.Minute, apply: func(_ *fleet, s *server, _ time.Duration) {
		condition(&s.auth, 0, "UnauthenticatedAccepted")
		condition(&s.available, 0, "PodsUnavailable")
		condition(&s.ready, 0, "PodsUnavailable")
		s.replicas = 0
	}},
	{alert: "GatehouseLockFails", name: "it rejects everybody", wait: time.Minute, apply: func(_ *fleet, s *server, _ time.Duration) {
		condition(&s.auth, 0, "ValidTokenRejected")
		condition(&s.ready, 0, "ValidTokenRejected")
	}},
	{alert: "GatehouseBadTokenAccepted", name: "once", event: true, apply: func(_ *fleet, s *server, _ time.Duration) { s.accepted = 1 }},
	{alert: "GatehouseServerDown", name: "no pod serves", wait: 10 * time.Minute, apply: func(_ *fleet, s *server, _ time.Duration) {
		condition(&s.auth, -1, "UpstreamUnavailable")
		condition(&s.available, 0, "ContainerExited")
		condition(&s.ready, 0, "ContainerExited")
		s.replicas = 0
	}},
	{alert: "GatehouseServerDown", name: "no pod can be made", wait: 10 * time.Minute, apply: func(_ *fleet, s *server, _ time.Duration) {
		condition(&s.auth, -1, "NoPods")
		condition(&s.available, 0, "PodsRefused")
		condition(&s.ready, 0, "PodsRefused")
		s.replicas, s.gate = 0, ""
	}},
	{alert: "GatehouseServerDown", name: "it hangs", wait: 10 * time.Minute, apply: func(_ *fleet, s *server, _ time.Duration) {
		condition(&s.auth, -1, "UpstreamUnavailable")
		condition(&s.ready, -1, "UpstreamUnavailable")
	}},
	{alert: "GatehouseClientsRefused", name: "another shared secret", wait: time.Minute,
		labels: map[string]string{"namespace": "team-a", "server": "files", "provider": "corp"},
		apply:  func(_ *fleet, s *server, _ time.Duration) { s.refused["corp"] = 1 }},
	{alert: "GatehouseCertificateExpired", name: "expired", apply: func(_ *fleet, s *server, _ time.Duration) {
		s.expires = faultAt
	}},
	{alert: "GatehouseProberSuspect", name: "engaged", of: operatorItself, labels: map[string]string{},
		apply: func(f *fleet, _ *server, _ time.Duration) { f.suspect = 1 }},
	{alert: "GatehouseServerNotReady", name: "the spec cannot be carried out", wait: 15 * time.Minute, apply: func(_ *fleet, s *server, _ time.Duration) {
		condition(&s.ready, 0, "InvalidSpec")
	}},
	{alert: "GatehouseServerNotReady", name: "one pod of two serves", wait: 15 * time.Minute, apply: func(_ *fleet, s *server, _ time.Duration) {
		condition(&s.available, 0, "Unschedulable")
		condition(&s.ready, 0, "Unschedulable")
		s.replicas = 1
	}},
	{alert: "GatehouseLockUnproven", name: "no connection to the pods", wait: 30 * time.Minute, apply: func(_ *fleet, s *server, _ time.Duration) {
		condition(&s.auth, -1, "Unreachable")
		condition(&s.ready, -1, "Unreachable")
	}},
	{alert: "GatehouseEvidenceOld", name: "not tried", wait: 130 * time.Minute, apply: func(_ *fleet, s *server, since time.Duration) {
		s.lastRound = max(0, s.lastRound-since)
	}},
	{alert: "GatehouseGateOnOldFiles", name: "a file that cannot be used", of: gateOfServer, wait: 10 * time.Minute,
		apply: func(_ *fleet, s *server, _ time.Duration) { s.reloaded = 0 }},
	{alert: "GatehouseCertificateExpiresSoon", name: "nobody renews it", wait: 15 * time.Minute,
		apply: func(_ *fleet, s *server, _ time.Duration) { s.expires = faultAt + 7*24*time.Hour }},
	{alert: "GatehouseCertificateExpiresSoon", name: "nobody renews one for a day", wait: 15 * time.Minute,
		apply: func(_ *fleet, s *server, _ time.Duration) {
			s.lifetime, s.expires = 24*time.Hour, faultAt+24*time.Hour/5
		}},
	{alert: "GatehouseGatesNotScraped", name: "the network does not let Prometheus in", of: gateOfServer, wait: 30 * time.Minute,
		apply: func(_ *fleet, s *server, _ time.Duration) { s.unreachable = true }},
	{alert: "GatehouseUpgradeStuck", name: "new pods do not come", of: operatorItself, wait: 5 * time.Minute, labels: map[string]string{},
		apply: func(f *fleet, _ *server, _ time.Duration) { f.stuck = 3 }},
}

var inOperators = map[string]string{"namespace": "gatehouse-system"}
