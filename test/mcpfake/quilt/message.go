package quilt

import (
	"fmt"
	"strings"
)

// Message is what the server writes to stderr before it exits: the cause stands between a banner and hints that speak of
// other things.
func (e *ConfigError) Message() string {
	rule := strings.Repeat("=", 60)
	var out strings.Builder
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(&out, format+"\n", args...) }
	line("%s\nQUILT MCP SERVER STARTUP ERROR\n%s\n", rule, rule)
	line("Error Type: Configuration Error")
	line("Details: %s", e.Error())
	if e.release != Release014 {
		line("Selected deployment: %s", e.deployment)
		line("Selected backend: %s", e.backend)
	}
	line("\nTroubleshooting:\nCheck the error message above for missing configuration.")
	if e.guidance != "" {
		line("%s", e.guidance)
	}
	if e.release != Release014 {
		line("For legacy local development, try: uvx quilt-mcp --deployment legacy")
	}
	line("\nSystem Info:\n- Python: 3.13.1\n- Platform: linux\n- Working Directory: /app\n")
	if e.release != Release014 {
		line("For more help, visit:\nhttps://github.com/quiltdata/quilt-mcp-server/issues")
	}
	line("%s", rule)
	return out.String()
}
