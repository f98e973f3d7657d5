// Command registry serves a folder as an OCI registry over plain HTTP: the CNCF's reference implementation, as releases are
// pushed to and pulled from in tests. It knows nothing of Gatehouse.
//
//	registry -addr 127.0.0.1:5000 -folder out/registry
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

// Access logs name the digest of each pull, which tells who pulled what.
const settings = `
version: 0.1
log: {level: info, accesslog: {disabled: false}}
storage: {filesystem: {rootdirectory: %q}, delete: {enabled: true}}
http: {addr: %q}
`

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "registry:", err)
		os.Exit(1)
	}
}

func run() error {
	addr := flag.String("addr", "127.0.0.1:5000", "where to listen")
	folder := flag.String("folder", "", "where to keep what is pushed")
	flag.Parse()
	if *folder == "" {
		return fmt.Errorf("name a -folder")
	}
	config, err := configuration.Parse(strings.NewReader(fmt.Sprintf(settings, *folder, *addr)))
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	served, err := registry.NewRegistry(ctx, config)
	if err != nil {
		return fmt.Errorf("make registry: %w", err)
	}
	return served.ListenAndServe()
}
