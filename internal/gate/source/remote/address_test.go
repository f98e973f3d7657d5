package remote

import (
	"errors"
	"net"
	"net/netip"
	"testing"
)

func TestAddresses(t *testing.T) {
	own := func() ([]net.Addr, error) {
		return []net.Addr{
			&net.IPNet{IP: net.IPv4(10, 1, 2, 3), Mask: net.CIDRMask(24, 32)},
			&net.IPNet{IP: net.ParseIP("fd12::3"), Mask: net.CIDRMask(64, 128)},
		}, nil
	}
	for text, allowed := range map[string]bool{
		// The pod itself.
		"127.0.0.1": false, "127.255.0.9": false, "::1": false, "0.0.0.0": false, "::": false, "0.1.2.3": false,
		"10.1.2.3": false, "fd12::3": false,
		// The machine, and the clouds' metadata services.
		"169.254.169.254": false, "169.254.0.1": false, "fe80::1": false, "fe80::1%eth0": false, "febf::1": false,
		"fd00:ec2::254": false, "fd00:ec2::23": false, "fd20:ce::254": false, "100.100.100.200": false, "168.63.129.16": false,
		// Multicast.
		"224.0.0.1": false, "239.255.255.250": false, "ff02::1": false, "ff0e::1": false,
		// The same in disguise.
		"::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::ffff:10.1.2.3": false, "::ffff:0.0.0.0": false,
		"::127.0.0.1": false, "64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b::c000:c0": false,
		// Translated by the network's own rules, with the address in each of its places.
		"64:ff9b:1::a9fe:a9fe": false, "64:ff9b:1:7f00:0:100::": false, "64:ff9b:1:a9fe:a9:fe00::": false,
		"64:ff9b:1:a9:fe:a9fe::": false, "64:ff9b:1:0:a9:fea9:fe00:0": false, "64:ff9b:1::": false,
		// 6to4, Teredo, site-local, translated without a checksum, 6bone.
		"2002:7f00:1::": false, "2002:a9fe:a9fe::1": false, "2002:a01:203::1": false, "2002:6464:64c8::": false,
		"2001:0:4136:e378:8000:63bf:3fff:fdd2": false, "fec0::1": false, "feff::1": false, "::ffff:0:7f00:1": false, "3ffe::1": false,
		// For protocols, for nobody, for all.
		"192.0.0.192": false, "192.0.0.8": false, "192.0.0.170": false, "192.88.99.1": false, "192.31.196.1": false,
		"192.52.193.1": false, "192.175.48.1": false, "240.0.0.1": false, "255.255.255.255": false, "100::1": false,
		"100:0:0:1::1": false, "2001:2::1": false, "2001:20::1": false, "2001:1::1": false, "2620:4f:8000::1": false, "5f00::1": false,
		"::ffff:192.0.0.192": false, "::ffff:255.255.255.255": false, "64:ff9b::f000:1": false,
		// Where issuers are.
		"10.1.2.4": true, "192.168.1.1": true, "172.16.0.1": true, "100.64.0.1": true, "fd12::4": true, "fc00::1": true,
		"198.18.0.1": true, "192.0.2.1": true, "2002:cb00:7101::1": true, "64:ff9b:1::cb00:7101": true, "64:ff9b:1:cb00:71:100::": true,
		"192.0.1.1": true, "2001:200::1": true, "fe00::1": true, "fd21::1": true, "168.63.129.17": true, "::203.0.113.1": true,
		"203.0.113.1": true, "2001:db8::1": true, "::ffff:203.0.113.1": true, "64:ff9b::cb00:7101": true,
	} {
		err := judge(netip.MustParseAddr(text), own)
		if (err == nil) != allowed || err != nil && !errors.Is(err, errAddress) {
			t.Errorf("%s: got %v, allowed: %v", text, err, allowed)
		}
	}
	if judge(netip.Addr{}, own) == nil {
		t.Error("no address is allowed")
	}
	unknown := func() ([]net.Addr, error) { return nil, errors.New("no netlink") }
	if judge(netip.MustParseAddr("203.0.113.1"), unknown) == nil {
		t.Error("an address is allowed that might be the pod's own")
	}
}

func TestThisMachinesOwnAddresses(t *testing.T) {
	entries, err := net.InterfaceAddrs()
	if err != nil || len(entries) == 0 {
		t.Fatalf("this machine has no addresses: %v", err)
	}
	for _, entry := range entries {
		if address := netip.MustParsePrefix(entry.String()).Addr(); JudgeAddress(address) == nil {
			t.Errorf("%s is this machine's own and allowed", address)
		}
	}
}

func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"::ffff:127.0.0.1", "64:ff9b::7f00:1", "::", "fe80::1%x", "10.0.0.1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return
		}
		bad := address.IsLoopback() || address.Unmap().IsLoopback() || address.IsUnspecified() || address.IsLinkLocalUnicast() ||
			address.Unmap().IsLinkLocalUnicast() || address.IsMulticast()
		if none := func() ([]net.Addr, error) { return nil, nil }; bad && judge(address, none) == nil {
			t.Errorf("%s is allowed", address)
		}
	})
}
