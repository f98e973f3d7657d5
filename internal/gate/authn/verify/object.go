package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// maxDepth bounds nesting in a header or in claims.
const maxDepth = 32

// object is a JSON object that can be read in one way only. Numbers are json.Number.
type object = map[string]any

var errAmbiguous = errors.New("not a JSON object that can be read in one way only")

// parseObject refuses what two parsers could read differently: text that is not UTF-8, halves of surrogate pairs,
// members of the same name at any depth (RFC 7519 section 4), text behind the object, and deep nesting. Names are
// exact, case included.
func parseObject(data []byte) (object, bool) {
	if !utf8.Valid(data) || hasLoneSurrogate(data) {
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	value, err := parseValue(decoder, 0)
	if err != nil {
		return nil, false
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, false
	}
	members, isObject := value.(object)
	return members, isObject
}

func parseValue(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	delim, opens := token.(json.Delim)
	switch {
	case !opens:
		return token, nil
	case depth == maxDepth:
		return nil, errAmbiguous
	case delim == '{':
		return parseMembers(decoder, depth+1)
	default:
		return parseElements(decoder, depth+1)
	}
}

func parseMembers(decoder *json.Decoder, depth int) (any, error) {
	members := object{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name, isName := token.(string)
		if _, repeated := members[name]; repeated || !isName {
			return nil, errAmbiguous
		}
		if members[name], err = parseValue(decoder, depth); err != nil {
			return nil, err
		}
	}
	_, err := decoder.Token()
	return members, err
}

func parseElements(decoder *json.Decoder, depth int) (any, error) {
	elements := []any{}
	for decoder.More() {
		element, err := parseValue(decoder, depth)
		if err != nil {
			return nil, err
		}
		elements = append(elements, element)
	}
	_, err := decoder.Token()
	return elements, err
}
