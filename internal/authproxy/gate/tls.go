package gate

import (
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/certificate"
)

// openCertificate reads the certificate where the configuration wants TLS. Without one the gate listens and refuses
// every handshake, and is not ready: it opens when the certificate comes, which a crash loop would only put off.
func (g *Gate) openCertificate() {
	if !g.store.Current().Config.TLS {
		return
	}
	g.certificate = certificate.Open(certificate.Source{
		Dir: g.options.TLSDir, Log: g.options.Log, Failed: func() { g.metrics.ReloadFailed("certificate") },
	})
	g.selfTest.certificate = g.certificate
	g.metrics.WatchCertificate(g.certificate.Leaf)
}

// pollFiles looks at all mounted files and tells whether another certificate is shown now.
func (g *Gate) pollFiles() (renewed bool) {
	g.store.Poll()
	return g.certificate != nil && g.certificate.Poll()
}

// problem is what keeps the mounted files, as they are now, from being in force.
func (g *Gate) problem() error {
	if g.certificate == nil {
		return g.store.Problem()
	}
	return errors.Join(g.store.Problem(), g.certificate.Problem())
}

// clientServer serves HTTP/1.1, and over TLS HTTP/2 to whoever asks for it (ALPN). Never HTTP/2 in plain text: a proxy
// in front of the gate may take its frames for the body of a request that it has checked.
//
// net/http bounds what HTTP/2 adds: the header of a request by MaxHeaderBytes, however many CONTINUATION frames it
// comes in; streams that are opened and reset by the number that may be open; and its own queue of control frames.
func (g *Gate) clientServer() *http.Server {
	server := g.httpServer(g.ClientHandler())
	g.waiting.bound(server)
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
	if g.certificate == nil {
		return server.Serve(listener)
	}
	return server.ServeTLS(listener, "", "")
}
