package gate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// ErrPortTaken: another process of the pod listens on a port of the gate. It may be answering in the gate's place.
var ErrPortTaken = errors.New("the port is already taken")

// listenAll takes the ports of clients, that of Port first, and the admin port: all, or none. What another process has of
// them could answer in the gate's place.
func (g *Gate) listenAll(ctx context.Context, config gateapi.Config) (clients []net.Listener, adminPort net.Listener, err error) {
	defer func() {
		if err != nil {
			for _, listener := range clients {
				listener.Close()
			}
		}
	}()
	client, err := listen(ctx, g.options.ClientListener, config.Port)
	if err != nil {
		return nil, nil, err
	}
	clients = append(clients, client)
	if config.FallbackPort != 0 || g.options.FallbackListener != nil {
		fallback, err := listen(ctx, g.options.FallbackListener, config.FallbackPort)
		if err != nil {
			return clients, nil, err
		}
		clients = append(clients, fallback)
	}
	adminPort, err = listen(ctx, g.options.AdminListener, config.AdminPort)
	return clients, adminPort, err
}

func listen(ctx context.Context, given net.Listener, port int32) (net.Listener, error) {
	if given != nil {
		return given, nil
	}
	listener, err := (&net.ListenConfig{Control: boundBuffers}).Listen(ctx, "tcp", ":"+strconv.Itoa(int(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listen on port %d: %w: stop the other container of this pod from using it, "+
			"or give the gate another port", port, ErrPortTaken)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on port %d: %w", port, err)
	}
	return listener, nil
}

// What the kernel may keep for one connection, in bytes: what a client sends and nobody reads yet, and what it is sent
// and does not read. It counts as the container's memory, and grows to megabytes unless it is bounded. The kernel takes
// twice as much for its own bookkeeping.
const (
	receiveBuffer = 64 << 10
	sendBuffer    = 128 << 10
)

// boundBuffers is for a socket that listens: those that it accepts are as it is.
func boundBuffers(_, _ string, socket syscall.RawConn) error {
	var failed error
	err := socket.Control(func(fd uintptr) {
		failed = errors.Join(
			syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, receiveBuffer),
			syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, sendBuffer))
	})
	return errors.Join(err, failed)
}
