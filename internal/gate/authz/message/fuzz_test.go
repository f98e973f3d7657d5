package message

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// member is one of an object that was read without losing any: objects are []member here.
type member struct {
	name  string
	value any
}

// read is the other reader: encoding/json, token by token.
func read(decoder *json.Decoder) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		object := []member{}
		for decoder.More() {
			name, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			value, err := read(decoder)
			if err != nil {
				return nil, err
			}
			object = append(object, member{name.(string), value})
		}
		_, err = decoder.Token()
		return object, err
	case json.Delim('['):
		array := []any{}
		for decoder.More() {
			value, err := read(decoder)
			if err != nil {
				return nil, err
			}
			array = append(array, value)
		}
		_, err = decoder.Token()
		return array, err
	}
	return token, nil
}

// parserTaste is how a parser picks among members that could be meant.
type parserTaste struct{ fold, last bool }

func (t parserTaste) get(from any, path ...string) any {
	for _, name := range path {
		object, _ := from.([]member)
		from = nil
		for _, m := range object {
			if m.name == name || t.fold && strings.EqualFold(m.name, name) {
				if from = m.value; !t.last {
					break
				}
			}
		}
	}
	return from
}

func (t parserTaste) text(from any, path ...string) string {
	text, _ := t.get(from, path...).(string)
	return text
}

// names is what a server would work on.
func (t parserTaste) names(message any) []string {
	params := t.get(message, "params")
	switch t.text(message, "method") {
	case "tools/call", "prompts/get":
		return []string{t.text(params, "name")}
	case "resources/read", "resources/subscribe", "resources/unsubscribe":
		return []string{t.text(params, "uri")}
	case "tasks/get", "tasks/result", "tasks/update", "tasks/cancel":
		return []string{t.text(params, "taskId")}
	case "completion/complete":
		if t.text(params, "ref", "type") == "ref/prompt" {
			return []string{t.text(params, "ref", "name")}
		}
		return []string{t.text(params, "ref", "uri")}
	case "subscriptions/listen":
		var uris []string
		list, isList := t.get(params, "notifications", "resourceSubscriptions").([]any)
		if uri := t.text(params, "notifications", "resourceSubscriptions"); !isList && uri != "" {
			list = []any{uri}
		}
		for _, uri := range list {
			uris = append(uris, uri.(string))
		}
		return uris
	}
	if name := t.get(params, "name"); name != nil {
		return []string{t.text(params, "name")}
	}
	return []string{t.text(params, "uri")}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		typical, batch(3), nested(64), nested(65), manyMembers(9), "[]", "{}", call(`{"name":"a","NAME":"b","n\u0061me":"c"}`),
		`{"id":"\ud83d\ude00","result":{"a":[1,-2.5e+7,true,false,null]}}`, "\ufeff{}", `{"method":"ping"} x`,
		`{"method":"prompts/get","params":{"name":"\\\"\/\b\f\n\r\t"}}`, "{\"method\":\"\u017f\u212a\u0130\u0131\"}",
		`{"method":"completion/complete","params":{"ref":{"type":"ref/resource","uri":"a"}}}`,
		`{"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":["a","b"]}}}`,
		`{"method":"tasks/get","params":{"taskId":"a","_meta":{"a":{"a":1,"a":2}}}}`,
		`{"method":"resources/read","params":{"uri":"file:///a","ur\u0131":"b"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		Peek(body)
		document, err := Parse(body)
		if !bytes.Equal(body, before) {
			t.Fatal("the body was changed")
		}
		if err != nil {
			if len(document.Messages) != 0 {
				t.Fatalf("messages beside %v", err)
			}
			return
		}
		if !json.Valid(body) {
			t.Fatalf("%q is no JSON to encoding/json", body)
		}
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		value, err := read(decoder)
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		elements, isArray := value.([]any)
		if !isArray {
			elements = []any{value}
		}
		if isArray != document.Batch || len(elements) != len(document.Messages) {
			t.Fatalf("%q: got %d messages, want %d", body, len(document.Messages), len(elements))
		}
		for i, got := range document.Messages {
			compare(t, got, elements[i])
		}
	})
}

func compare(t *testing.T, got Message, element any) {
	t.Helper()
	for _, taste := range []parserTaste{{}, {last: true}, {fold: true}, {fold: true, last: true}} {
		if want := taste.text(element, "method"); got.Method != want || (got.Kind == Response) != (want == "") {
			t.Fatalf("%+v: method %q, want %q by %+v", element, got.Method, want, taste)
		}
		names := got.URIs
		if got.Method != "subscriptions/listen" {
			names = []string{got.Name}
		}
		if want := taste.names(element); !slices.Equal(names, want) {
			t.Fatalf("%+v: names %q, want %q by %+v", element, names, want, taste)
		}
		var id any
		if got.ID != nil {
			decoder := json.NewDecoder(bytes.NewReader(got.ID))
			decoder.UseNumber()
			if err := decoder.Decode(&id); err != nil {
				t.Fatalf("id %q: %v", got.ID, err)
			}
		}
		if want := taste.get(element, "id"); id != want {
			t.Fatalf("%+v: id %v, want %v", element, id, want)
		}
	}
}
