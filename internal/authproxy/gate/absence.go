package gate

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
)

// serverAbsence is State.ServerAbsence. It does not wait for a server that is slow to take connections.
func (g *Gate) serverAbsence() string {
	const patience = 500 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := dialServer(ctx, g.upstreamAddress()); !errors.Is(err, syscall.ECONNREFUSED) {
		return ""
	}
	listeners, err := admin.Listeners()
	if err != nil {
		return "nothing listens on " + g.upstreamAddress()
	}
	return absence(g.upstreamAddress(), listeners)
}

// absence names what listens instead.
func absence(address string, listeners []admin.Listener) string {
	const most = 8
	var others []string
	for _, l := range listeners[:min(len(listeners), most)] {
		others = append(others, net.JoinHostPort(l.Address, strconv.Itoa(int(l.Port))))
	}
	switch len(others) {
	case 0:
		return "nothing listens on " + address + ", nor on any other port of the pod"
	default:
		return "nothing listens on " + address + "; in the pod, others listen on " + strings.Join(others, ", ")
	}
}
