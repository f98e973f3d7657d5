package gate

import (
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/connection"
)

// httpServer has no write timeout: streams last for hours. Bodies are timed by package body.
func (g *Gate) httpServer(handler http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    32 << 10,
		Protocols:         protocols,
		// Else net/http would answer "OPTIONS *" itself, to anybody.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     g.httpErrors(),
	}
}

// httpErrors is the log of what package net/http finds wrong with requests.
func (g *Gate) httpErrors() *log.Logger {
	return slog.NewLogLogger(g.options.Log.Handler(), slog.LevelDebug)
}

// clientServer serves HTTP/1.1, and over TLS HTTP/2 to whoever asks for it (ALPN). Never HTTP/2 in plain text: a proxy
// in front of the gate may take its frames for the body of a request that it has checked.
//
// net/http bounds what HTTP/2 adds: the header of a request by MaxHeaderBytes, however many CONTINUATION frames it
// comes in; streams that are opened and reset by the number that may be open; and its own queue of control frames.
func (g *Gate) clientServer() *http.Server {
	server := g.httpServer(g.ClientHandler())
	g.connections.Serve(server)
	if g.certificate == nil {
		return server
	}
	server.Protocols.SetHTTP2(true)
	server.TLSConfig = g.certificate.ServerConfig()
	server.HTTP2 = &http.HTTP2Config{
		MaxConcurrentStreams:          100,       // the least that RFC 9113 section 6.5.2 recommends
		MaxReceiveBufferPerConnection: 128 << 10, // memory that whoever connects can fill
		MaxReceiveBufferPerStream:     64 << 10,
		SendPingTimeout:               60 * time.Second, // finds out that the client of a quiet stream has gone
		PingTimeout:                   15 * time.Second,
		WriteByteTimeout:              60 * time.Second,
	}
	return server
}

func (g *Gate) serveClients(server *http.Server, listener net.Listener) error {
	listener = connection.Listener{Listener: listener}
	if g.certificate == nil {
		return server.Serve(listener)
	}
	return server.ServeTLS(listener, "", "")
}
