package mcpfake

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"
)

// tool is one entry of tools/list and what tools/call does with it.
type tool struct {
	name, description string
	properties        map[string]any
	call              func(r *http.Request, arguments map[string]any) (string, error)
}

func tools() []tool {
	return []tool{
		{"echo", "Returns its text.", map[string]any{"text": map[string]any{"type": "string"}}, echo},
		{"whoami", "Tells the host, and the headers and method of this request as they reached the server.", nil, whoami},
		{"sleep", "Answers after a number of seconds.", map[string]any{"seconds": map[string]any{"type": "number"}}, sleep},
	}
}

func toolList() []map[string]any {
	var list []map[string]any
	for _, t := range tools() {
		schema := map[string]any{"type": "object"}
		if t.properties != nil {
			schema["properties"] = t.properties
		}
		list = append(list, map[string]any{
			"name": t.name, "description": t.description, "inputSchema": schema, "annotations": map[string]any{"readOnlyHint": true},
		})
	}
	return list
}

func callTool(r *http.Request, params json.RawMessage) (map[string]any, *rpcError) {
	var call struct {
		Name      string         `json:"name"`
		Arguments map[string]any `json:"arguments"`
	}
	if err := json.Unmarshal(params, &call); err != nil {
		return nil, &rpcError{Code: codeInvalidParams, Message: "params must be {name, arguments}"}
	}
	for _, t := range tools() {
		if t.name != call.Name {
			continue
		}
		text, err := t.call(r, call.Arguments)
		if err != nil {
			return nil, &rpcError{Code: codeInvalidParams, Message: err.Error()}
		}
		return map[string]any{"content": []map[string]any{{"type": "text", "text": text}}}, nil
	}
	return nil, &rpcError{Code: codeInvalidParams, Message: fmt.Sprintf("Unknown tool: %s", call.Name)}
}

func echo(_ *http.Request, arguments map[string]any) (string, error) {
	text, ok := arguments["text"].(string)
	if !ok {
		return "", fmt.Errorf("echo: text must be a string")
	}
	return text, nil
}

// Seen is what the whoami tool tells, as JSON.
type Seen struct {
	Hostname string      `json:"hostname"`
	Method   string      `json:"method"`
	Host     string      `json:"host"`
	Path     string      `json:"path"`
	Headers  http.Header `json:"headers"`
	// Authorization is "absent", or "present sha256:" and the first 8 bytes, in hex, of the hash of the whole value.
	Authorization string `json:"authorization"`
}

// whoami shows all headers but Authorization, which it shows only as a hash: enough to compare, useless to steal.
func whoami(r *http.Request, _ map[string]any) (string, error) {
	hostname, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("whoami: %w", err)
	}
	seen := Seen{
		Hostname: hostname, Method: r.Method, Host: r.Host, Path: r.URL.Path,
		Headers: r.Header.Clone(), Authorization: "absent",
	}
	if value := r.Header.Get("Authorization"); value != "" {
		sum := sha256.Sum256([]byte(value))
		seen.Authorization = "present sha256:" + hex.EncodeToString(sum[:8])
	}
	seen.Headers.Del("Authorization")
	data, err := json.Marshal(seen)
	return string(data), err
}

func sleep(r *http.Request, arguments map[string]any) (string, error) {
	seconds, ok := arguments["seconds"].(float64)
	if !ok || seconds < 0 || seconds > 3600 {
		return "", fmt.Errorf("sleep: seconds must be a number from 0 to 3600")
	}
	select {
	case <-r.Context().Done():
	case <-time.After(time.Duration(seconds * float64(time.Second))):
	}
	return fmt.Sprintf("slept %g s", seconds), nil
}
