package mcpfake

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// condition says of one event whether a fault befalls it: of a request, or, where request is nil, of a connection.
// Conditions that count are asked in the order in which the events come.
type condition func(r *http.Request) bool

// trigger is one way to say when a fault happens.
type trigger struct {
	name, argument string
	effect         string
	// ofRequest: it looks at a request, so a fault of the connection cannot have it.
	ofRequest bool
	make      func(argument string) (condition, error)
}

func triggers() []trigger {
	return []trigger{
		{"always", "", "each time", false, constant(always)},
		{"no-token", "", "requests without Authorization", true, constant(noToken)},
		{"no-bearer", "", "requests without a bearer, another scheme included", true, constant(noBearer)},
		{"other-scheme", "", "requests with Authorization of another scheme than Bearer", true, constant(otherScheme)},
		{"malformed", "", "requests with a bearer that has not the form of a JWT", true, constant(malformed)},
		{"bad-form", "", "requests without a bearer or with a malformed one", true, constant(badForm)},
		{"expired", "", "requests with a JWT whose exp has passed, whoever signed it", true, constant(expired)},
		{"nth", "N", "the Nth time only, from 1", false, counting(func(count, n int64) bool { return count == n })},
		{"from", "N", "from the Nth time on", false, counting(func(count, n int64) bool { return count >= n })},
		{"every", "N", "every Nth time", false, counting(func(count, n int64) bool { return count%n == 0 })},
		{"after", "DURATION", "from this time after the server was made", false, afterTime},
		{"chance", "P", "by chance, with probability P between 0 and 1", false, byChance},
	}
}

// parseTriggers reads "trigger@trigger...". All must hold. They are asked from left to right, and a trigger that counts
// counts only what passed those before it: "no-token@nth=2" is the second request without a token, "nth=2@no-token" the
// second request if it has none.
func parseTriggers(list string, ofRequest bool) (condition, error) {
	var all []condition
	for _, item := range strings.Split(list, "@") {
		name, argument, hasArgument := strings.Cut(item, "=")
		found, err := triggerNamed(name)
		if err != nil {
			return nil, err
		}
		if hasArgument != (found.argument != "") {
			return nil, fmt.Errorf("trigger %q: write %s", item, withArgument(found.name, found.argument))
		}
		if found.ofRequest && !ofRequest {
			return nil, fmt.Errorf("trigger %q looks at requests, and the fault happens before one is read", item)
		}
		holds, err := found.make(argument)
		if err != nil {
			return nil, fmt.Errorf("trigger %q: %w", item, err)
		}
		all = append(all, holds)
	}
	return func(r *http.Request) bool {
		for _, holds := range all {
			if !holds(r) {
				return false
			}
		}
		return true
	}, nil
}

func triggerNamed(name string) (trigger, error) {
	var names []string
	for _, t := range triggers() {
		if t.name == name {
			return t, nil
		}
		names = append(names, t.name)
	}
	return trigger{}, fmt.Errorf("unknown trigger %q: use some of %s", name, strings.Join(names, ", "))
}

func constant(holds condition) func(string) (condition, error) {
	return func(string) (condition, error) { return holds, nil }
}

func counting(holds func(count, n int64) bool) func(string) (condition, error) {
	return func(argument string) (condition, error) {
		n, err := strconv.ParseInt(argument, 10, 64)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("the number must be 1 or more")
		}
		var events counter
		return func(*http.Request) bool { return holds(events.next(), n) }, nil
	}
}

func afterTime(argument string) (condition, error) {
	wait, err := parseDuration(argument)
	if err != nil {
		return nil, err
	}
	made := time.Now()
	return func(*http.Request) bool { return time.Since(made) >= wait }, nil
}

func byChance(argument string) (condition, error) {
	p, err := strconv.ParseFloat(argument, 64)
	if err != nil || !(p >= 0 && p <= 1) {
		return nil, fmt.Errorf("the probability must be a number from 0 to 1")
	}
	return func(*http.Request) bool { return rand.Float64() < p }, nil
}

func always(*http.Request) bool        { return true }
func noToken(r *http.Request) bool     { return r.Header.Get("Authorization") == "" }
func noBearer(r *http.Request) bool    { return bearer(r) == "" }
func otherScheme(r *http.Request) bool { return noBearer(r) && !noToken(r) }
func badForm(r *http.Request) bool     { return noBearer(r) || malformed(r) }

func bearer(r *http.Request) string {
	scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(credentials)
}

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

// expired reads "exp" without asking who signed it.
func expired(r *http.Request) bool {
	expires, _ := times(r)
	return expires != 0 && expires <= time.Now().Unix()
}

// early reads "nbf" likewise.
func early(r *http.Request) bool {
	_, begins := times(r)
	return begins > time.Now().Unix()
}

// times are those between which the bearer is good; 0 where it does not say, or is no JWT.
func times(r *http.Request) (expires, begins int64) {
	segments := strings.Split(bearer(r), ".")
	if len(segments) != 3 {
		return 0, 0
	}
	payload, err := base64.RawURLEncoding.DecodeString(segments[1])
	var claims struct {
		Expires int64 `json:"exp"`
		Begins  int64 `json:"nbf"`
	}
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return 0, 0
	}
	return claims.Expires, claims.Begins
}
