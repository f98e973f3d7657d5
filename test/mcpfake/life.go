package mcpfake

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// lifeFaults are the faults of the process: it starts late or not at all, or ends.
func lifeFaults() []fault {
	return []fault{
		{name: "crash", seen: 8, when: "always", effect: "the process exits with code 1", request: crash},
		{name: "crash-no-token", seen: 8, when: "no-token", effect: "the process exits with code 1", request: crash},
		{name: "crash-malformed", seen: 8, when: "malformed", effect: "the process exits with code 1", request: crash},
		{name: "oom", argument: "MEGABYTES", seen: 10, when: "always", effect: "so much memory is taken and kept, which a limit below it punishes; then as without it", request: eatMemory},
		{name: "exit-after", argument: "DURATION", seen: 10, when: "running", effect: "the process ends this long after it began to listen, with code 0", serving: exitAfter(0)},
		{name: "die-after", argument: "DURATION", seen: 11, when: "running", effect: "the process ends this long after it began to listen, with code 1", serving: exitAfter(1)},
		{name: "flap", argument: "DURATION", seen: 11, when: "always", effect: "by turns well and 503, each for this time", request: flap},
		{name: "slow-start", argument: "DURATION", seen: 11, when: "start", effect: "the port opens only after this time", start: slowStart},
		{name: "no-listen", seen: 4, when: "start", effect: "the process runs, and the port never opens", start: neverListen},
		{name: "exit-at-start", argument: "CODE", seen: 10, when: "start", effect: "the process ends with this code, 0 included, before the port opens", start: exitAtStart},
		{name: "exit-without-env", argument: "NAME", seen: 10, when: "start", effect: "unless this environment variable is set: a message naming it on stderr, then exit code 1; the port never opens", start: exitWithoutEnv},
	}
}

// crash cuts the connection where exit is a test's own and comes back.
func crash(string) (answerer, error) {
	return func(_ http.ResponseWriter, r *http.Request, exit func(int)) fate {
		_, _ = io.Copy(io.Discard, r.Body)
		exit(1)
		panic(http.ErrAbortHandler)
	}, nil
}

// eatMemory touches every page: memory that was never written does not count.
func eatMemory(argument string) (answerer, error) {
	megabytes, err := strconv.ParseInt(argument, 10, 32)
	if err != nil || megabytes < 1 {
		return nil, fmt.Errorf("the size must be a number of megabytes")
	}
	eaten := make(chan []byte, 1)
	return func(http.ResponseWriter, *http.Request, func(int)) fate {
		select {
		case eaten <- nil:
			<-eaten
			meal := make([]byte, megabytes<<20)
			for i := 0; i < len(meal); i += 4096 {
				meal[i] = 1
			}
			eaten <- meal
		default:
		}
		return untouched
	}, nil
}

func exitAfter(code int) func(string) (companion, error) {
	return func(argument string) (companion, error) {
		delay, err := parseDuration(argument)
		return func(ending <-chan struct{}, exit func(int)) {
			select {
			case <-ending:
			case <-time.After(delay):
				exit(code)
			}
		}, err
	}
}

func flap(argument string) (answerer, error) {
	period, err := parseDuration(argument)
	if err != nil || period == 0 {
		return nil, fmt.Errorf("the duration must be like 4s or 500ms, and not 0")
	}
	made := time.Now()
	return func(w http.ResponseWriter, _ *http.Request, _ func(int)) fate {
		if time.Since(made)/period%2 == 0 {
			return untouched
		}
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return answered
	}, nil
}

func slowStart(argument string) (starter, error) {
	delay, err := parseDuration(argument)
	return func(ctx context.Context, _ func(string) (string, bool)) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(delay):
			return nil
		}
	}, err
}

func neverListen(string) (starter, error) {
	return func(ctx context.Context, _ func(string) (string, bool)) error {
		<-ctx.Done()
		return ctx.Err()
	}, nil
}

// ExitError keeps a server from starting and asks for an exit code, which may be 0.
type ExitError struct{ Code int }

func (e *ExitError) Error() string {
	return fmt.Sprintf("leaving with code %d before the port opens", e.Code)
}

func exitAtStart(argument string) (starter, error) {
	code, err := strconv.Atoi(argument)
	if err != nil || code < 0 || code > 255 {
		return nil, fmt.Errorf("the exit code must be a number from 0 to 255")
	}
	return func(context.Context, func(string) (string, bool)) error { return &ExitError{Code: code} }, nil
}

// MissingEnvError keeps a server from starting, as configuration that is checked at start does.
type MissingEnvError struct{ Name string }

func (e *MissingEnvError) Error() string {
	return fmt.Sprintf("invalid configuration: multiuser mode requires the environment variable %s", e.Name)
}

func exitWithoutEnv(name string) (starter, error) {
	return func(_ context.Context, env func(string) (string, bool)) error {
		if value, _ := env(name); value == "" {
			return &MissingEnvError{Name: name}
		}
		return nil
	}, nil
}
