// Command sdkclient takes the MCP Go SDK's client through what the everything-server offers. Each step is a line: what
// came back, or how the client told that nothing did. The lines say nothing that differs from run to run.
//
//	MCP_URL    the server's endpoint
//	MCP_TOKEN  the bearer token; none is sent if it is empty
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	ok := run(ctx, os.Getenv("MCP_URL"), os.Getenv("MCP_TOKEN"), os.Stdout)
	cancel()
	if !ok {
		os.Exit(1)
	}
}

// tour is one client on its way.
type tour struct {
	out     io.Writer
	session *mcp.ClientSession

	mu       sync.Mutex
	progress []float64
}

// run is false if the client could not connect.
func run(ctx context.Context, url, token string, out io.Writer) bool {
	t := &tour{out: out}
	client := mcp.NewClient(&mcp.Implementation{Name: "gatehouse-tour", Version: "1"}, &mcp.ClientOptions{
		//nolint:staticcheck // servers of earlier revisions ask for it, and are asked here
		CreateMessageHandler: func(context.Context, *mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
			//nolint:staticcheck // as above
			return &mcp.CreateMessageResult{Model: "none", Role: "assistant", Content: &mcp.TextContent{Text: "sampled"}}, nil
		},
		ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"username": "guest", "name": "guest"}}, nil
		},
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.progress = append(t.progress, r.Params.Progress)
		},
	})
	connected := t.step("connect", func() (any, error) {
		session, err := client.Connect(ctx, &mcp.StreamableClientTransport{
			Endpoint: url, HTTPClient: &http.Client{Transport: bearer{token}},
		}, nil)
		if err != nil {
			return nil, err
		}
		t.session = session
		return session.InitializeResult(), nil
	})
	if !connected {
		return false
	}
	t.visitTools(ctx)
	t.visitRest(ctx)
	t.step("DELETE", func() (any, error) {
		hadSession := t.session.ID() != ""
		return map[string]bool{"session": hadSession}, t.session.Close()
	})
	return true
}

func (t *tour) visitTools(ctx context.Context) {
	t.step("tools/list", func() (any, error) {
		names := []string{}
		for tool, err := range t.session.Tools(ctx, nil) {
			if err != nil {
				return nil, err
			}
			names = append(names, tool.Name)
		}
		return names, nil
	})
	t.call(ctx, "test_simple_text", nil)
	t.call(ctx, "no_such_tool", nil)
	t.step("tools/call with progress", func() (any, error) {
		params := &mcp.CallToolParams{Name: "test_tool_with_progress", Arguments: map[string]any{}}
		params.SetProgressToken("tour")
		result, err := t.session.CallTool(ctx, params)
		t.mu.Lock()
		defer t.mu.Unlock()
		return []any{result, t.progress}, err
	})
	t.call(ctx, "test_sampling", map[string]any{"prompt": "say something"})
	t.call(ctx, "test_elicitation", map[string]any{"message": "who are you?"})
	t.call(ctx, "test_input_required_result_elicitation", nil)
}

func (t *tour) call(ctx context.Context, name string, arguments map[string]any) {
	if arguments == nil {
		arguments = map[string]any{}
	}
	t.step("tools/call of "+name, func() (any, error) {
		return t.session.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: arguments})
	})
}

func (t *tour) visitRest(ctx context.Context) {
	t.step("resources/list", func() (any, error) { return t.session.ListResources(ctx, nil) })
	t.step("resources/read", func() (any, error) {
		return t.session.ReadResource(ctx, &mcp.ReadResourceParams{URI: "test://static-text"})
	})
	const watched = "test://watched-resource"
	t.step("resources/subscribe", func() (any, error) {
		return "ok", t.session.Subscribe(ctx, &mcp.SubscribeParams{URI: watched})
	})
	t.step("resources/unsubscribe", func() (any, error) {
		return "ok", t.session.Unsubscribe(ctx, &mcp.UnsubscribeParams{URI: watched})
	})
	t.step("prompts/list", func() (any, error) { return t.session.ListPrompts(ctx, nil) })
	t.step("prompts/get", func() (any, error) {
		return t.session.GetPrompt(ctx, &mcp.GetPromptParams{
			Name: "test_prompt_with_arguments", Arguments: map[string]string{"arg1": "a", "arg2": "b"},
		})
	})
}

// step tells how it went, and whether well.
func (t *tour) step(name string, act func() (any, error)) bool {
	result, err := act()
	if err != nil {
		fmt.Fprintf(t.out, "%s: FAILED: %v\n", name, err)
		return false
	}
	text, err := json.Marshal(result)
	if err != nil {
		fmt.Fprintf(t.out, "%s: FAILED: %v\n", name, err)
		return false
	}
	fmt.Fprintf(t.out, "%s: %s\n", name, text)
	return true
}

// bearer sends a token with every request.
type bearer struct{ token string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.token != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	return http.DefaultTransport.RoundTrip(r)
}
