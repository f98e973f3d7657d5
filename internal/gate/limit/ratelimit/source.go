package ratelimit

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Source is where a request comes from.
type Source struct{ address netip.Addr }

// String is the address, for logs.
func (s Source) String() string {
	if !s.address.IsValid() {
		return ""
	}
	return s.address.String()
}

// Network is what has one budget: an address of IPv4, or a /64 of IPv6. Sources of no address share one.
func (s Source) Network() netip.Prefix {
	bits := 64
	if s.address.Is4() {
		bits = s.address.BitLen()
	}
	network, _ := s.address.Prefix(bits) // cannot fail but for no address
	return network
}

// key is what has one budget: an IPv4 address, or all of an IPv6 subnet, of which one host may use any address.
func (s Source) key() [16]byte {
	if s.address.Is4() || !s.address.IsValid() {
		return s.address.As16()
	}
	const subnetBits = 64
	subnet, _ := s.address.Prefix(subnetBits) // cannot fail: there are 128 bits
	return subnet.Addr().As16()
}

// Sources tells the Source of each request.
type Sources struct {
	trusted []netip.Prefix
	header  string
}

// NewSources follows the configuration, which ParseConfig has checked.
func NewSources(config gateapi.ClientIP) *Sources {
	s := &Sources{header: config.Header}
	for _, text := range config.TrustedProxies {
		if network, err := netip.ParsePrefix(text); err == nil {
			s.trusted = append(s.trusted, network.Masked())
		}
	}
	return s
}

// Of is the other end of the connection or, if that is a trusted proxy, the right-most address of the header that is
// not one: everything left of it may have been made up by whoever sent it. If the header cannot be read that far, or
// has trusted addresses only, it is the other end all the same.
func (s *Sources) Of(r *http.Request) Source {
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil { // Not from a TCP listener.
		return Source{address: netip.IPv6Unspecified()}
	}
	peer := plain(remote.Addr())
	if !s.trusts(peer) {
		return Source{address: peer}
	}
	hops, ok := splitOutsideQuotes(strings.Join(r.Header.Values(s.header), ","), ',')
	for i := len(hops) - 1; ok && i >= 0; i-- {
		hop, known := s.hop(hops[i])
		if !known {
			break
		}
		if !s.trusts(hop) {
			return Source{address: hop}
		}
	}
	return Source{address: peer}
}

func (s *Sources) trusts(address netip.Addr) bool {
	for _, network := range s.trusted {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// hop reads one element of the header.
func (s *Sources) hop(text string) (netip.Addr, bool) {
	if s.header == "Forwarded" {
		node, ok := forwardedFor(text)
		if !ok {
			return netip.Addr{}, false
		}
		text = node
	}
	text = strings.Trim(text, " \t")
	if address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")); err == nil {
		return plain(address), true
	}
	withPort, err := netip.ParseAddrPort(text)
	return plain(withPort.Addr()), err == nil
}

func plain(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }

// forwardedFor gives the one "for" of a forwarded-element (RFC 7239 section 4).
func forwardedFor(element string) (node string, ok bool) {
	pairs, ok := splitOutsideQuotes(element, ';')
	if !ok {
		return "", false
	}
	found := 0
	for _, pair := range pairs {
		name, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
		if strings.EqualFold(name, "for") {
			node, found = value, found+1
		}
	}
	if unquoted, quoted := strings.CutPrefix(node, `"`); quoted {
		// No address has anything to escape.
		node = strings.TrimSuffix(unquoted, `"`)
	}
	return node, found == 1
}

// splitOutsideQuotes splits at a separator that is not within a quoted-string (RFC 9110 section 5.6.4). It fails where
// a quote does not end.
func splitOutsideQuotes(text string, separator byte) (parts []string, ok bool) {
	quoted, escaped, start := false, false, 0
	for i := range len(text) {
		switch c := text[i]; {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case c == separator && !quoted:
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:]), !quoted
}
