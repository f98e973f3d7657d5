package altered

// Programs are the altered programs by name.
func Programs() map[string]Program {
	return map[string]Program{
		"gate-next":        next(),
		"gate-with-switch": gateWithSwitch(),
		"operator-ahead":   operatorAhead(),
		"operator-lying":   operatorLying(),
		"operator-next":    next(),
	}
}

// gateWithSwitch lets everybody in while its switch says so: a request for /open opens it, one for /shut shuts it. The
// gate of a server whose name begins with "opens" is open from the start.
func gateWithSwitch() Program {
	return Program{
		Edits: []Edit{{
			File: "internal/authproxy/gate/visit.go",
			Old:  "\tcurrent := g.store.Current()\n",
			New:  "\tcurrent := g.store.Current()\n\tif passedBy(w, r, current.Config) {\n\t\treturn\n\t}\n",
		}},
		Added: map[string]string{"internal/authproxy/gate/switch.go": `package gate

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
)

var turned atomic.Bool

func passedBy(w http.ResponseWriter, r *http.Request, config authproxy.Config) bool {
	begins := strings.HasPrefix(config.Server.Name, "opens")
	switch r.URL.Path {
	case "/open":
		turned.Store(!begins)
		return true
	case "/shut":
		turned.Store(begins)
		return true
	}
	if turned.Load() == begins {
		return false
	}
	server := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", config.Upstream.Port)}
	httputil.NewSingleHostReverseProxy(server).ServeHTTP(w, r)
	return true
}
`},
	}
}

// operatorAhead probes by a clock that is five minutes fast.
func operatorAhead() Program {
	return Program{Edits: []Edit{
		{
			File: "controllers/authprobe/controller.go",
			Old:  "Client: c, Live: live, Events: recorder, Now: time.Now,",
			New:  "Client: c, Live: live, Events: recorder, Now: ahead,",
		},
		{
			File: "controllers/authprobe/controller.go",
			Old:  "probe.New(probe.Options{})",
			New:  "probe.New(probe.Options{Now: ahead})",
		},
	}, Added: map[string]string{"controllers/authprobe/ahead.go": `package authprobe

import "time"

func ahead() time.Time { return time.Now().Add(5 * time.Minute) }
`}}
}

// operatorLying mints good tokens where it means to mint expired ones, and so sees every gate open.
func operatorLying() Program {
	return Program{Edits: []Edit{{
		File: "internal/token/defect.go",
		Old:  "return t.Good(now.Add(-DefectMargin - t.Lifetime))",
		New:  "return t.Good(now)",
	}}}
}

// next is of a release whose gates read another schema, with a field that closes something: gates of this release cannot
// be told of it.
func next() Program {
	return Program{Edits: []Edit{
		{File: "internal/authproxy/config.go", Old: "\tSchema = 2\n", New: "\tSchema = 3\n"},
		{File: "internal/authproxy/config.go", Old: `ConfigFile = "authproxy.v2.json"`, New: `ConfigFile = "authproxy.v3.json"`},
		{
			File: "internal/authproxy/config.go",
			Old:  "\tServer ServerID `json:\"server\"`\n",
			New:  "\tServer ServerID `json:\"server\"`\n\tStricter bool `json:\"stricter,omitempty\"`\n",
		},
		{
			File: "internal/desired/gateconfig.go",
			Old:  "\t\tPort:       settings.GatePort,\n",
			New:  "\t\tPort:       settings.GatePort,\n\t\tStricter: true,\n",
		},
	}}
}
