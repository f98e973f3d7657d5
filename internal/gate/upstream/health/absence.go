package health

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
)

// maxListeners bounds State.ServerListeners.
const maxListeners = 8

// Absence returns admin.State's ServerAbsence and ServerListeners for the server's address. It does not wait for a server that is slow to take
// connections.
func Absence(address string) (absent string, listeners []admin.Listener) {
	const patience = 500 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := Dial(ctx, address); !errors.Is(err, syscall.ECONNREFUSED) {
		return "", nil
	}
	listeners, err := admin.Listeners()
	if err != nil {
		return nothing(address), nil
	}
	listeners = listeners[:min(len(listeners), maxListeners)]
	return absence(address, listeners), listeners
}

// absence says that nothing listens, and names what listens instead.
func absence(address string, listeners []admin.Listener) string {
	var others []string
	for _, l := range listeners {
		others = append(others, net.JoinHostPort(l.Address, strconv.Itoa(int(l.Port))))
	}
	if len(others) == 0 {
		return nothing(address) + ", and on no other port of the pod"
	}
	return nothing(address) + "; in the pod, others listen on " + strings.Join(others, ", ")
}

// nothing names both addresses that were tried; see package loopback.
func nothing(address string) string {
	if host, port, err := net.SplitHostPort(address); err == nil && host == "127.0.0.1" {
		address += " or [::1]:" + port
	}
	return "nothing listens on " + address
}
