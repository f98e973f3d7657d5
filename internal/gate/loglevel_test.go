package gate_test

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate"
)

// The level of the log follows the configuration, and is what it was at the start where that says nothing.
func TestLogLevelFollowsTheConfiguration(t *testing.T) {
	level := new(slog.LevelVar)
	level.Set(slog.LevelWarn)
	s := prepareSite(t, serveHTTP(t, func(http.ResponseWriter, *http.Request) {}))
	s.config.LogLevel = "debug"
	s.writeConfig()
	s.start(func(_ *site, o *gate.Options) { o.LogLevel = level })
	for _, c := range []struct {
		name string
		want slog.Level
	}{{"debug", slog.LevelDebug}, {"error", slog.LevelError}, {"", slog.LevelWarn}} {
		s.config.LogLevel = c.name
		s.writeConfig()
		s.eventually("the level is that of "+c.name, func() bool { return level.Level() == c.want })
	}
}
