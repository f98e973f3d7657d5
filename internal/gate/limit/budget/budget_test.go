package budget_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/budget"
)

var small = budget.Limits{Requests: 3, Bytes: 100, CallerBytes: 60, UnverifiedBytes: 10}

func mustEnter(t *testing.T, b *budget.Budget[string], caller string, most int, want error) *budget.Account[string] {
	t.Helper()
	account := b.Open()
	if err := account.Enter(caller, most); !errors.Is(err, want) {
		t.Fatalf("Enter(%s, %d): got %v; want %v", caller, most, err, want)
	}
	return &account
}

func TestRequestsOverABound_AreRefused(t *testing.T) {
	b := budget.New[string](small)
	first := mustEnter(t, b, "a", 2, nil)
	mustEnter(t, b, "a", 2, nil)
	mustEnter(t, b, "a", 2, budget.ErrCaller)
	third := mustEnter(t, b, "b", 2, nil)
	mustEnter(t, b, "c", 2, budget.ErrFull)
	mustEnter(t, b, "a", 0, budget.ErrCaller) // half of all
	mustEnter(t, b, "c", 0, budget.ErrFull)
	third.Close()
	third.Close()
	first.Close()
	mustEnter(t, b, "a", 2, nil)
	if got := b.Requests(); got != 2 {
		t.Errorf("%d requests are in progress, want 2", got)
	}
}

// The field calls it a dynamic threshold: nobody knows beforehand how many callers there will be.
func TestCallersThatTakeAllTheyGet_LeaveAsMuchForTheNext(t *testing.T) {
	const room = 512
	for _, greedy := range []int{1, 2, 10, 40} {
		b := budget.New[int](budget.Limits{Requests: room})
		for range room {
			for caller := range greedy {
				account := b.Open()
				_ = account.Enter(caller, 0)
			}
		}
		if free := room - b.Requests(); free < room/(greedy+2) {
			t.Errorf("%d callers leave room for %d requests", greedy, free)
		}
		account := b.Open()
		if err := account.Enter(-1, 0); err != nil {
			t.Errorf("beside %d callers, the next one gets %v", greedy, err)
		}
	}
}

// Who has less than an equal share is not told to ask for less.
func TestCallersThatLeaveNoEqualShare_AreTheOnesWithTooMuch(t *testing.T) {
	b := budget.New[string](budget.Limits{Requests: 8})
	enter := func(caller string) error {
		account := b.Open()
		return account.Enter(caller, 0)
	}
	for range 4 {
		_ = enter("greedy")
	}
	for _, caller := range []string{"modest", "a", "b"} { // one place is left
		if err := enter(caller); err != nil {
			t.Fatal(err)
		}
	}
	if err := enter("modest"); !errors.Is(err, budget.ErrFull) {
		t.Errorf("with one of eight requests among four callers: %v", err)
	}
	if err := enter("greedy"); !errors.Is(err, budget.ErrCaller) {
		t.Errorf("with four of eight: %v", err)
	}
}

func TestBytesOverABound_AreRefusedAndNotReserved(t *testing.T) {
	limits := small
	limits.Requests = 9
	b := budget.New[string](limits)
	a, other := mustEnter(t, b, "a", 0, nil), mustEnter(t, b, "b", 0, nil)
	second := mustEnter(t, b, "a", 0, nil)
	for i, c := range []struct {
		account *budget.Account[string]
		n       int64
		want    error
	}{
		{a, 60, nil},
		{second, 1, budget.ErrCaller}, // counted with the other request of the same caller
		{other, 41, budget.ErrFull},
		{other, 40, nil},
		{a, -20, nil},
		{other, 20, nil},
		{second, 1, budget.ErrFull},
	} {
		if err := c.account.Reserve(c.n); !errors.Is(err, c.want) {
			t.Errorf("%d: Reserve(%d): got %v, want %v", i, c.n, err, c.want)
		}
	}
	a.Close()
	if got := b.Bytes(); got != 60 {
		t.Errorf("%d bytes are kept, want 60", got)
	}
	if err := a.Reserve(50); err != nil || b.Bytes() != 60 {
		t.Errorf("a closed account reserved something: %v, %d", err, b.Bytes())
	}
}

func TestBodyThatIsAlone_FitsWhateverItsLength(t *testing.T) {
	b := budget.New[string](small)
	a, other := mustEnter(t, b, "a", 0, nil), mustEnter(t, b, "b", 0, nil)
	if err := a.Reserve(1000); err != nil {
		t.Errorf("alone: got %v", err)
	}
	if err := other.Reserve(1); !errors.Is(err, budget.ErrFull) {
		t.Errorf("beside it: got %v", err)
	}
	a.Close()
	if err := other.Reserve(1); err != nil {
		t.Errorf("after it: got %v", err)
	}
}

func TestStrangers_TakeNoRoomFromCallers(t *testing.T) {
	b := budget.New[string](small)
	stranger, another := b.Open(), b.Open()
	if err := stranger.Reserve(11); !errors.Is(err, budget.ErrFull) {
		t.Errorf("got %v", err)
	}
	if err := stranger.Reserve(10); err != nil {
		t.Error(err)
	}
	if err := another.Reserve(1); !errors.Is(err, budget.ErrFull) {
		t.Errorf("strangers share one budget: got %v", err)
	}
	if b.Bytes() != 0 || b.Requests() != 0 {
		t.Errorf("a stranger counts as a caller: %d bytes, %d requests", b.Bytes(), b.Requests())
	}
	stranger.Close()
	if err := another.Reserve(10); err != nil {
		t.Errorf("what a stranger held is gone: %v", err)
	}
}

// Who is verified in the end was a stranger while the body was looked at.
func TestCallerWhoEnters_TakesItsBytesAlong(t *testing.T) {
	b := budget.New[string](small)
	account, another := b.Open(), b.Open()
	if err := account.Reserve(10); err != nil {
		t.Fatal(err)
	}
	if err := account.Enter("a", 1); err != nil || b.Bytes() != 10 {
		t.Errorf("got %v, %d bytes of callers", err, b.Bytes())
	}
	if err := another.Reserve(10); err != nil {
		t.Errorf("the strangers' part is still taken: %v", err)
	}
	account.Close()
	if b.Bytes() != 0 || b.Requests() != 0 {
		t.Errorf("left behind: %d requests, %d bytes", b.Requests(), b.Bytes())
	}
}

func TestManyAtOnce_LeaveNothingBehind(t *testing.T) {
	b := budget.New[string](budget.For(256 << 20))
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			caller := string(rune('a' + i%4))
			for range 500 {
				account := b.Open()
				_ = account.Reserve(1 << 10)
				_ = account.Enter(caller, 8)
				_ = account.Reserve(1 << 20)
				_ = account.Reserve(-1 << 10)
				account.Close()
			}
		})
	}
	all.Wait()
	if b.Requests() != 0 || b.Bytes() != 0 {
		t.Errorf("left behind: %d requests, %d bytes", b.Requests(), b.Bytes())
	}
}

func TestFor(t *testing.T) {
	for memory, want := range map[int64]budget.Limits{
		256 << 20: {Waiting: 512, Requests: 512, Bytes: 32 << 20, CallerBytes: 16 << 20, UnverifiedBytes: 4 << 20},
		0:         {Waiting: 8192, Requests: 8192, Bytes: 256 << 20, CallerBytes: 128 << 20, UnverifiedBytes: 32 << 20},
		64 << 20:  {Waiting: 128, Requests: 128, Bytes: 8 << 20, CallerBytes: 4 << 20, UnverifiedBytes: 1 << 20},
	} {
		if got := budget.For(memory); got != want {
			t.Errorf("For(%d): got %+v, want %+v", memory, got, want)
		}
	}
}
