package authhealth

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
)

// refusingState is what a gate says of the provider "corp" at a time after noon: refused since noon, all for one reason.
func refusingState(after time.Duration, reason string, count int64) admin.State {
	at := noon.Add(after)
	return admin.State{Time: at, LastAccepted: map[string]time.Time{}, Refusals: map[string]admin.Refusals{
		"corp": {
			Since: noon, Last: at, Reasons: map[string]int64{reason: count, "expired": 100 * count},
			Details: map[string]string{"unknown_key": "kid: of none of 2 keys", "expired": "exp: 1h ago"},
		},
	}}
}

func TestProviderThatRejectsEveryone(t *testing.T) {
	row := func(last time.Duration, reason string) []admin.State {
		return []admin.State{refusingState(0, reason, 7), refusingState(last, reason, 8)}
	}
	accepting := refusingState(20*time.Minute, "unknown_key", 8)
	accepting.LastAccepted["corp"] = noon.Add(time.Minute)
	acceptedBefore := refusingState(20*time.Minute, "unknown_key", 8)
	acceptedBefore.LastAccepted["corp"] = noon.Add(-time.Minute)
	quiet := refusingState(20*time.Minute, "unknown_key", 8)
	quiet.Refusals["corp"] = admin.Refusals{Since: noon, Last: noon.Add(time.Minute), Reasons: map[string]int64{"unknown_key": 8}}
	mended := refusingState(20*time.Minute, "unknown_key", 8)
	mended.Refusals["corp"] = admin.Refusals{Last: noon.Add(time.Minute), Reasons: map[string]int64{"unknown_key": 8}}
	for name, c := range map[string]struct {
		pods [][]admin.State // what the gate of each pod says, round by round
		want bool
	}{
		"for ten minutes":                  {[][]admin.State{row(patience, "unknown_key")}, true},
		"not for so long":                  {[][]admin.State{row(patience-1, "unknown_key")}, false},
		"for a reason of the client's own": {[][]admin.State{row(patience, "expired")}, false},
		"for one that is long past":        {[][]admin.State{{refusingState(0, "unknown_key", 8), refusingState(patience, "unknown_key", 8)}}, false},
		"nobody tries any more":            {[][]admin.State{{refusingState(0, "unknown_key", 7), quiet}}, false},
		"one was let in since":             {[][]admin.State{{refusingState(0, "unknown_key", 7), accepting}}, false},
		"one was let in before":            {[][]admin.State{{refusingState(0, "unknown_key", 7), acceptedBefore}}, true},
		"the last one was let in":          {[][]admin.State{{refusingState(0, "unknown_key", 7), mended}}, false},
		"another pod lets them in":         {[][]admin.State{row(patience, "unknown_key"), {accepting}}, false},
		"another pod has no clients":       {[][]admin.State{row(patience, "unknown_key"), {{Time: noon}}}, true},
		"the gate was restarted":           {[][]admin.State{{refusingState(0, "unknown_key", 7), {Time: noon.Add(patience)}}}, false},
	} {
		findings := Findings{}
		for i, rounds := range c.pods {
			var e PodFindings
			for _, state := range rounds {
				e.clients = e.clients.hear(state)
			}
			findings[types.UID(rune('a'+i))] = e
		}
		got := RejectingNote(AllRefused(findings), nil)
		if (got != "") != c.want {
			t.Errorf("%s: %q", name, got)
		}
		if c.want && (!strings.Contains(got, "provider corp was refused since 2026-11-24T12:00:00Z (unknown_key [kid: of none of 2 keys])")) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
