package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/mcp-gatehouse/gatehouse/test/mcpfake/quilt"
)

// runQuilt plays quilt-mcp-server, configured as that one is: mcpfake quilt RELEASE [ARGUMENT...].
func runQuilt(args []string, env func(string) (string, bool), stderr io.Writer) int {
	if len(args) == 0 {
		_, _ = fmt.Fprintln(stderr, "usage: mcpfake quilt RELEASE [ARGUMENT...]")
		return exitUsage
	}
	config, err := quilt.ReadConfig(quilt.Release(args[0]), args[1:], env)
	var invalid *quilt.ConfigError
	switch {
	case errors.As(err, &invalid):
		_, _ = fmt.Fprint(stderr, invalid.Message())
		return 1
	case err != nil:
		_, _ = fmt.Fprintln(stderr, "mcpfake quilt:", err)
		return exitUsage
	case config.Addr == "": // Nobody writes to the standard input of a container.
		return 0
	}
	server, err := quilt.New(config)
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
		defer stop()
		err = server.Run(ctx)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "mcpfake quilt:", err)
		return 1
	}
	return 0
}
