package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// errAddress: the name leads to an address that nobody may make the gate talk to.
var errAddress = errors.New("the gate makes no connection there")

// closedNetwork is one that no issuer is in, and what it is.
type closedNetwork struct {
	prefix netip.Prefix
	kind   string
}

func networks(kind string, prefixes ...string) []closedNetwork {
	var out []closedNetwork
	for _, prefix := range prefixes {
		out = append(out, closedNetwork{netip.MustParsePrefix(prefix), kind})
	}
	return out
}

// closed are networks that no issuer is in. Private ones are not among them (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16,
// 100.64.0.0/10, fc00::/7, 198.18.0.0/15 and those for documentation): issuers live in clusters, and there are clusters with such addresses.
//
// Most are of the registries for special purposes, where these are not "globally reachable" or end at the machine or its
// next router (IANA IPv4 and IPv6 Special-Purpose Address Registries, RFC 6890).
var closed = slices.Concat(
	// Clouds hand credentials to whoever asks there from the right machine: Alibaba, Azure, Oracle, AWS (instance metadata
	// and pod identity) and Google.
	networks("a metadata service", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::/32", "fd20:ce::/32"),
	// The kernel takes "this network" for the machine itself (RFC 1122 section 3.2.1.3).
	networks("the pod itself", "0.0.0.0/8", "127.0.0.0/8", "::/128", "::1/128"),
	networks("link-local", "169.254.0.0/16", "fe80::/10"),
	// RFC 3879 took it back, and kernels treat it as any other site's.
	networks("site-local", "fec0::/10"),
	networks("multicast", "224.0.0.0/4", "ff00::/8"),
	networks("reserved", "240.0.0.0/4"), // RFC 1112 section 4; the broadcast address is in it
	// Protocol assignments: DS-Lite, NAT64 discovery, anycast of relays (RFC 6890, RFC 7335, RFC 8155).
	networks("assigned to protocols", "192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.175.48.0/24", "2620:4f:8000::/48"),
	networks("for discarding", "100::/64", "100:0:0:1::/64"), // RFC 6666, RFC 9780
	// Teredo, benchmarking, AMT, AS112, ORCHID and others; what they wrap does not end where it seems to (RFC 4380).
	networks("assigned to protocols", "2001::/23"),
	networks("a segment routing identifier", "5f00::/16"), // RFC 9602
	// What is translated with other rules than RFC 6052 cannot be looked into: RFC 2765, and 6bone.
	networks("translated", "::ffff:0:0:0/96", "3ffe::/16"),
)

// embedding are networks in which an IPv4 address is, at this byte, that a translator, a relay or the kernel may reach.
var embedding = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, // NAT64 (RFC 6052 section 2.1)
	{netip.MustParsePrefix("2002::/16"), 2},     // 6to4 (RFC 3056 section 2)
	{netip.MustParsePrefix("::/96"), 12},        // IPv4-compatible (RFC 4291 section 2.5.5.1)
}

// localTranslation is for NAT64 with rules of the network's own (RFC 8215): where in an address the IPv4 one is depends on
// the length of the prefix that is in use, so every place that RFC 6052 section 2.2 knows is looked at.
var localTranslation = netip.MustParsePrefix("64:ff9b:1::/48")

// JudgeAddress returns an error for an address that the gate must not fetch keys from: its own pod, what only this machine
// can reach, metadata services of clouds, and what is for no host at all. Private networks are allowed: issuers live in
// clusters.
func JudgeAddress(address netip.Addr) error { return judge(address, net.InterfaceAddrs) }

func judge(address netip.Addr, interfaces func() ([]net.Addr, error)) error {
	if !address.IsValid() {
		return fmt.Errorf("%w: it has no IP address", errAddress)
	}
	own, err := interfaces()
	if err != nil {
		return fmt.Errorf("%w: the pod's own addresses are not known: %w", errAddress, err)
	}
	for _, reached := range reachedBy(address) {
		if err := judgeOne(reached, own); err != nil {
			return err
		}
	}
	return nil
}

// judgeOne judges an address that wraps no other.
func judgeOne(address netip.Addr, own []net.Addr) error {
	for _, network := range closed {
		if network.prefix.Contains(address) {
			return fmt.Errorf("%w: %s is %s", errAddress, address, network.kind)
		}
	}
	for _, entry := range own {
		prefix, err := netip.ParsePrefix(entry.String())
		if err == nil && prefix.Addr().Unmap().WithZone("") == address {
			return fmt.Errorf("%w: %s is the pod itself", errAddress, address)
		}
	}
	return nil
}

// reachedBy are the addresses at which a connection to one may end: itself, without a zone, and the IPv4 ones in it.
func reachedBy(address netip.Addr) []netip.Addr {
	address = address.Unmap().WithZone("")
	out := []netip.Addr{address}
	if address.Is4() {
		return out
	}
	raw := address.As16()
	for _, form := range embedding {
		// "::" and "::1" are addresses of their own.
		if form.prefix.Contains(address) && address.Compare(netip.IPv6Loopback()) > 0 {
			out = append(out, netip.AddrFrom4([4]byte(raw[form.at:form.at+4])))
		}
	}
	if localTranslation.Contains(address) {
		out = append(out, translated(raw)...)
	}
	return out
}

// translated reads an address of localTranslation with each length of prefix; its byte 8 belongs to no IPv4 address. A
// place that begins with 0 is not the one in use, unless all do.
func translated(raw [16]byte) []netip.Addr {
	var out []netip.Addr
	for _, candidate := range [][4]byte{
		{raw[6], raw[7], raw[9], raw[10]},  // behind 48 bits
		{raw[7], raw[9], raw[10], raw[11]}, // 56
		[4]byte(raw[9:13]),                 // 64
		[4]byte(raw[12:]),                  // 96
	} {
		if candidate[0] != 0 {
			out = append(out, netip.AddrFrom4(candidate))
		}
	}
	if len(out) == 0 {
		out = append(out, netip.IPv4Unspecified())
	}
	return out
}

// control is called for each socket before it connects, with the address that it connects to.
func control(judgeAddress func(netip.Addr) error) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		target, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%w: %w", errAddress, err)
		}
		return judgeAddress(target.Addr())
	}
}
