package main

import (
	"flag"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// toolList is an answer as small servers give it.
const toolList = `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"search","description":"search packages",` +
	`"inputSchema":{"type":"object","properties":{"q":{"type":"string"}}}}]}}`

// serveAnswers is the server behind all: a bare net/http handler that answers as JSON, or as a stream of one event to who
// accepts nothing else.
func serveAnswers(args []string) error {
	address := addressOf("server", args)
	handler := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Header.Get("Accept") != "text/event-stream" {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, toolList)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "event: message\ndata: "+toolList+"\n\n")
		_ = http.NewResponseController(w).Flush()
	}
	return listenAndServe(address, http.HandlerFunc(handler))
}

// serveReverseProxy is the yardstick: Go's own reverse proxy, with what one gives it who wants it quick.
func serveReverseProxy(args []string) error {
	flags := flag.NewFlagSet("reverseproxy", flag.ExitOnError)
	address := flags.String("address", "", "where to listen")
	server := flags.String("server", "", "where the server is")
	_ = flags.Parse(args) // ExitOnError.
	serverURL := &url.URL{Scheme: "http", Host: *server}
	const kept = 1024
	transport := &http.Transport{MaxIdleConns: kept, MaxIdleConnsPerHost: kept, IdleConnTimeout: time.Minute, DisableCompression: true}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(serverURL)
			r.SetXForwarded()
		},
		Transport: transport, FlushInterval: -1,
		BufferPool: &buffers{sync.Pool{New: func() any { return make([]byte, 32<<10) }}},
	}
	return listenAndServe(*address, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Without this it loses an answer now and then (golang/go#40747), and could not be measured.
		_ = http.NewResponseController(w).EnableFullDuplex()
		proxy.ServeHTTP(w, r)
	}))
}

type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte       { return b.pool.Get().([]byte) }
func (b *buffers) Put(buffer []byte) { b.pool.Put(buffer) } //nolint:staticcheck // As everybody does it.

func listenAndServe(address string, handler http.Handler) error {
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

func addressOf(name string, args []string) string {
	flags := flag.NewFlagSet(name, flag.ExitOnError)
	address := flags.String("address", "", "where to listen")
	_ = flags.Parse(args) // ExitOnError.
	return strings.TrimSpace(*address)
}
