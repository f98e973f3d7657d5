package probeid_test

import (
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/probeid"
)

const pod = "6d9f5c0e-0000-4000-8000-000000000001"

func key(t *testing.T, secret string) probeid.Key {
	t.Helper()
	key, err := probeid.NewKey([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestIDs(t *testing.T) {
	ours := key(t, "0123456789abcdef0123456789abcdef")
	id := ours.New(pod, [8]byte{1, 2, 3, 4, 5, 6, 7, 8})
	// The operator and gates of other releases have to agree on it.
	if const1 := "0102030405060708"; !strings.HasPrefix(id, const1) || len(id) != probeid.Length {
		t.Errorf("got %q", id)
	}
	for name, c := range map[string]struct {
		key     probeid.Key
		pod, id string
		want    bool
	}{
		"ours":            {ours, pod, id, true},
		"another pod":     {ours, "other", id, false},
		"another secret":  {key(t, "fedcba9876543210fedcba9876543210"), pod, id, false},
		"no key":          {probeid.Key{}, pod, id, false},
		"capitals":        {ours, pod, strings.ToUpper(id), false},
		"random changed":  {ours, pod, "1" + id[1:], false},
		"voucher changed": {ours, pod, id[:31] + string('0'+(id[31]-'0'+1)%2), false},
		"cut":             {ours, pod, id[:30], false},
		"longer":          {ours, pod, id + "00", false},
		"not hexadecimal": {ours, pod, strings.Repeat("z", probeid.Length), false},
		"empty":           {ours, pod, "", false},
	} {
		if got := c.key.Is(c.pod, c.id); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
	if ours.New(pod, [8]byte{}) == ours.New("other", [8]byte{}) {
		t.Error("two pods have one id")
	}
	if _, err := probeid.NewKey([]byte("short")); err == nil {
		t.Error("a short secret was taken")
	}
}
