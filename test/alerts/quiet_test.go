//go:build alerts

package alerts

import (
	"testing"
	"time"
)

// What is no fault, or is over before anybody could act, fires nothing.
func TestQuiet(t *testing.T) {
	by := newJudge(t)
	const end = faultAt + 80*time.Minute
	during := func(span time.Duration, change func(*server)) func(*fleet, *server, time.Duration) {
		return func(_ *fleet, s *server, since time.Duration) {
			if since < span {
				change(s)
			}
		}
	}
	for name, c := range map[string]struct {
		setting setting
		apply   func(*fleet, *server, time.Duration)
	}{
		"all is well":                        {},
		"all is well, without honorLabels":   {setting{renamed: true}, nil},
		"operator restart":                   {setting{replicas: restart(faultAt)}, nil},
		"no scrape for four minutes":         {setting{replicas: switchAt(faultAt+4*time.Minute, switchAt(faultAt, one, crashing(0)), one)}, nil},
		"birth of a server":                  {setting{born: faultAt}, nil},
		"birth of a server that is parked":   {setting{born: faultAt, parked: time.Minute}, nil},
		"scaled to zero, and back":           {setting{}, during(45*time.Minute, (*server).park)},
		"scaled to zero, after it was tried": {setting{parked: faultAt}, nil},
		"birth of a server that takes two minutes to start": {setting{born: faultAt}, during(2*time.Minute, func(s *server) {
			s.ready, s.available, s.auth, s.replicas, s.lastRound = said{0, "Progressing"}, said{0, "Progressing"}, said{-1, "NoPods"}, 0, -1
		})},
		"pods are replaced": {setting{}, during(5*time.Minute, func(s *server) {
			s.ready, s.available, s.replicas, s.gate = said{0, "Progressing"}, said{0, "Progressing"}, 1, "files-7d9f-b"
		})},
		"a file that could not be used for five minutes": {setting{}, during(5*time.Minute, func(s *server) { s.reloaded = 0 })},
		"a certificate for a day, renewed with a third left": {setting{}, func(_ *fleet, s *server, since time.Duration) {
			s.lifetime, s.expires = 24*time.Hour, faultAt+8*time.Hour
			if since >= 30*time.Minute {
				s.expires = faultAt + 24*time.Hour
			}
		}},
		"a certificate for an hour, renewed with a third left": {setting{}, func(_ *fleet, s *server, since time.Duration) {
			s.lifetime, s.expires = time.Hour, faultAt+since.Truncate(40*time.Minute)+time.Hour
		}},
		"no certificate":                     {setting{}, func(_ *fleet, s *server, _ time.Duration) { s.expires = 0 }},
		"a lock is doubted for five minutes": {setting{}, during(5*time.Minute, func(s *server) { s.auth, s.ready = said{-1, "ClockSkew"}, said{-1, "ClockSkew"} })},
		"a try that is an hour old":          {setting{}, func(_ *fleet, s *server, _ time.Duration) { s.lastRound = s.lastRound.Truncate(time.Hour) }},
		"the server was deleted":             {setting{}, func(_ *fleet, s *server, _ time.Duration) { s.gone = true }},
		"an upgrade that gets on":            {setting{}, func(f *fleet, _ *server, _ time.Duration) { f.stuck = 0 }},
	} {
		s := scene{length: end, world: c.setting.around(fault{apply: c.apply}), checks: []exprTest{everFired(end)}}
		s.run(t, by, name)
	}
}
