//go:build alerts

package alerts

import (
	"testing"
	"time"
)

// switchAt returns the replicas of one time before a moment, and of another afterwards.
func switchAt(when time.Duration, before, after func(time.Duration) []replica) func(time.Duration) []replica {
	return func(at time.Duration) []replica {
		if at < when {
			return before(at)
		}
		return after(at)
	}
}

func TestOperatorDown(t *testing.T) {
	by, down := newJudge(t), operatorDown()
	nowhere := map[string]string{"alertname": "GatehouseOperatorDown", "severity": "critical"}
	tenant := map[string]string{"alertname": "GatehouseOperatorDown", "severity": "critical", "namespace": "tenant"}
	mute := func(time.Duration) []replica { return []replica{{name: "operator-a", mute: true}} }
	waiting := func(time.Duration) []replica { return []replica{{name: "operator-a"}, {name: "operator-b"}} }
	half := func(at time.Duration) []replica {
		if at%(7*time.Minute) < 2*time.Minute {
			return one(at)
		}
		return mute(at)
	}
	const at = faultAt + 35*time.Minute
	for name, c := range map[string]struct {
		replicas func(time.Duration) []replica
		fires    []map[string]string // at the time, and never another; nil is never at all
	}{
		"it was never there":                   {none, []map[string]string{nowhere}},
		"crash loop":                           {crashing(faultAt), []map[string]string{down}},
		"crash loop since it was installed":    {crashing(0), []map[string]string{down}},
		"crash loop with two minutes in seven": {switchAt(faultAt, one, half), []map[string]string{down}},
		"that of another namespace does not answer": {switchAt(faultAt, one, func(at time.Duration) []replica {
			return append(one(at), replica{name: "operator-x", namespace: "tenant", mute: true})
		}), []map[string]string{tenant}},
		"that of another namespace is removed": {switchAt(faultAt, func(at time.Duration) []replica {
			return append(one(at), replica{name: "operator-x", namespace: "tenant", leads: true})
		}, one), nil},
		"two replicas, none leads since it was installed": {waiting, []map[string]string{down}},
		"restart":                     {restart(faultAt), nil},
		"two restarts in ten minutes": {switchAt(faultAt+5*time.Minute, restart(faultAt), restart(faultAt+8*time.Minute)), nil},
		"two replicas":                {two, nil},
		"the other replica leads now": {switchAt(faultAt, two, func(time.Duration) []replica {
			return []replica{{name: "operator-a"}, {name: "operator-b", leads: true}}
		}), nil},
		"one of two replicas cannot be scraped": {switchAt(faultAt, two, func(time.Duration) []replica {
			return []replica{{name: "operator-a", leads: true}, {name: "operator-b", mute: true}}
		}), nil},
		"nobody leads for three minutes":                    {switchAt(faultAt+3*time.Minute, switchAt(faultAt, two, waiting), two), nil},
		"birth: it leads three minutes after it is scraped": {switchAt(3*time.Minute, waiting, one), nil},
		"birth: Prometheus is there four minutes before":    {switchAt(4*time.Minute, none, one), nil},
		"back after an hour":                                {switchAt(60*time.Minute, switchAt(5*time.Minute, one, none), one), nil},
	} {
		s := scene{length: at, world: setting{replicas: c.replicas}.around(fault{}), checks: []exprTest{firing(at, c.fires...)}}
		if name != "back after an hour" {
			s.checks = append(s.checks, everFired(at, c.fires...))
		}
		s.run(t, by, name)
	}
}
