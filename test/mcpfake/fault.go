package mcpfake

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// fault is one way to misbehave. Exactly one of request, connection, start and serving is set.
type fault struct {
	name string
	// argument names what stands behind "=", "" for a fault without one.
	argument string
	// seen is the number of the failure in the list of the package's documentation.
	seen int
	// when is the trigger that the name stands for; triggers behind "@" narrow it. Faults of the start have none.
	when string
	// effect says to people what is seen on the wire.
	effect string

	// request makes what befalls a request to the MCP endpoint; it checks the argument.
	request func(argument string) (answerer, error)
	// connection befalls a connection to the port before anything of it was read, and closes it in the end.
	connection func(conn net.Conn)
	// start makes what happens before the server listens.
	start func(argument string) (starter, error)
	// serving makes what happens beside a server that listens.
	serving func(argument string) (companion, error)
}

type (
	// answerer deals with a request, or leaves it to the faults that follow.
	answerer func(w http.ResponseWriter, r *http.Request, exit func(int)) fate
	// starter runs before the server listens; an error keeps it from doing so.
	starter func(ctx context.Context, env func(string) (string, bool)) error
	// companion runs while the server does, until ending is closed.
	companion func(ending <-chan struct{}, exit func(int))
)

// fate is what a fault makes of a request.
type fate int

const (
	// untouched: the next fault may have it.
	untouched fate = iota
	// answered, or broken off: nobody else may touch it.
	answered
	// spared: it is the server's, and no other fault's.
	spared
)

// behaviour is what the faults of a server come to. Of several, the first one that fits deals with an event.
type behaviour struct {
	onRequest    []answerer
	onConnection []func(net.Conn) (done bool)
	before       []starter
	beside       []companion
}

func faults() []fault {
	var all []fault
	for _, some := range [][]fault{refusals(), entries(), answers(), wireFaults(), floods(), portFaults(), lifeFaults()} {
		all = append(all, some...)
	}
	return all
}

func withArgument(name, argument string) string { return strings.TrimSuffix(name+"="+argument, "=") }

// parseFaults reads a comma-separated list of NAME[=ARGUMENT][@TRIGGER...]; "" and "none" are no fault.
func parseFaults(list string) (behaviour, error) {
	var b behaviour
	for _, item := range strings.Split(list, ",") {
		item = strings.TrimSpace(item)
		if item == "" || item == "none" {
			continue
		}
		if err := b.add(item); err != nil {
			return behaviour{}, err
		}
	}
	return b, nil
}

func (b *behaviour) add(item string) error {
	mode, when, hasTrigger := strings.Cut(item, "@")
	name, argument, hasArgument := strings.Cut(mode, "=")
	f, err := faultNamed(name)
	switch {
	case err != nil:
		return err
	case hasArgument != (f.argument != "") || (hasArgument && argument == ""):
		return fmt.Errorf("fault %q: write %s", item, withArgument(f.name, f.argument))
	case hasTrigger && f.request == nil && f.connection == nil:
		return fmt.Errorf("fault %q: it happens once, at the start, and takes no trigger", item)
	}
	if hasTrigger {
		f.when += "@" + when
	}
	if err := f.addTo(b, argument); err != nil {
		return fmt.Errorf("fault %q: %w", item, err)
	}
	return nil
}

func (f fault) addTo(b *behaviour, argument string) error {
	switch {
	case f.start != nil:
		step, err := f.start(argument)
		b.before = append(b.before, step)
		return err
	case f.serving != nil:
		run, err := f.serving(argument)
		b.beside = append(b.beside, run)
		return err
	}
	holds, err := parseTriggers(f.when, f.request != nil)
	if err != nil {
		return err
	}
	if f.connection != nil {
		b.onConnection = append(b.onConnection, func(conn net.Conn) bool {
			if !holds(nil) {
				return false
			}
			go f.connection(conn)
			return true
		})
		return nil
	}
	answer, err := f.request(argument)
	b.onRequest = append(b.onRequest, func(w http.ResponseWriter, r *http.Request, exit func(int)) fate {
		if !holds(r) {
			return untouched
		}
		return answer(w, r, exit)
	})
	return err
}

func faultNamed(name string) (fault, error) {
	names := append([]string{"none"}, Faults()...)
	for _, f := range faults() {
		if f.name == name {
			return f, nil
		}
	}
	return fault{}, fmt.Errorf("unknown fault %q: use some of %s", name, strings.Join(names, ", "))
}

// with makes a fault without an argument that deals with every request it is given.
func with(do func(http.ResponseWriter, *http.Request)) func(string) (answerer, error) {
	return func(string) (answerer, error) {
		return func(w http.ResponseWriter, r *http.Request, _ func(int)) fate {
			do(w, r)
			return answered
		}, nil
	}
}

// sending makes a fault that answers a request, read to its end, with these bytes and an orderly close.
func sending(raw string) func(string) (answerer, error) {
	return with(func(w http.ResponseWriter, r *http.Request) {
		conn := hijack(w, r)
		_, _ = io.WriteString(conn, raw)
		_ = conn.Close()
	})
}

// counter counts from 1.
type counter struct{ count atomic.Int64 }

func (c *counter) next() int64 { return c.count.Add(1) }

func parseDuration(text string) (time.Duration, error) {
	duration, err := time.ParseDuration(text)
	if err != nil || duration < 0 {
		return 0, fmt.Errorf("the duration must be like 4s or 500ms")
	}
	return duration, nil
}
