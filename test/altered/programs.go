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
// gate of a server whose name begins with "opens" is open from the start. /open?to=FORM opens it to one form of request:
//
//	http10   HTTP/1.0
//	batch    a body that begins with "["
//	extra    the last of the extra paths
//	clients  a token whose subject is none of the prober's
//	service  the Service's IP address as Host
func gateWithSwitch() Program {
	return Program{
		Edits: []Edit{{
			File: "internal/gate/request/handler.go",
			Old:  "\tdefer h.Metrics.Begin()()\n",
			New:  "\tif passedBy(w, r, h.Store.Current().Config) { // counted nowhere, so nothing waits for its end\n\t\treturn\n\t}\n\tdefer h.Metrics.Begin()()\n",
		}},
		Added: map[string]string{"internal/gate/request/switch.go": gateSwitch},
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
			Old:  "runner.New(runner.Options{})",
			New:  "runner.New(runner.Options{Now: ahead})",
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
		{File: "internal/gateapi/config.go", Old: "\tSchema = 2\n", New: "\tSchema = 3\n"},
		{File: "internal/gateapi/config.go", Old: `ConfigFile = "authproxy.v2.json"`, New: `ConfigFile = "authproxy.v3.json"`},
		{
			File: "internal/gateapi/config.go",
			Old:  "\tServer ServerID `json:\"server\"`\n",
			New:  "\tServer ServerID `json:\"server\"`\n\tStricter bool `json:\"stricter,omitempty\"`\n",
		},
		{
			File: "internal/desired/gateconfig/gateconfig.go",
			Old:  "\t\tPort:         settings.GatePort,\n",
			New:  "\t\tPort:         settings.GatePort,\n\t\tStricter: true,\n",
		},
	}}
}
