// Package exactjson reads JSON objects in one way only. encoding/json takes a member "KEYS" for a field "keys", and the
// last of two members of one name; other readers take neither, or the first (RFC 8259 section 4). What decides who may
// enter must not depend on the reader.
package exactjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxDepth bounds nesting, as Check recurses.
const maxDepth = 64

var (
	errInvalid  = errors.New("not valid JSON")
	errNoObject = errors.New("not a JSON object")
	errBehind   = errors.New("there is text behind the JSON value")
	errDepth    = fmt.Errorf("nested deeper than %d levels", maxDepth)
)

// Members returns the members of an object by their exact names, with their values as they are written. It is an error if
// the text is no object, if there is something behind it, or if two of its members have one name; what is inside the
// values is left to Check. No error quotes a value.
func Members(data []byte) (map[string]json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, errNoObject
	}
	members := map[string]json.RawMessage{}
	for decoder.More() {
		token, err := decoder.Token()
		name, isName := token.(string)
		if err != nil || !isName {
			return nil, errInvalid
		}
		if _, twice := members[name]; twice {
			return nil, twiceError(name)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, errInvalid
		}
		members[name] = value
	}
	return members, end(decoder)
}

// Check returns an error for text that is not one JSON value, or in which an object at any depth has two members of one
// name.
func Check(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := checkValue(decoder, 0); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errBehind
	}
	return nil
}

func checkValue(decoder *json.Decoder, depth int) error {
	token, err := decoder.Token()
	if err != nil {
		return errInvalid
	}
	opening, opens := token.(json.Delim)
	if !opens {
		return nil
	}
	if depth == maxDepth {
		return errDepth
	}
	names := map[string]bool{}
	for decoder.More() {
		if opening == '{' {
			token, err := decoder.Token()
			name, isName := token.(string)
			if err != nil || !isName {
				return errInvalid
			}
			if names[name] {
				return twiceError(name)
			}
			names[name] = true
		}
		if err := checkValue(decoder, depth+1); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return errInvalid
	}
	return nil
}

// end reads the end of the outermost object, and of the text.
func end(decoder *json.Decoder) error {
	if _, err := decoder.Token(); err != nil {
		return errInvalid
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errBehind
	}
	return nil
}

func twiceError(name string) error { return fmt.Errorf("the member %.20q is there twice", name) }
