package deny

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// maxIDBytes bounds what is echoed of a request nobody has vouched for.
const maxIDBytes = 128

var null = json.RawMessage("null")

// requestID finds the "id" of a JSON-RPC request in the beginning of its body, to be echoed: clients drop an error
// whose id they do not know. Only a string or a number of at most maxIDBytes is echoed, else null. The body may be cut
// off behind the id.
func requestID(head []byte) json.RawMessage {
	decoder := json.NewDecoder(bytes.NewReader(head))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return null
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return null
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return null
		}
		if name == "id" {
			return echoable(value)
		}
	}
	return null
}

func echoable(value json.RawMessage) json.RawMessage {
	first := value[0]
	if len(value) > maxIDBytes || !utf8.Valid(value) || first != '"' && first != '-' && (first < '0' || first > '9') {
		return null
	}
	return value
}
