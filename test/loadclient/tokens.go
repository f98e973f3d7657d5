package loadclient

import (
	"maps"
	"sync"
	"time"
)

// Tokens are the newest that were handed over, by name. The zero value has none.
type Tokens struct {
	mu     sync.Mutex
	newest map[string]string
}

// Add takes tokens in the place of those of the same names.
func (t *Tokens) Add(tokens map[string]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.newest == nil {
		t.newest = map[string]string{}
	}
	maps.Copy(t.newest, tokens)
}

func (t *Tokens) get(name string) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	token, found := t.newest[name]
	return token, found
}

// heldToken is the token that a worker sends.
type heldToken struct {
	tokens *Tokens
	caller Caller
	token  string
	until  time.Time
}

// request is the caller's, with the token that is to be sent now. It is not ready before there is one.
func (h *heldToken) request(now time.Time) (request Request, ready bool) {
	request = h.caller.Request
	if h.caller.Token == "" {
		return request, true
	}
	if !now.Before(h.until) {
		newest, found := h.tokens.get(h.caller.Token)
		if !found {
			return request, false
		}
		h.token, h.until = newest, now.Add(time.Duration(h.caller.HoldSeconds)*time.Second)
	}
	request.Header = maps.Clone(request.Header)
	if request.Header == nil {
		request.Header = map[string]string{}
	}
	request.Header["Authorization"] = "Bearer " + h.token
	return request, true
}
