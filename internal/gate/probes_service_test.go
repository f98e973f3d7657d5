package gate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/probeid"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// ofPod makes the gate that of a pod.
func ofPod(uid string) siteOption {
	return func(_ *site, o *gate.Options) { o.PodUID = uid }
}

// What is asked at the Service is answered by whichever gate gets it, and is nobody's traffic there.
func TestQuestionAtTheServiceIsNoTraffic(t *testing.T) {
	for name, uid := range map[string]string{"one pod": podUID, "another pod of the server": "other", "a gate that does not know its pod": ""} {
		t.Run(name, func(t *testing.T) {
			lines := &logBuffer{}
			s := newSite(t, serveHTTP(t, echo), audited(lines), ofPod(uid))
			before := s.counted("probe_requests_total", "")
			if s.ask(serviceID(t), "").status != 401 || s.ask(serviceID(t), "not-a-valid-jwt-token").status != 401 {
				t.Error("a question at the Service is not answered like a client's")
			}
			s.eventually("both are counted apart", func() bool { return s.counted("probe_requests_total", "") == before+2 })
			s.stop()
			if text := lines.String(); text != "" || !strings.Contains(s.log.String(), `"probe":true`) {
				t.Errorf("audit:\n%s", text)
			}
		})
	}
}

// An id that is good at every gate stands for a request that was turned away, once, and soon: whoever reads it at the
// Service can hide nothing else.
func TestIDOfTheServiceHidesNothingElse(t *testing.T) {
	lines := &logBuffer{}
	s := newSite(t, serveHTTP(t, echo), audited(lines))
	another := newSite(t, serveHTTP(t, echo), ofPod("other"))
	used, before := serviceID(t), s.counted("probe_requests_total", "")+1
	s.ask(used, "")
	s.eventually("its first use is counted", func() bool { return s.counted("probe_requests_total", "") == before })
	clients := map[string]struct{ id, bearer string }{
		"a request that is let in":      {serviceID(t), s.token()},
		"a forged token":                {serviceID(t), s.forged()},
		"an id that was used":           {used, ""},
		"an id of a minute ago":         {madeID(t, testSecret, probeid.AnyPod(), time.Now().Add(-probeid.Lifetime-30*time.Second)), ""},
		"an id of a clock far ahead":    {madeID(t, testSecret, probeid.AnyPod(), time.Now().Add(probeid.Lifetime+30*time.Second)), ""},
		"another server's id":           {madeID(t, []byte(strings.Repeat("x", 32)), probeid.AnyPod(), time.Now()), ""},
		"a pod's id of two minutes ago": {madeID(t, testSecret, probeid.Pod(podUID), time.Now().Add(-2*time.Minute)), ""},
	}
	for _, c := range clients {
		s.ask(c.id, c.bearer)
	}
	s.eventually("clients are counted", func() bool { return s.counted("requests_total", "") == len(clients) })
	s.eventually("clients are audited", func() bool { return strings.Count(lines.String(), "\n") >= len(clients) })
	for name, c := range clients {
		if len(of(t, lines, c.id)) != 1 {
			t.Errorf("%s has no audit line", name)
		}
	}
	if n := s.counted("probe_requests_total", ""); n != before {
		t.Errorf("%d clients are counted as probes", n-before)
	}
	// The other gate has not seen it: there it is good, once.
	before = another.counted("probe_requests_total", "")
	another.ask(used, "")
	another.eventually("it is a probe there", func() bool { return another.counted("probe_requests_total", "") == before+1 })
}

// While the secret turns over, the operator may ask with either.
func TestQuestionAtTheServiceUnderTheComingSecret(t *testing.T) {
	next := []byte(strings.Repeat("n", 31) + "x")
	s := prepareSite(t, serveHTTP(t, echo))
	s.write(s.dirs.secret, gateapi.NextSecretFile, next)
	s.start()
	before := s.counted("probe_requests_total", "")
	s.ask(madeID(t, next, probeid.AnyPod(), time.Now()), "")
	s.ask(serviceID(t), "")
	s.eventually("both are counted apart", func() bool { return s.counted("probe_requests_total", "") == before+2 })
}
