package altered

// gateSwitch is the source of the switch.
const gateSwitch = `package request

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

var turned atomic.Pointer[string]

func passedBy(w http.ResponseWriter, r *http.Request, config gateapi.Config) bool {
	begins := strings.HasPrefix(config.Server.Name, "opens")
	switch r.URL.Path {
	case "/open":
		to := r.URL.Query().Get("to")
		turned.Store(&to)
		return true
	case "/shut":
		shut := "nobody"
		turned.Store(&shut)
		return true
	}
	to := turned.Load()
	if to == nil && !begins || to != nil && !isOpen(*to, r, config) {
		return false
	}
	server := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", config.Upstream.Port)}
	httputil.NewSingleHostReverseProxy(server).ServeHTTP(w, r)
	return true
}

func isOpen(to string, r *http.Request, config gateapi.Config) bool {
	switch to {
	case "":
		return true
	case "http10":
		return r.ProtoMajor == 1 && r.ProtoMinor == 0
	case "batch":
		buffered := bufio.NewReader(r.Body)
		r.Body = struct {
			io.Reader
			io.Closer
		}{buffered, r.Body}
		first, _ := buffered.Peek(1)
		return string(first) == "["
	case "extra":
		paths := config.Upstream.ExtraPaths
		return len(paths) > 0 && r.URL.Path == paths[len(paths)-1]
	case "clients":
		_, rest, _ := strings.Cut(r.Header.Get("Authorization"), ".")
		payload, _, isToken := strings.Cut(rest, ".")
		claims, err := base64.RawURLEncoding.DecodeString(payload)
		return isToken && err == nil && strings.Contains(string(claims), "\"sub\":\"") && !strings.Contains(string(claims), "\"sub\":\"gatehouse-probe")
	case "service":
		host, _, _ := net.SplitHostPort(r.Host)
		address, err := netip.ParseAddr(host)
		local, _, _ := net.SplitHostPort(r.Context().Value(http.LocalAddrContextKey).(net.Addr).String())
		return err == nil && !address.IsLoopback() && host != local
	}
	return false
}
`
