package publication

import (
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

func publishedAs(text string) Version {
	var p Version
	p.Config.Data = map[string]string{"file": text}
	return p
}

func (h History) standsFor(text string, now time.Time) Standing {
	standing, _ := h.Stands(func(p Version) bool { return p.Config.Data["file"] == text }, now)
	return standing
}

func TestHistoryTellsWhatGatesMayHave(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	var all Store
	server := &v1alpha1.MCPServer{}
	server.Name, server.UID = "x", "uid"
	expect := func(what string, now time.Time, want map[string]Standing) {
		t.Helper()
		for text, standing := range want {
			if got := all.Of(server).standsFor(text, now); got != standing {
				t.Errorf("%s: %q is %d, want %d", what, text, got, standing)
			}
		}
	}
	all.Offer(server, publishedAs("a"), true)
	if all.Of(server).Known() {
		t.Error("what was offered alone is not published")
	}
	all.Settle(server, at)
	expect("published", at, map[string]Standing{"a": Current, "b": Foreign})

	all.Offer(server, publishedAs("b"), false)
	expect("offered, so that gates may be ahead", at, map[string]Standing{"a": Current, "b": Current})
	if offered, inForce := all.Of(server).Newest(); offered.Config.Data["file"] != "b" || inForce.Config.Data["file"] != "a" {
		t.Errorf("offered %v, in force %v", offered, inForce)
	}
	all.Settle(server, at)
	expect("replaced", at.Add(Propagation-1), map[string]Standing{"a": Recent, "b": Current})
	expect("and for long", at.Add(Propagation), map[string]Standing{"a": Outdated, "b": Current})

	all.Offer(server, publishedAs("b"), false)
	all.Settle(server, at.Add(time.Hour))
	expect("again the same", at.Add(time.Hour), map[string]Standing{"a": Outdated, "b": Current})
	if since, _ := all.Of(server).InForceSince(); !since.Equal(at) {
		t.Errorf("in force since %v", since)
	}
	all.Offer(server, publishedAs("a"), false)
	all.Settle(server, at.Add(time.Hour))
	expect("taken back", at.Add(time.Hour), map[string]Standing{"a": Current, "b": Recent})

	other := server.DeepCopy()
	other.UID = "namesake"
	if all.Of(other).Known() {
		t.Error("a namesake has the history of the one before it")
	}
}

// What was published before this operator began it cannot know; after a while it does not matter any more.
func TestHistoryThatIsNotWholeIsUnsureForAWhile(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	var all Store
	server := &v1alpha1.MCPServer{}
	all.Offer(server, publishedAs("a"), false)
	all.Settle(server, at)
	if got := all.Of(server).standsFor("b", at.Add(Propagation-1)); got != Unsure {
		t.Errorf("at once: %d", got)
	}
	if got := all.Of(server).standsFor("b", at.Add(Propagation)); got != Foreign {
		t.Errorf("later: %d", got)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	var all Store
	server := &v1alpha1.MCPServer{}
	for i := range 100 {
		all.Offer(server, publishedAs(string(rune('a'+i))), true)
		all.Settle(server, time.Now())
	}
	if n := len(all.Of(server).all); n > maxHistory {
		t.Errorf("%d are kept", n)
	}
}
