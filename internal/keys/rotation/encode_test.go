package rotation

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

func encode(t *testing.T, set Set) (jwks, state []byte) {
	t.Helper()
	jwks, state, err := Encode(set)
	if err != nil {
		t.Fatal(err)
	}
	return jwks, state
}

func TestEveryStateIsReadBack(t *testing.T) {
	set := begin(t)
	set = take(t, set, noon, Inputs{Algorithm: keys.ES256, Request: "x"})
	for _, revoke := range []string{"", set.Keys[0].ID, set.Keys[1].ID} {
		set = take(t, set, noon, Inputs{Algorithm: keys.EdDSA, Revoke: revoke})
		jwks, state := encode(t, set)
		got, err := Decode(jwks, state, noon.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, set) {
			t.Errorf("after revoking %q:\n got %+v\nwant %+v", revoke, got, set)
		}
		again, stateAgain := encode(t, got)
		if !bytes.Equal(again, jwks) || !bytes.Equal(stateAgain, state) {
			t.Error("encoded anew it is another")
		}
	}
}

func TestKeysWithoutState(t *testing.T) {
	set := take(t, begin(t), noon, Inputs{Algorithm: keys.EdDSA, Request: "x"})
	jwks, _ := encode(t, set)
	got, err := Decode(jwks, nil, noon)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, got, "Signing", "Retiring")
	if got.Keys[0].ID != set.Keys[0].ID || got.Request != "" {
		t.Errorf("%+v", got)
	}
}

func TestTheFirstKeySigns(t *testing.T) {
	set := take(t, begin(t), noon, Inputs{Algorithm: keys.EdDSA, Request: "x"})
	older, state := encode(t, set)
	switched := take(t, set, noon, seeing(Inputs{}, set, set.Keys[1].ID, ""))
	jwks, _ := encode(t, switched)
	// The keys of one step with the state of the one before, and the other way round.
	got, err := Decode(jwks, state, noon)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, got, "Retiring", "Signing")
	_, state = encode(t, switched)
	if got, err = Decode(older, state, noon); err != nil {
		t.Fatal(err)
	}
	expect(t, got, "Signing", "Retiring")
}

func TestSetsThatAreRefused(t *testing.T) {
	before := begin(t)
	backup, _ := encode(t, before)
	set := take(t, before, noon, Inputs{Algorithm: keys.EdDSA, Revoke: before.Keys[0].ID})
	jwks, state := encode(t, set)
	for name, c := range map[string]struct {
		jwks, state []byte
		want        string
	}{
		"an old backup brings a revoked key back": {backup, state, "is Revoked, and among those that are published"},
		"no keys":                    {nil, state, ""},
		"an empty set":               {[]byte(`{"keys":[]}`), state, "empty"},
		"a state that is none":       {jwks, []byte("{"), "no valid JSON"},
		"a withdrawn key that is no": {jwks, []byte(`{"step":1,"withdrawn":{"keys":[{}]}}`), "withdrawn keys"},
	} {
		if _, err := Decode(c.jwks, c.state, noon); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Decode(jwks, state, noon); err != nil {
		t.Errorf("as it was: %v", err)
	}
}
