package probeid_test

import (
	"encoding/hex"
	"math/bits"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/probeid"
)

const pod = "6d9f5c0e-0000-4000-8000-000000000001"

var (
	noon   = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	random = [probeid.RandomBytes]byte{1, 2, 3, 4, 5, 6}
)

func newKey(t *testing.T, secret string) probeid.Key {
	t.Helper()
	key, err := probeid.NewKey([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// other is another hexadecimal digit.
func other(digit byte) string {
	if digit == '0' {
		return "1"
	}
	return "0"
}

func TestIDs(t *testing.T) {
	ours := newKey(t, "0123456789abcdef0123456789abcdef")
	id, service := ours.New(probeid.Pod(pod), noon, random), ours.New(probeid.AnyPod(), noon, random)
	// The operator and gates of other releases have to agree on it.
	if id != "2703cdf99e428463782a1027e7a62a12" || service != "c38b438bac76741ca876142df82cc8d1" {
		t.Errorf("got %q and %q", id, service)
	}
	for name, c := range map[string]struct {
		key     probeid.Key
		id      string
		after   time.Duration
		ok      bool
		pod     bool
		service bool
	}{
		"of a pod":                        {ours, id, 0, true, true, false},
		"of the Service":                  {ours, service, 0, true, false, true},
		"of another pod":                  {ours, ours.New(probeid.Pod("other"), noon, random), 0, true, false, false},
		"of a pod that is called any":     {ours, ours.New(probeid.Pod("any pod"), noon, random), 0, true, false, false},
		"a minute later":                  {ours, service, time.Minute, true, false, true},
		"a clock that is a minute behind": {ours, service, -time.Minute, true, false, true},
		"later":                           {ours, service, time.Minute + time.Second, false, false, false},
		"of a pod, later":                 {ours, id, time.Minute + time.Second, false, false, false},
		"earlier":                         {ours, service, -time.Minute - time.Second, false, false, false},
		"a day later":                     {ours, service, 24 * time.Hour, false, false, false},
		"68 years later":                  {ours, service, (1 << 31) * time.Second, false, false, false},
		"another secret's":                {newKey(t, "fedcba9876543210fedcba9876543210"), service, 0, false, false, false},
		"no key":                          {probeid.Key{}, service, 0, false, false, false},
		"capitals":                        {ours, strings.ToUpper(service), 0, false, false, false},
		"one capital":                     {ours, capital(service), 0, false, false, false},
		"the first digit changed":         {ours, other(service[0]) + service[1:], 0, false, false, false},
		"the last digit changed":          {ours, service[:31] + other(service[31]), 0, false, false, false},
		"cut":                             {ours, service[:30], 0, false, false, false},
		"longer":                          {ours, service + "00", 0, false, false, false},
		"not hexadecimal":                 {ours, strings.Repeat("z", probeid.Length), 0, false, false, false},
		"not ASCII":                       {ours, strings.Repeat("ä", probeid.Length/2), 0, false, false, false},
		"empty":                           {ours, "", 0, false, false, false},
	} {
		to, ok := c.key.Audience(c.id, noon.Add(c.after))
		if ok != c.ok || ok && (to == probeid.Pod(pod)) != c.pod || ok && (to == probeid.AnyPod()) != c.service {
			t.Errorf("%s: got %x, %v", name, to, ok)
		}
	}
	if _, err := probeid.NewKey([]byte("short")); err == nil {
		t.Error("a short secret was taken")
	}
}

// capital writes the first letter in upper case.
func capital(id string) string {
	at := strings.IndexAny(id, "abcdef")
	return id[:at] + strings.ToUpper(id[at:at+1]) + id[at+1:]
}

// Without the key nothing of an id tells when it was made or whom it is for, nor that two belong together: whatever of an
// id's content changes, each bit of the id changes as often as not.
func TestIDsSayNothingToOthers(t *testing.T) {
	ours := newKey(t, "0123456789abcdef0123456789abcdef")
	const n = 512
	changed := map[string]int{}
	for i := range n {
		from := [probeid.RandomBytes]byte{byte(i), byte(i >> 8)}
		next := from
		next[5]++
		base := raw(t, ours.New(probeid.AnyPod(), noon, from))
		for name, id := range map[string]string{
			"the next random bytes": ours.New(probeid.AnyPod(), noon, next), "the next second": ours.New(probeid.AnyPod(), noon.Add(time.Second), from),
			"another audience": ours.New(probeid.Pod(pod), noon, from),
		} {
			for j, b := range raw(t, id) {
				changed[name] += bits.OnesCount8(b ^ base[j])
			}
		}
	}
	for name, changedBits := range changed {
		// 65,536 bits: the mean of half has a standard deviation of 128.
		if changedBits < n*64-1280 || changedBits > n*64+1280 {
			t.Errorf("%s: %d of %d bits change", name, changedBits, n*128)
		}
	}
}

func raw(t *testing.T, id string) []byte {
	t.Helper()
	out, err := hex.DecodeString(id)
	if err != nil || len(id) != probeid.Length {
		t.Fatalf("%q: %v", id, err)
	}
	return out
}
