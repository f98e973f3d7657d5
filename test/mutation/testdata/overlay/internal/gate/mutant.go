package gate

import (
	"bufio"
	"crypto/tls"
	"net"
	"os"
)

// mutant names what this gate leaves out.
var mutant = os.Getenv("GATEHOUSE_MUTANT")

// eitherWay takes TLS and plain HTTP on one port.
type eitherWay struct {
	net.Listener
	config *tls.Config
}

// Accept looks at the first byte, which is 22 of a TLS handshake (RFC 8446 section 5.1).
func (l *eitherWay) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	reader := bufio.NewReader(conn)
	first, _ := reader.Peek(1)
	if len(first) == 1 && first[0] == 22 {
		return tls.Server(&peeked{conn, reader}, l.config), nil
	}
	return &peeked{conn, reader}, nil
}

// peeked is a connection of which the beginning was looked at.
type peeked struct {
	net.Conn
	reader *bufio.Reader
}

func (p *peeked) Read(data []byte) (int, error) { return p.reader.Read(data) }
