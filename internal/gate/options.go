package gate

import (
	"io"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/forward"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/writedeadline"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Options say where a gate finds what it needs. The zero value of each field is its default.
type Options struct {
	// ConfigDir, KeysDir, SecretDir, TLSDir and RunDir default to gateapi.ConfigDir and so on.
	ConfigDir, KeysDir, SecretDir, TLSDir, RunDir string
	// PodUID binds the State of this gate to its pod. Without it there is no /state.
	PodUID string
	// UpstreamHost is where the server listens; the default is "127.0.0.1".
	UpstreamHost string
	Version      string
	// Now is the clock that tokens are judged by; the default is time.Now.
	Now func() time.Time
	// Log gets a line per request and per change; the default is to discard them.
	Log *slog.Logger
	// LogLevel is that of Log; it follows the configuration. nil leaves it alone.
	LogLevel *slog.LevelVar
	// ClientListener, AdminListener, FallbackListener and CanaryListener are served by Run in place of the configured
	// ports. Run closes them.
	ClientListener, AdminListener, FallbackListener, CanaryListener net.Listener
	// PollInterval is how often the mounted files are read; the default is 1 s.
	PollInterval time.Duration
	// AnswerTimeout bounds the wait for a server's answer to begin; the default is forward.DefaultAnswerTimeout.
	AnswerTimeout time.Duration
	// WritePatience is how long a client may leave what it is sent unread; the default is a minute.
	WritePatience time.Duration
	// MemoryLimit is what the container may use, in bytes; 0 is no limit. What requests in progress may hold follows from
	// it; see budget.For.
	MemoryLimit int64
	// Audit gets a line of JSON per decision while Run runs; nil is nowhere.
	Audit io.Writer
	// JudgeKeyAddress refuses addresses that remote keys would be fetched from; the default is remote.JudgeAddress. No
	// configuration reaches it.
	JudgeKeyAddress func(netip.Addr) error
}

func (o Options) withDefaults() Options {
	text := func(value *string, fallback string) {
		if *value == "" {
			*value = fallback
		}
	}
	text(&o.ConfigDir, gateapi.ConfigDir)
	text(&o.KeysDir, gateapi.KeysDir)
	text(&o.SecretDir, gateapi.SecretDir)
	text(&o.TLSDir, gateapi.TLSDir)
	text(&o.RunDir, gateapi.RunDir)
	text(&o.UpstreamHost, "127.0.0.1")
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.PollInterval == 0 {
		o.PollInterval = time.Second
	}
	if o.AnswerTimeout == 0 {
		o.AnswerTimeout = forward.DefaultAnswerTimeout
	}
	if o.WritePatience == 0 {
		o.WritePatience = writedeadline.Default
	}
	return o
}
