package admin

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Listener is a TCP socket that waits for connections.
type Listener struct {
	Address string `json:"address"`
	Port    uint16 `json:"port"`
	// UID is the user of the process that opened the socket.
	UID uint32 `json:"uid"`
}

// ForeignListeners are the listening TCP sockets of this network namespace on addresses other than loopback, without
// those of this process.
func ForeignListeners() ([]Listener, error) {
	all, err := Listeners()
	if err != nil {
		return nil, err
	}
	return foreign(all), nil
}

func foreign(all []Listener) []Listener {
	return slices.DeleteFunc(all, func(l Listener) bool {
		address, err := netip.ParseAddr(l.Address)
		return err == nil && address.IsLoopback()
	})
}

// Listeners are the listening TCP sockets of this network namespace, without those of this process.
func Listeners() ([]Listener, error) {
	own, err := ownSockets()
	if err != nil {
		return nil, err
	}
	found := []Listener{}
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		file, err := os.Open(table)
		if errors.Is(err, fs.ErrNotExist) { // A kernel without IPv6.
			continue
		}
		if err != nil {
			return nil, err
		}
		listeners, err := parseListeners(file, own)
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", table, err)
		}
		found = append(found, listeners...)
	}
	return found, nil
}

// ownSockets gives the inodes of this process's sockets.
func ownSockets() (map[string]bool, error) {
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		return nil, err
	}
	own := map[string]bool{}
	for _, link := range links {
		// A descriptor may be closed between the two calls.
		target, err := os.Readlink(link)
		if inode, isSocket := strings.CutPrefix(target, "socket:["); err == nil && isSocket {
			own[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return own, nil
}

// parseListeners reads a table as of proc(5): local address, state (0A is LISTEN), uid and inode are fields 1, 3, 7, 9.
func parseListeners(table io.Reader, own map[string]bool) ([]Listener, error) {
	const stateListen, column = "0A", " 0A "
	var found []Listener
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		if !bytes.Contains(lines.Bytes(), []byte(column)) {
			continue // Most lines are connections, and there can be very many.
		}
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[3] != stateListen || own[fields[9]] {
			continue
		}
		local, err := parseAddress(fields[1])
		if err != nil {
			return nil, err
		}
		uid, err := strconv.ParseUint(fields[7], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("uid %q: %w", fields[7], err)
		}
		found = append(found, Listener{Address: local.Addr().String(), Port: local.Port(), UID: uint32(uid)})
	}
	return found, lines.Err()
}

// parseAddress reads "0100007F:1F90". The kernel prints each 32-bit word of the address in the byte order of the
// machine; all machines that Gatehouse is built for are little-endian.
func parseAddress(text string) (netip.AddrPort, error) {
	address, port, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(address)
	if err != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, fmt.Errorf("address %q is not hexadecimal words", text)
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	addr, ok := netip.AddrFromSlice(raw)
	number, err := strconv.ParseUint(port, 16, 16)
	if err != nil || !ok {
		return netip.AddrPort{}, fmt.Errorf("address %q is not address:port", text)
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(number)), nil
}
