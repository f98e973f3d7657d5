package loadclient

import (
	"testing"
	"time"
)

func TestHeldTokens(t *testing.T) {
	var tokens Tokens
	begun := time.Unix(1000, 0)
	caller := Caller{Token: "a", HoldSeconds: 10, Request: Request{Header: map[string]string{"Accept": "x"}}}
	h, eager := &heldToken{tokens: &tokens, caller: caller}, &heldToken{tokens: &tokens, caller: Caller{Token: "a"}}
	if _, ready := h.request(begun); ready {
		t.Error("a request without a token")
	}
	tokens.Add(map[string]string{"a": "1", "b": "other"})
	for _, c := range []struct {
		after       time.Duration
		add         string
		held, eager string
	}{
		{0, "", "1", "1"}, {9 * time.Second, "2", "1", "2"}, {10 * time.Second, "", "2", "2"}, {11 * time.Second, "3", "2", "3"},
	} {
		if c.add != "" {
			tokens.Add(map[string]string{"a": c.add})
		}
		now := begun.Add(c.after)
		slow, _ := h.request(now)
		quick, _ := eager.request(now)
		if slow.Header["Authorization"] != "Bearer "+c.held || slow.Header["Accept"] != "x" || quick.Header["Authorization"] != "Bearer "+c.eager {
			t.Errorf("after %s: %v, %v", c.after, slow.Header, quick.Header)
		}
	}
	if caller.Request.Header["Authorization"] != "" {
		t.Error("the caller's own request was changed")
	}
	none := &heldToken{tokens: &tokens}
	if request, ready := none.request(begun); !ready || request.Header["Authorization"] != "" {
		t.Error("a caller without a token sent one")
	}
}
