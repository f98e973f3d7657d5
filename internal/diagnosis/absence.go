package diagnosis

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Absence is a server to which its gate cannot connect: nothing listens on its port of the pod's loopback.
type Absence struct {
	// Port is where the server must listen.
	Port int32
	// Others are what listens in the pod besides the gate.
	Others []netip.AddrPort
}

// Equal reports whether both say the same.
func (a Absence) Equal(other Absence) bool {
	return a.Port == other.Port && slices.Equal(a.Others, other.Others)
}

// Facts says what was seen, without a full stop.
func (a Absence) Facts() string {
	text := fmt.Sprintf("nothing listens on 127.0.0.1:%d or [::1]:%d", a.Port, a.Port)
	if len(a.Others) == 0 {
		return text + ", and on no other port of the pod"
	}
	var others []string
	for _, other := range a.Others {
		others = append(others, other.String())
	}
	return text + "; in the pod, others listen on " + strings.Join(others, ", ")
}

// Advice says as sentences what to do.
func (a Absence) Advice() string {
	there := slices.IndexFunc(a.Others, func(o netip.AddrPort) bool { return int32(o.Port()) == a.Port })
	switch {
	case len(a.Others) == 0:
		return "If the server takes long to start, raise startupSeconds. If it speaks MCP over stdio, have it serve streamable HTTP, with args or env."
	case there >= 0:
		return fmt.Sprintf("The server listens on %s alone, where its gate does not reach it: have it listen on 127.0.0.1, by its option or variable for the host.",
			a.Others[there].Addr())
	case len(a.Others) == 1:
		return fmt.Sprintf("Set port to %d if that is the server's, or have the server listen on port %d.", a.Others[0].Port(), a.Port)
	default:
		return fmt.Sprintf("Set port to that one of these which is the server's, or have the server listen on port %d.", a.Port)
	}
}
