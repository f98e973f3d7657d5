// Command loadclient runs the client of the end-to-end tests: as a server that takes orders, or for one request.
//
//	loadclient -listen :9000
//	loadclient -ask '{"url": "http://127.0.0.1:8000/mcp", "body": "..."}'    prints the answer as one line of JSON
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mcp-gatehouse/gatehouse/test/loadclient"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "loadclient:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("loadclient", flag.ContinueOnError)
	listen := flags.String("listen", ":9000", "`address` on which to take orders")
	one := flags.String("ask", "", "one `request` to put, as JSON, instead")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *one != "" {
		var request loadclient.Request
		if err := json.Unmarshal([]byte(*one), &request); err != nil {
			return fmt.Errorf("-ask: %w", err)
		}
		return json.NewEncoder(out).Encode(loadclient.Ask(ctx, request))
	}
	server := &http.Server{Addr: *listen, Handler: loadclient.NewServer(ctx), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServe(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("listen on %s: %w", *listen, err)
	}
	return nil
}
