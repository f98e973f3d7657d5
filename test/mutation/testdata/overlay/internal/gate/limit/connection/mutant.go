package connection

import "net"

// Raw is the connection itself.
func Raw(conn net.Conn) net.Conn {
	if watched, isOurs := conn.(*watchedConn); isOurs {
		return watched.Conn
	}
	return conn
}
