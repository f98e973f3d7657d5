package mcpfake

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// fault is one way to misbehave.
type fault struct {
	name string
	// argument names what stands behind "=", "" for a fault without one.
	argument string
	// trigger and effect are for people: what brings it about, and what is then seen on the wire.
	trigger, effect string
	// apply adds the fault to a behaviour; it checks the argument.
	apply func(argument string, b *behaviour) error
}

// behaviour is what the faults of a server come to.
type behaviour struct {
	// before runs before the server listens; an error keeps it from doing so.
	before []func(ctx context.Context, env func(string) (string, bool)) error
	// onRequest runs, in order, for each request to the MCP endpoint, until one has dealt with it.
	onRequest []func(w http.ResponseWriter, r *http.Request, exit func(int)) (done bool)
}

func faults() []fault {
	return []fault{
		{"open", "", "-", "none: as without a fault, everybody is answered; the name is for manifests that want to say so",
			func(string, *behaviour) error { return nil }},
		{"any-bearer", "", "request without a bearer", "401 without a challenge; any bearer at all is good enough",
			on(noBearer, refuse)},
		{"reset-no-token", "", "request without Authorization", "TCP reset", on(noToken, reset)},
		{"reset-malformed", "", "request with a bearer that has not the form of a JWT", "TCP reset", on(malformed, reset)},
		{"crash-no-token", "", "request without Authorization", "the process exits with code 1", on(noToken, crash)},
		{"eof", "", "any request", "the connection is closed in order, without a byte", on(always, closeInOrder)},
		{"garbage", "", "any request", "an SSH banner, then the connection is closed", on(always, garbage)},
		{"half", "", "any request", "200 with Content-Length 100 and 40 bytes, then the connection is closed", on(always, half)},
		{"hang", "", "any request", "no answer, as long as the client waits", on(always, hang)},
		{"status", "NNN", "any request", "this HTTP status with a line of plain text", status},
		{"slow-start", "DURATION", "start", "the port opens only after this time", slowStart},
		{"exit-without-env", "NAME", "start, when this environment variable is unset or empty",
			"a message naming it on stderr, then exit code 1; the port never opens", exitWithoutEnv},
	}
}

// Usage is the table of faults, for --help.
func Usage() string {
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "FAULT\tTRIGGER\tEFFECT")
	for _, f := range faults() {
		name := f.name
		if f.argument != "" {
			name += "=" + f.argument
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", name, f.trigger, f.effect)
	}
	_ = table.Flush()
	return out.String()
}

// parseFaults reads a comma-separated list; "" and "none" are no fault.
func parseFaults(list string) (behaviour, error) {
	var b behaviour
	for _, item := range strings.Split(list, ",") {
		item = strings.TrimSpace(item)
		if item == "" || item == "none" {
			continue
		}
		name, argument, hasArgument := strings.Cut(item, "=")
		f, err := faultNamed(name)
		if err != nil {
			return behaviour{}, err
		}
		if hasArgument != (f.argument != "") || (hasArgument && argument == "") {
			return behaviour{}, fmt.Errorf("fault %q: write %s", item, strings.TrimSuffix(f.name+"="+f.argument, "="))
		}
		if err := f.apply(argument, &b); err != nil {
			return behaviour{}, fmt.Errorf("fault %q: %w", item, err)
		}
	}
	return b, nil
}

func faultNamed(name string) (fault, error) {
	names := []string{"none"}
	for _, f := range faults() {
		if f.name == name {
			return f, nil
		}
		names = append(names, f.name)
	}
	return fault{}, fmt.Errorf("unknown fault %q: use some of %s", name, strings.Join(names, ", "))
}

// on makes a fault that does something to each request that meets a condition.
func on(condition func(*http.Request) bool, do func(http.ResponseWriter, *http.Request, func(int))) func(string, *behaviour) error {
	return func(_ string, b *behaviour) error {
		b.onRequest = append(b.onRequest, func(w http.ResponseWriter, r *http.Request, exit func(int)) bool {
			if !condition(r) {
				return false
			}
			do(w, r, exit)
			return true
		})
		return nil
	}
}

func always(*http.Request) bool    { return true }
func noToken(r *http.Request) bool { return r.Header.Get("Authorization") == "" }

func bearer(r *http.Request) string {
	scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(credentials)
}

func noBearer(r *http.Request) bool { return bearer(r) == "" }

// malformed is a bearer that is not three base64url segments (RFC 7515 section 3.1).
func malformed(r *http.Request) bool {
	segments := strings.Split(bearer(r), ".")
	for _, segment := range segments {
		if _, err := base64.RawURLEncoding.DecodeString(segment); err != nil {
			return true
		}
	}
	return len(segments) != 3 && !noBearer(r)
}

func refuse(w http.ResponseWriter, _ *http.Request, _ func(int)) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, `{"error":"a bearer token is required in the Authorization header"}`)
}

func crash(_ http.ResponseWriter, _ *http.Request, exit func(int)) { exit(1) }

func status(argument string, b *behaviour) error {
	code, err := strconv.Atoi(argument)
	if err != nil || code < 200 || code > 599 {
		return fmt.Errorf("the status must be a number from 200 to 599")
	}
	return on(always, func(w http.ResponseWriter, _ *http.Request, _ func(int)) {
		http.Error(w, http.StatusText(code), code)
	})(argument, b)
}

func slowStart(argument string, b *behaviour) error {
	delay, err := time.ParseDuration(argument)
	if err != nil || delay < 0 {
		return fmt.Errorf("the duration must be like 4s or 500ms")
	}
	b.before = append(b.before, func(ctx context.Context, _ func(string) (string, bool)) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(delay):
			return nil
		}
	})
	return nil
}

// MissingEnvError keeps a server from starting, as configuration that is checked at start does.
type MissingEnvError struct{ Name string }

func (e *MissingEnvError) Error() string {
	return fmt.Sprintf("invalid configuration: multiuser mode requires the environment variable %s", e.Name)
}

func exitWithoutEnv(name string, b *behaviour) error {
	b.before = append(b.before, func(_ context.Context, env func(string) (string, bool)) error {
		if value, _ := env(name); value == "" {
			return &MissingEnvError{Name: name}
		}
		return nil
	})
	return nil
}
