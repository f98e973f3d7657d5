// Package loopback connects to the MCP server of the gate's own pod. It knows no HTTP.
package loopback

import (
	"context"
	"errors"
	"net"
	"syscall"
)

const (
	ipv4 = "127.0.0.1"
	ipv6 = "::1"
)

// Dial connects to an address. A server that binds "localhost" may listen on ::1 alone, so where nothing listens on the
// port of 127.0.0.1, that of ::1 is tried. The error is that of the first: it names the address that the spec is about.
func Dial(ctx context.Context, dialer *net.Dialer, address string) (net.Conn, error) {
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return conn, err
	}
	host, port, splitErr := net.SplitHostPort(address)
	if splitErr != nil || host != ipv4 {
		return nil, err
	}
	if conn, otherErr := dialer.DialContext(ctx, "tcp", net.JoinHostPort(ipv6, port)); otherErr == nil {
		return conn, nil
	}
	return nil, err
}

// DialContext is Dial in the form that http.Transport takes.
func DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	return Dial(ctx, &net.Dialer{}, address)
}
