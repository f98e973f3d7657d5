package rotation_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
)

func TestLostKeysAreRecordedUntilTheirTokensHaveExpired(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	in := rotation.Inputs{Overlap: time.Hour}
	set, err := rotation.New(keys.ES256, "", at)
	if err != nil {
		t.Fatal(err)
	}
	own := set.Keys[0].ID
	set = set.WithLost([]string{"gone", own}, at, in)
	want := []rotation.Loss{{ID: "gone", At: at}}
	if !reflect.DeepEqual(set.Lost, want) {
		t.Fatalf("got %v, want %v", set.Lost, want)
	}
	jwks, state, err := rotation.Encode(set)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := rotation.Decode(jwks, state, at)
	if err != nil || !reflect.DeepEqual(stored.Lost, want) {
		t.Fatalf("stored: got %v, %v", stored.Lost, err)
	}
	for name, c := range map[string]struct {
		gone  []string
		after time.Duration
		in    rotation.Inputs
		want  int
	}{
		"it is told once":              {[]string{"gone"}, time.Minute, in, 1},
		"another one":                  {[]string{"more"}, time.Minute, in, 2},
		"of which no token is alive":   {nil, time.Hour, in, 0},
		"one that was to be revoked":   {[]string{"more"}, time.Minute, rotation.Inputs{Overlap: time.Hour, Revoke: "more"}, 1},
		"nothing else is gone from it": {nil, time.Minute, in, 1},
	} {
		if got := stored.WithLost(c.gone, at.Add(c.after), c.in).Lost; len(got) != c.want {
			t.Errorf("%s: got %v, want %d", name, got, c.want)
		}
	}
	restored := stored
	restored.Keys = append(restored.Keys, rotation.Key{ID: "gone"})
	if got := restored.WithLost(nil, at, in).Lost; len(got) != 0 {
		t.Errorf("a key that is back: got %v", got)
	}
}
