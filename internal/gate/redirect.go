package gate

import (
	"net"
	"net/netip"
	"os"
	"sync/atomic"
)

// redirect is the path to which the server led a message for the MCP endpoint at last; empty if it never did.
type redirect struct{ path atomic.Pointer[string] }

func (r *redirect) last() string {
	if path := r.path.Load(); path != nil {
		return *path
	}
	return ""
}

// redirected logs the cure, once for each path. A path of the server's own is no secret; what a client chose is not in it
// but for what the server made of the endpoint's own path.
func (g *Gate) redirected(path string) {
	const longest = 256
	if path == "" || len(path) > longest || path == g.redirect.last() {
		return
	}
	g.redirect.path.Store(&path)
	g.options.Log.Warn("the server redirects from its MCP endpoint, and clients cannot follow: set spec.path to where it answers",
		"redirectsTo", path)
}

// podNames are the pod's own names and addresses. What cannot be found out is left out.
func podNames() []string {
	var names []string
	if name, err := os.Hostname(); err == nil {
		names = append(names, name)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return names
	}
	for _, address := range addresses {
		if prefix, err := netip.ParsePrefix(address.String()); err == nil {
			names = append(names, prefix.Addr().String())
		}
	}
	return names
}
