package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// errAddress: the name leads to an address that nobody may make the gate talk to.
var errAddress = errors.New("the gate makes no connection there")

// metadata are addresses at which clouds hand credentials to whoever asks from the right machine, and that are not
// link-local: Alibaba, Azure, AWS (instance metadata and pod identity) and Google.
var metadata = []netip.Prefix{
	netip.MustParsePrefix("100.100.100.200/32"),
	netip.MustParsePrefix("168.63.129.16/32"),
	netip.MustParsePrefix("fd00:ec2::/32"),
	netip.MustParsePrefix("fd20:ce::/32"),
}

// embedding are networks whose last 32 bits are an IPv4 address that a translator, or the kernel, may reach: NAT64
// (RFC 6052 section 2.1) and the old "IPv4-compatible" form (RFC 4291 section 2.5.5.1).
var embedding = []netip.Prefix{netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("::/96")}

// thisNetwork is what the kernel takes for the machine itself (RFC 1122 section 3.2.1.3).
var thisNetwork = netip.MustParsePrefix("0.0.0.0/8")

// JudgeAddress refuses an address that the gate must not fetch keys from: its own pod, what only this machine can
// reach, and the metadata services of clouds. Private networks are allowed: issuers live in clusters.
func JudgeAddress(address netip.Addr) error { return judge(address, net.InterfaceAddrs) }

func judge(address netip.Addr, interfaces func() ([]net.Addr, error)) error {
	address = plain(address)
	switch {
	case !address.IsValid():
		return fmt.Errorf("%w: it has no IP address", errAddress)
	case address.IsLoopback(), address.IsUnspecified(), thisNetwork.Contains(address):
		return fmt.Errorf("%w: %s is the pod itself", errAddress, address)
	case address.IsLinkLocalUnicast():
		return fmt.Errorf("%w: %s is link-local", errAddress, address)
	case address.IsMulticast():
		return fmt.Errorf("%w: %s is multicast", errAddress, address)
	}
	for _, prefix := range metadata {
		if prefix.Contains(address) {
			return fmt.Errorf("%w: %s is a metadata service", errAddress, address)
		}
	}
	own, err := interfaces()
	if err != nil {
		return fmt.Errorf("%w: the pod's own addresses are not known: %w", errAddress, err)
	}
	for _, entry := range own {
		prefix, err := netip.ParsePrefix(entry.String())
		if err == nil && plain(prefix.Addr()) == address {
			return fmt.Errorf("%w: %s is the pod itself", errAddress, address)
		}
	}
	return nil
}

// plain is the address that a connection ends at: without a zone, and IPv4 where it is wrapped in IPv6.
func plain(address netip.Addr) netip.Addr {
	address = address.Unmap().WithZone("")
	for _, prefix := range embedding {
		// "::" and "::1" are addresses of their own.
		if raw := address.As16(); prefix.Contains(address) && address.Compare(netip.IPv6Loopback()) > 0 {
			return netip.AddrFrom4([4]byte(raw[12:]))
		}
	}
	return address
}

// control is called for each socket before it connects, with the address that it connects to.
func control(judge func(netip.Addr) error) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		target, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%w: %w", errAddress, err)
		}
		return judge(target.Addr())
	}
}
