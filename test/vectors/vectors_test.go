// Package vectors_test holds the keys against the JOSE vectors of Project Wycheproof: signatures that must verify, and
// forgeries and keys that must not. What a token says and whether it is one are not judged here; that is the gate's work,
// and payloads of vectors are no claims.
package vectors_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"testing"

	"github.com/c2sp/wycheproof"
)

// relevant is how many cases are about signatures: 401, 26 and 49. The rest of json_web_crypto is about encryption.
const relevant = 401 + 26 + 49

var files = []string{"json_web_signature", "json_web_key", "json_web_crypto"}

// exceptions are the cases in which we differ from the vectors, and why.
var exceptions = map[string]string{
	"json_web_signature/346": pinned, "json_web_signature/350": pinned,
	"json_web_signature/347": es521, "json_web_signature/351": es521,
	"json_web_signature/357": zeros, "json_web_signature/358": zeros, "json_web_signature/359": zeros,
	"json_web_signature/376": zeros, "json_web_signature/377": zeros,
	"json_web_signature/372": questionMark, "json_web_signature/373": questionMark,
	"json_web_key/4": nameless,
}

const (
	pinned       = `wants a token with alg PS384 accepted under a key with alg PS256; a key has one algorithm (RFC 8725 section 3.1)`
	es521        = `wants a token with alg ES512 accepted under a key with alg "ES521", which is none (RFC 7518 section 3.1)`
	zeros        = `its shared secret is 32 zeros, which are no secret and do not load`
	questionMark = `wants a "?" in base64url overlooked; a JWS has none (RFC 7515 section 2)`
	nameless     = `wants two shared secrets under one kid refused; a file with a shared secret states no kid that could be used twice`
)

type testGroup struct {
	Comment         string
	Public, Private json.RawMessage
	Tests           []struct {
		ID      int `json:"tcId"`
		Comment string
		JWS     json.RawMessage // in one case no string
		Result  string
	}
}

func TestVectors(t *testing.T) {
	seen := 0
	left := map[string]bool{}
	for name := range exceptions {
		left[name] = true
	}
	for _, file := range files {
		for _, group := range read(t, file) {
			jwk := group.Public
			if jwk == nil {
				jwk = group.Private // of shared secrets there is no other
			}
			set, loadErr := load(jwk)
			for _, c := range group.Tests {
				if c.JWS == nil {
					continue // a JWE
				}
				seen++
				name := fmt.Sprintf("%s/%d", file, c.ID)
				delete(left, name)
				t.Run(fmt.Sprintf("%s_%s_%s", name, group.Comment, c.Comment), func(t *testing.T) {
					accepted := accepts(set, text(c.JWS))
					agreed := accepted == (c.Result == "valid")
					switch reason, excepted := exceptions[name]; {
					case agreed && excepted:
						t.Errorf("the exception is no longer needed: %s", reason)
					case !agreed && !excepted:
						t.Errorf("accepted %t, but the vector is %s (loading the keys: %v)", accepted, c.Result, loadErr)
					}
				})
			}
		}
	}
	if seen != relevant {
		t.Errorf("%d cases, want %d: are these other vectors?", seen, relevant)
	}
	for name := range left {
		t.Errorf("there is an exception for %s, but no such case", name)
	}
}

// text is what a client would send as a token.
func text(jws json.RawMessage) string {
	var token string
	if err := json.Unmarshal(jws, &token); err != nil {
		return string(jws)
	}
	return token
}

func read(t *testing.T, file string) []testGroup {
	t.Helper()
	data, err := fs.ReadFile(wycheproof.TestVectors, file+"_test.json")
	if err != nil {
		t.Fatal(err)
	}
	var content struct{ TestGroups []testGroup }
	if err := json.Unmarshal(data, &content); err != nil {
		t.Fatal(err)
	}
	return content.TestGroups
}
