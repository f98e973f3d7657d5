package exactjson_test

import (
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/exactjson"
)

func TestMembersAreThoseOfTheExactName(t *testing.T) {
	for text, want := range map[string]string{
		`{"keys":[1],"KEYS":[2]}`:        "",
		`{"Keys":[2],"keys":[1]}`:        "",
		` {"keys":[1]} `:                 "",
		`{"keys":[1],"x":{"a":1,"a":2}}`: "",
		`{"keys":[1],"keys":[2]}`:        `member "keys" is there twice`,
		`{"keys":[1],"k\u0065ys":[2]}`:   `member "keys" is there twice`,
		`{"keys":[1]}{}`:                 "behind",
		`{"keys":[1]`:                    "not valid JSON",
		`{"keys":[1}`:                    "not valid JSON",
		`[]`:                             "not a JSON object",
		`null`:                           "not a JSON object",
		``:                               "not a JSON object",
	} {
		members, err := exactjson.Members([]byte(text))
		switch {
		case want == "" && (err != nil || string(members["keys"]) != "[1]"):
			t.Errorf("%s: got %s, %v", text, members["keys"], err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got error %v, want one with %q", text, err, want)
		}
	}
}

func TestCheckFindsMembersThatAreThereTwice(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":{"b":1},"b":1,"A":1}`: "",
		`[1,"a",null]`:              "",
		`{"a":[{"kid":1,"kid":2}]}`: `member "kid" is there twice`,
		`{"a":1,"\u0061":2}`:        `member "a" is there twice`,
		`{"a":1}x`:                  "behind",
		`{"a":1`:                    "not valid JSON",
		``:                          "not valid JSON",
		strings.Repeat("[", 70) + strings.Repeat("]", 70): "nested deeper",
	} {
		err := exactjson.Check([]byte(text))
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want %q", text, err, want)
		}
	}
}
