//go:build soak

package soak

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

const (
	usualRuns = 20
	// Rules, and resources of each: so many comparisons does each resource cost that somebody names.
	heavyRules, heavyResources = 21, 20
	// The batch that opens a hostile stream: subscriptions, and resources that each is about. It has 3.6 MiB.
	heavyListens, resourcesEach = 900, 1000
	opening                     = 2 * time.Minute // for one hostile stream
)

// A caller whose streams are costly to judge delays the revocation of nobody: streams of others are cut, and their requests
// refused, within the time that docs/sessions.md promises.
func TestHostileStreams(t *testing.T) {
	for _, count := range []int{8, 30} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			costs := &table{title: "Revocation beside hostile streams of one caller: time from the change of a file until a victim is out", rows: [][]any{{
				"hostile streams", "opened", "open at the end", "batch that opens each", "change", "runs", "slowest cut", "slowest 401", "median cut",
			}}}
			t.Cleanup(func() { costs.write(t) })
			h := newHostility(t)
			h.open(count)
			for _, change := range []struct {
				name  string
				apply func(victim string)
				undo  func()
			}{
				{"subject revoked", func(victim string) { h.writeRevoked("sub:" + victim) }, func() { h.writeRevoked() }},
				{"key removed", func(string) { h.writeKeys(h.hostile) }, func() { h.writeKeys(h.hostile, h.victims) }},
			} {
				t.Run(change.name, func(t *testing.T) {
					cuts, refusals := h.revoke(t, change.apply, change.undo)
					costs.rows = append(costs.rows, []any{count, len(h.streams), h.stillOpen(), h.batch, change.name, len(cuts),
						slices.Max(cuts), slices.Max(refusals), median(cuts)})
					if slowest := max(slices.Max(cuts), slices.Max(refusals)); slowest > streamEnds {
						t.Errorf("the slowest of %d victims was out after %s, not within %s", len(cuts), slowest, streamEnds)
					}
				})
			}
		})
	}
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// hostility is a gate with many rules, and the streams of one caller who wants them judged.
type hostility struct {
	t                *testing.T
	gate             *pod.Gate
	hostile, victims token.Template
	batch            string // what opens each stream, in words
	streams          []*userStream
}

func newHostility(t *testing.T) *hostility {
	t.Helper()
	h := &hostility{t: t, gate: newGate(t, "gate", serve(t, backend)), hostile: newIssuer(t), victims: newIssuer(t)}
	h.gate.Config.Limits.Streams = 64
	for i := range heavyRules - 1 {
		var names []string
		for j := range heavyResources {
			names = append(names, fmt.Sprintf("file:///team-%02d/docs/%02d/*", i, j))
		}
		h.gate.Config.Authorization.Rules = append(h.gate.Config.Authorization.Rules, gateapi.Rule{Resources: names})
	}
	h.gate.Config.Authorization.Rules = append(h.gate.Config.Authorization.Rules, gateapi.Rule{Resources: letters()})
	h.gate.WriteConfig(t)
	h.writeKeys(h.hostile, h.victims)
	h.writeRevoked()
	h.gate.Start(t)
	return h
}

func (h *hostility) writeKeys(of ...token.Template) {
	h.t.Helper()
	var set []keys.Public
	for _, template := range of {
		set = append(set, template.Key.Public())
	}
	h.gate.WriteKeys(h.t, providerName, set...)
}

func (h *hostility) writeRevoked(entries ...string) {
	h.t.Helper()
	pod.Mount(h.t, h.gate.Dir, gateapi.RevokedFile, []byte(strings.Join(entries, "\n")+"\n"))
}

// open opens hostile streams, each with the largest batch that the gate lets in.
func (h *hostility) open(count int) {
	h.t.Helper()
	body := h.largest()
	for len(h.streams) < count {
		s, verdict := h.openOne(body)
		if s == nil {
			h.t.Logf("hostile stream %d: %s", len(h.streams)+1, verdict)
			break
		}
		h.streams = append(h.streams, s)
	}
	if len(h.streams) == 0 {
		h.t.Fatal("no hostile stream is open: the test shows nothing")
	}
}

// openOne opens a stream by a POST; nil if the gate does not let it in, and then why.
func (h *hostility) openOne(body string) (*userStream, string) {
	h.t.Helper()
	ctx, stop := context.WithCancel(h.t.Context())
	late := time.AfterFunc(opening, stop)
	defer late.Stop()
	client := newCaller("http", h.gate.Config.Port, true)
	client.header.Set(answerHeader, answerStream)
	client.header.Set("Accept", "application/json, text/event-stream")
	response, err := client.request(ctx, http.MethodPost, mint(h.t, h.hostile, "mallory"), strings.NewReader(body))
	if err != nil {
		stop()
		return nil, broken(err)
	}
	if response.StatusCode != http.StatusOK {
		defer stop()
		defer response.Body.Close()
		raw, _ := io.ReadAll(response.Body)
		return nil, verdictOf(response.StatusCode, raw)
	}
	s := &userStream{over: make(chan struct{}), stop: stop}
	h.t.Cleanup(stop)
	go func() {
		defer close(s.over)
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		s.ended = time.Now()
	}()
	return s, accepted
}

func (h *hostility) stillOpen() (count int) {
	for _, s := range h.streams {
		if !s.isOver() {
			count++
		}
	}
	return count
}
