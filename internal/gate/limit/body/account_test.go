package body

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

var errPoor = errors.New("no room")

// purse is an account with a limit.
type purse struct{ held, most, limit int64 }

func (p *purse) Reserve(n int64) error {
	if p.held+n > p.limit {
		return errPoor
	}
	p.held += n
	p.most = max(p.most, p.held)
	return nil
}

func TestPrefetchedBody_IsChargedUntilItIsReadAgain(t *testing.T) {
	const size = 1 << 20
	b, account := of(strings.Repeat("x", size), size), &purse{limit: 2 * size}
	b.Charge(account)
	if _, whole, err := b.Prefetch(size); err != nil || !whole {
		t.Fatalf("got %t, %v", whole, err)
	}
	if account.held < size-keptBytes {
		t.Errorf("%d bytes are charged", account.held)
	}
	if n, err := io.Copy(io.Discard, b); n != size || err != nil {
		t.Fatalf("read %d, %v", n, err)
	}
	if account.held != 0 || b.ahead != nil || len(b.head) != keptBytes {
		t.Errorf("%d bytes are charged, %d kept ahead, %d as the beginning", account.held, len(b.ahead), len(b.head))
	}
}

func TestShortBody_AsksNoAccount(t *testing.T) {
	b, account := of(strings.Repeat("x", keptBytes-1), 1<<20), &purse{}
	b.Charge(account)
	if _, whole, err := b.Prefetch(1 << 20); err != nil || !whole || account.most != 0 {
		t.Errorf("got %t, %v, %d", whole, err, account.most)
	}
}

func TestBodyOverItsAccount_IsRefusedAndLetGo(t *testing.T) {
	b, account := of(strings.Repeat("x", 1<<20), 1<<20), &purse{limit: 100 << 10}
	b.Charge(account)
	_, _, err := b.Prefetch(1 << 20)
	if !errors.Is(err, errPoor) || !errors.Is(b.Err(), errPoor) || account.held != 0 || b.ahead != nil {
		t.Errorf("got %v, %v, %d bytes charged, %d kept", err, b.Err(), account.held, len(b.ahead))
	}
	if got := len(b.Head()); got != keptBytes {
		t.Errorf("%d bytes of the beginning are left", got)
	}
}

// What was announced has not come.
func TestAnnouncedLength_IsNotAllocated(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("x"))
	r.ContentLength = 4 << 20
	b, account := Of(httptest.NewRecorder(), r, 4<<20), &purse{limit: 4 << 20}
	b.Charge(account)
	if ahead, _, err := b.Prefetch(4 << 20); err != nil || account.most > firstGuess || cap(ahead) > firstGuess+keptBytes {
		t.Errorf("got %v, %d charged, %d allocated", err, account.most, cap(ahead))
	}
}

func TestHeadOverItsAccount_IsShort(t *testing.T) {
	b, account := of(strings.Repeat("x", HeadBytes), 1<<20), &purse{limit: 10 << 10}
	b.Charge(account)
	if got := len(b.Head()); got < keptBytes || got > keptBytes+10<<10 {
		t.Errorf("%d bytes are remembered", got)
	}
}
