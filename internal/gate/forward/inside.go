package forward

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// inside knows by which addresses the server is known in its pod, and nowhere else.
type inside struct {
	port  string          // of the server
	names map[string]bool // the pod's own names and addresses, in lower case
}

// place is what an authority means to a client.
type place int

const (
	elsewhere place = iota
	server          // the server, by an address of the pod
	pod             // something else in the pod: there is no address of it for clients
)

// ownNames are the names and addresses of a pod, as inside compares them.
func ownNames(names []string) map[string]bool {
	own := map[string]bool{}
	for _, name := range names {
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		if address, err := netip.ParseAddr(name); err == nil {
			name = address.WithZone("").Unmap().String()
		}
		own[name] = name != ""
	}
	return own
}

// find says where an authority (RFC 3986 section 3.2) leads. Without a port it is taken for the server: some frameworks
// leave out the port of the Host that they were asked for.
func (i inside) find(authority string) place {
	host, port := splitAuthority(authority)
	switch {
	case !i.has(host):
		return elsewhere
	case port == "" || strings.TrimLeft(port, "0") == i.port:
		return server
	default:
		return pod
	}
}

// has reports whether a host is of the pod, however it is spelled.
func (i inside) has(host string) bool {
	if plain, err := url.PathUnescape(host); err == nil {
		host = plain
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if i.names[host] || host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasPrefix(host, "localhost.localdomain") {
		return true
	}
	address, ok := parseAddress(host)
	return ok && (address.IsLoopback() || address.IsUnspecified() || i.names[address.String()])
}

// splitAuthority leaves out who is to log in.
func splitAuthority(authority string) (host, port string) {
	hostport := authority[strings.LastIndexByte(authority, '@')+1:]
	if host, port, err := net.SplitHostPort(hostport); err == nil {
		return host, port
	}
	return strings.Trim(hostport, "[]"), ""
}

// parseAddress takes the spellings of IPv4 that browsers and the C library take, too: 127.1, 0x7f000001, 0177.0.0.1.
func parseAddress(host string) (netip.Addr, bool) {
	if address, err := netip.ParseAddr(host); err == nil {
		return address.WithZone("").Unmap(), true
	}
	parts := strings.Split(host, ".")
	const most, bits = 4, 32
	if len(parts) > most {
		return netip.Addr{}, false
	}
	var sum uint64
	for i, part := range parts {
		value, err := strconv.ParseUint(part, 0, bits)
		room := 8
		if i == len(parts)-1 { // The last part fills what is left.
			room = bits - 8*i
		}
		if err != nil || value >= 1<<room {
			return netip.Addr{}, false
		}
		sum = sum<<room | value
	}
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}), true
}
