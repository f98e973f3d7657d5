package snapshot

import "testing"

// What belongs to the pod, a running gate does not change: its listeners and its server have it from the start.
func TestPortsAndTLSStayThoseOfThePod(t *testing.T) {
	m := newMounts(t)
	s, err := Open(m.source)
	must(t, err)
	m.config.Port, m.config.AdminPort, m.config.Upstream.Port, m.config.TLS, m.config.Upstream.Path = 11, 12, 13, true, "/other"
	m.writeConfig()
	s.Poll()
	if got := s.Current().Config; got.Port != 1 || got.AdminPort != 2 || got.Upstream.Port != 3 || got.TLS || got.Upstream.Path != "/other" {
		t.Errorf("got %+v", got)
	}
}
