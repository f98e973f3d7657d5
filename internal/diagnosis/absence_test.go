package diagnosis_test

import (
	"net/netip"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
)

func TestAbsence(t *testing.T) {
	at := func(all ...string) (out []netip.AddrPort) {
		for _, text := range all {
			out = append(out, netip.MustParseAddrPort(text))
		}
		return out
	}
	const nothing = "nothing listens on 127.0.0.1:8000 or [::1]:8000"
	for name, c := range map[string]struct {
		others        []netip.AddrPort
		facts, advice string
	}{
		"nothing listens": {nil, nothing + ", and on no other port of the pod",
			"If the server takes long to start, raise startupSeconds. If it speaks MCP over stdio, have it serve streamable HTTP, with args or env."},
		"another port": {at("0.0.0.0:3000"), nothing + "; in the pod, others listen on 0.0.0.0:3000",
			"Set port to 3000 if that is the server's, or have the server listen on port 8000."},
		"several ports": {at("[::]:3000", "127.0.0.1:9000"), nothing + "; in the pod, others listen on [::]:3000, 127.0.0.1:9000",
			"Set port to that one of these which is the server's, or have the server listen on port 8000."},
		"another address": {at("10.1.2.3:8000"), nothing + "; in the pod, others listen on 10.1.2.3:8000",
			"The server listens on 10.1.2.3 alone, where its gate does not reach it: have it listen on 127.0.0.1, by its option or variable for the host."},
	} {
		absence := diagnosis.Absence{Port: 8000, Others: c.others}
		if got := absence.Facts(); got != c.facts {
			t.Errorf("%s: got %q, want %q", name, got, c.facts)
		}
		if got := absence.Advice(); got != c.advice {
			t.Errorf("%s: got %q, want %q", name, got, c.advice)
		}
	}
}
