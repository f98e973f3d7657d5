//go:build alerts

package alerts

import (
	"maps"
	"strings"
	"testing"
	"time"
)

// faultAt is when faults begin: late enough for rules that look at what was before.
const faultAt = 30 * time.Minute

// setting is what is around a fault.
type setting struct {
	// replicas of the operator; nil is one that leads.
	replicas func(at time.Duration) []replica
	// begins is when the fault does; 0 is faultAt, and negative is never.
	begins time.Duration
	// born is when the series of the server begin, and parked from when on it is scaled to zero; 0 is never.
	born, parked time.Duration
	// renamed: the operator is scraped without honorLabels. noGates: nobody scrapes them.
	renamed, noGates bool
}

// around returns the world with a fault.
func (s setting) around(f fault) func(time.Duration) fleet {
	begins := s.begins
	if begins == 0 {
		begins = faultAt
	}
	return func(at time.Duration) fleet {
		w := fleet{renamed: s.renamed, replicas: one(at), servers: []server{healthy("team-a", at), healthy("team-b", at)}}
		if s.replicas != nil {
			w.replicas = s.replicas(at)
		}
		files := &w.servers[0]
		if f.apply != nil && begins >= 0 && at >= begins {
			f.apply(&w, files, at-begins)
		}
		if s.parked > 0 && at >= s.parked {
			files.park()
		}
		files.gone = at < s.born
		for i := range w.servers {
			if s.noGates {
				w.servers[i].gate = ""
			}
		}
		return w
	}
}

func one(time.Duration) []replica { return []replica{{name: "operator-a", leads: true}} }

func two(time.Duration) []replica {
	return []replica{{name: "operator-a", leads: true}, {name: "operator-b"}}
}

func none(time.Duration) []replica { return nil }

// restart is an operator whose pod is replaced at a time; the new one can be scraped a minute later.
func restart(when time.Duration) func(time.Duration) []replica {
	return func(at time.Duration) []replica {
		switch {
		case at < when:
			return one(at)
		case at < when+time.Minute:
			return nil
		}
		return []replica{{name: "operator-b", leads: true}}
	}
}

// crashing is an operator that from a time on is seen by one scrape in ten.
func crashing(from time.Duration) func(time.Duration) []replica {
	return func(at time.Duration) []replica {
		if at < from || int(at/scrape)%10 == 0 {
			return one(at)
		}
		return []replica{{name: "operator-a", mute: true}}
	}
}

// alerted are the labels of a fault's alert.
func (f fault) alerted(rules map[string]rule) map[string]string {
	labels := map[string]string{"namespace": "team-a", "server": "files"}
	if f.labels != nil {
		labels = maps.Clone(f.labels)
	}
	labels["alertname"], labels["severity"] = f.alert, rules[f.alert].Labels["severity"]
	return labels
}

// operatorDown are the labels of the alert about a pod of the operator.
func operatorDown() map[string]string {
	return map[string]string{"alertname": "GatehouseOperatorDown", "severity": "critical", "namespace": "gatehouse-system"}
}

func TestAlerts(t *testing.T) {
	by, rules := newJudge(t), map[string]rule{}
	for _, r := range readAlerts(t) {
		rules[r.Alert] = r
	}
	tried := map[string]bool{}
	for _, f := range faults {
		if _, found := rules[f.alert]; !found {
			t.Errorf("%s is tried, and there is no such alert", f.alert)
			continue
		}
		f.plain(t, by, rules[f.alert], f.alerted(rules))
		f.operators(t, by, f.alerted(rules))
		f.series(t, by, f.alerted(rules))
		tried[f.alert] = true
	}
	for name := range rules {
		if !tried[name] {
			t.Errorf("no fault is there for %s", name)
		}
	}
}

// plain: the alert fires in time, not before, alone, and with a page that names the server.
func (f fault) plain(t *testing.T, by judge, r rule, labels map[string]string) {
	t.Helper()
	fires, end := faultAt+f.wait+2*time.Minute, faultAt+f.wait+20*time.Minute
	page := maps.Clone(labels)
	delete(page, "alertname")
	s := scene{length: end, world: setting{}.around(f), checks: []exprTest{
		firing(faultAt - evaluation), firing(fires, labels), everFired(end, labels),
	}, pages: []alertTest{{At: seconds(fires), Name: f.alert, Pages: []pageTest{{Labels: page, Annotations: f.annotations(t, r, labels)}}}}}
	if f.wait > 2*time.Minute {
		s.checks = append(s.checks, firing(faultAt+f.wait-90*time.Second))
	}
	if f.event {
		s.checks = append(s.checks, firing(end))
	} else {
		s.checks = append(s.checks, firing(end, labels), steady(end, labels))
	}
	s.run(t, by, f.title("plain"))
}

// operators: what becomes of the alert when the operator is restarted, has two replicas, or is in a crash loop.
func (f fault) operators(t *testing.T, by judge, labels map[string]string) {
	t.Helper()
	fires := faultAt + f.wait + 2*time.Minute
	if f.alert == "GatehouseOperatorDown" {
		return // its own situations are in TestOperatorDown
	}
	end := fires + 16*time.Minute
	restarted := scene{length: end, world: setting{replicas: restart(fires + 3*time.Minute)}.around(f), checks: []exprTest{everFired(end, labels)}}
	if !f.event {
		restarted.checks = append(restarted.checks, steady(fires+12*time.Minute, labels), firing(end, labels))
	}
	restarted.run(t, by, f.title("operator restart"))

	doubled := scene{length: fires, world: setting{replicas: two}.around(f), checks: []exprTest{firing(fires, labels), everFired(fires, labels)}}
	doubled.run(t, by, f.title("two replicas"))

	end = max(end, 45*time.Minute)
	crash := scene{length: end, world: setting{replicas: crashing(10 * time.Minute)}.around(f), checks: []exprTest{everFired(end, operatorDown(), labels)}}
	if !f.event {
		crash.checks = append(crash.checks, firing(end, operatorDown(), labels))
	}
	crash.run(t, by, f.title("crash loop"))
}

// series: what becomes of the alert when series begin, end, are renamed or are not there.
func (f fault) series(t *testing.T, by judge, labels map[string]string) {
	t.Helper()
	fires := faultAt + f.wait + 2*time.Minute
	end := fires + 5*time.Minute
	if f.alert != "GatehouseOperatorDown" {
		f.birth(t, by, labels)
	}
	parked := scene{length: end, world: setting{parked: 20 * time.Minute, begins: -1}.around(f), checks: []exprTest{everFired(end)}}
	parked.run(t, by, f.title("scaled to zero"))
	if f.of != operatorItself {
		// The last state is remembered for five minutes, and an event for ten.
		over := fires + 3*time.Minute + 11*time.Minute
		ended := scene{length: over, world: setting{parked: fires + 3*time.Minute}.around(f), checks: []exprTest{firing(fires, labels), firing(over)}}
		ended.run(t, by, f.title("scaled to zero while it fires"))
	}
	renamed := scene{length: fires, world: setting{renamed: true}.around(f), checks: []exprTest{firing(fires, labels), everFired(fires, labels)}}
	renamed.run(t, by, f.title("without honorLabels"))
	f.unseen(t, by, labels)
}

// birth: the fault is there from the first sample on.
func (f fault) birth(t *testing.T, by judge, labels map[string]string) {
	t.Helper()
	s := setting{born: faultAt, begins: faultAt}
	if f.of == operatorItself {
		s = setting{begins: 3 * time.Minute, replicas: switchAt(3*time.Minute, none, one)}
	}
	at := s.begins + f.wait + 2*time.Minute
	scene{length: at, world: s.around(f), checks: []exprTest{firing(at, labels), everFired(at, labels)}}.run(t, by, f.title("birth of a series"))
}

// unseen: nobody scrapes the operator, or the gates.
func (f fault) unseen(t *testing.T, by judge, labels map[string]string) {
	t.Helper()
	end := faultAt + f.wait + 7*time.Minute
	if f.alert != "GatehouseOperatorDown" {
		expected := []map[string]string{{"alertname": "GatehouseOperatorDown", "severity": "critical"}}
		if f.of == gateOfServer {
			expected = append(expected, labels)
		}
		s := scene{length: end, world: setting{replicas: none}.around(f), checks: []exprTest{firing(end, expected...), everFired(end, expected...)}}
		s.run(t, by, f.title("no metrics of the operator"))
	}
	expected := []map[string]string{labels}
	if f.of == gateOfServer {
		expected = nil
	}
	s := scene{length: end, world: setting{noGates: true}.around(f), checks: []exprTest{everFired(end, expected...)}}
	s.run(t, by, f.title("no metrics of the gates"))
}

func (f fault) title(situation string) string {
	return strings.Join([]string{f.alert, f.name, situation}, "/")
}
