package mcpfake_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// errSilent: the connection is open and nothing comes.
var errSilent = os.ErrDeadlineExceeded

// signed is an Authorization header with a JWT of these claims under the secret (HS256).
func signed(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"HS256"}`)) + "." + encode([]byte(claims))
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(text))
	return "Authorization: Bearer " + text + "." + encode(mac.Sum(nil)) + "\r\n"
}

// TestTriggers puts a series of requests to a server that refuses when the trigger holds: x is refused, - is not.
func TestTriggers(t *testing.T) {
	const none = ""
	series := []string{none, malformed, basic, jwtShaped, none, stale}
	for trigger, want := range map[string]string{
		"always":                  "xxxxxx",
		"no-token":                "x---x-",
		"no-bearer":               "x-x-x-",
		"other-scheme":            "--x---",
		"malformed":               "-x----",
		"bad-form":                "xxx-x-",
		"expired":                 "-----x",
		"nth=2":                   "-x----",
		"from=5":                  "----xx",
		"every=3":                 "--x--x",
		"after=0s":                "xxxxxx",
		"after=1h":                "------",
		"chance=1":                "xxxxxx",
		"chance=0":                "------",
		"no-token@nth=2":          "----x-",
		"nth=2@no-token":          "------",
		"nth=5@no-token":          "----x-",
		"bad-form@from=2@every=2": "--x---",
	} {
		addr := serve(t, mcpfake.Options{Faults: "refuse@" + trigger})
		var got strings.Builder
		for _, headers := range series {
			answer, err := ask(t, addr, headers, 20*time.Second)
			switch {
			case err != nil:
				t.Fatal(err)
			case strings.HasPrefix(answer, http401):
				got.WriteByte('x')
			default:
				got.WriteByte('-')
			}
		}
		if got.String() != want {
			t.Errorf("%s: %s, want %s", trigger, got.String(), want)
		}
	}
}

// TestTriggersOfConnections: a fault of the port counts connections, and lets the others through.
func TestTriggersOfConnections(t *testing.T) {
	addr := serve(t, mcpfake.Options{Faults: "banner@every=2"})
	for _, want := range []string{http200, "SSH-", http200, "SSH-"} {
		if got, err := ask(t, addr, "", 20*time.Second); err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%.40q, %v, want %q", got, err, want)
		}
	}
}

// TestAfter: the fault comes by itself once its time has come.
func TestAfter(t *testing.T) {
	const wait = 300 * time.Millisecond
	begin := time.Now()
	addr := serve(t, mcpfake.Options{Faults: "refuse@after=300ms"})
	for deadline := time.Now().Add(20 * time.Second); ; {
		before := time.Since(begin)
		got, _ := ask(t, addr, "", 20*time.Second)
		if refused := strings.HasPrefix(got, http401); refused && time.Since(begin) < wait {
			t.Fatalf("refused after %s", time.Since(begin))
		} else if refused {
			return
		}
		if before > wait+time.Second || time.Now().After(deadline) {
			t.Fatalf("not refused %s after the start", before)
		}
	}
}

// TestFlap: a server that is well and ill by turns is seen in both states.
func TestFlap(t *testing.T) {
	addr := serve(t, mcpfake.Options{Faults: "flap=50ms"})
	seen := map[string]bool{}
	for deadline := time.Now().Add(20 * time.Second); len(seen) < 2 && time.Now().Before(deadline); {
		got, err := ask(t, addr, "", 20*time.Second)
		if err != nil || len(got) < 12 {
			t.Fatalf("%q, %v", got, err)
		}
		seen[got[9:12]] = true
	}
	if !seen["200"] || !seen["503"] {
		t.Errorf("%v", seen)
	}
}

// TestEnd: a server that ends by itself does so with its code, and not after it was closed.
func TestEnd(t *testing.T) {
	for faults, want := range map[string]int{"exit-after=1ms": 0, "die-after=1ms": 1} {
		codes := make(chan int, 1)
		serve(t, mcpfake.Options{Faults: faults, Exit: func(code int) { codes <- code }})
		select {
		case code := <-codes:
			if code != want {
				t.Errorf("%s: exit code %d", faults, code)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("%s: it did not exit", faults)
		}
	}
}

// TestNoStart: what keeps the port from opening.
func TestNoStart(t *testing.T) {
	fake, err := mcpfake.New(mcpfake.Options{Faults: "exit-at-start=0"})
	if err != nil {
		t.Fatal(err)
	}
	var exit *mcpfake.ExitError
	if err := fake.Prepare(t.Context(), os.LookupEnv); !errors.As(err, &exit) || exit.Code != 0 {
		t.Error(err)
	}
	if fake, err = mcpfake.New(mcpfake.Options{Faults: "no-listen"}); err != nil {
		t.Fatal(err)
	}
	limited, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := fake.Prepare(limited, os.LookupEnv); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestTriggersThatMakeNoSense(t *testing.T) {
	for faults, want := range map[string]string{
		"reset@":                 `unknown trigger ""`,
		"reset@sometimes":        `unknown trigger "sometimes": use some of always,`,
		"reset@nth":              "write nth=N",
		"reset@always=1":         "write always",
		"reset@nth=0":            "1 or more",
		"reset@every=x":          "1 or more",
		"reset@after=4":          "must be like 4s",
		"reset@chance=2":         "from 0 to 1",
		"reset@chance=NaN":       "from 0 to 1",
		"tls@no-token":           "before one is read",
		"slow-start=4s@no-token": "takes no trigger",
		"redirect=302":           "NNN:LOCATION",
		"redirect=1:/login":      "from 200 to 599",
		"clock=soon":             "must be like 5m",
		"huge-body=0":            "number of megabytes",
		"oom=x":                  "number of megabytes",
		"flap=0s":                "not 0",
		"exit-at-start=256":      "from 0 to 255",
		"die-after=x":            "must be like 4s",
	} {
		if _, err := mcpfake.New(mcpfake.Options{Faults: faults}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", faults, err, want)
		}
	}
}
