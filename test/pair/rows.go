package pair

import (
	"slices"
	"strings"
)

// ServerSecret signs the tokens for a server that checks them itself.
const ServerSecret = "nineteen-otters-keep-88-quiet-lamps"

// Checking makes a server refuse bad tokens, with 401 or 403.
const Checking = "jwt=" + ServerSecret

// Row is a fault of mcpfake and what the prober must make of it, as "OUTCOME KIND CASE [REASON]": of the control, and of
// the round.
type Row struct {
	Fault string
	// Alone: the server stands alone and is asked as any server, not as the gate.
	Alone string
	// BadOnly: likewise, the fault befalls only requests without a token, and the server refuses the others rightly. The
	// outcome is that of the request without a token. "" where the fault has nothing to do with requests.
	BadOnly string
	// Gated: the server stands behind the gate. "" where that is not played.
	Gated string
}

// IsSilent tells that a fault makes clients wait for as long as they do.
func IsSilent(fault string) bool {
	return strings.Contains(fault, "hang") || strings.Contains(fault, "drip")
}

// Rows has a row for each fault, and more for some.
func Rows() []Row { return slices.Clone(rows) }

var rows = []Row{
	{"refuse", "Rejected ValidRejected valid", "Passed Locked valid", "Rejected ValidRejected valid"},
	{"any-bearer", "Passed Open malformed", "Passed Locked valid", "Passed Locked valid"},
	{"fallback", "Passed Open none", "", "Passed Locked valid"},
	{"jwt=another-secret", "Rejected ValidRejected valid", "", "Rejected ValidRejected valid"},
	{"jwt-strict=" + ServerSecret, "Rejected ValidRejected valid", "", "Rejected ValidRejected valid"},
	{"status=400", "WrongStatus Broken none", "WrongStatus Broken none", "WrongStatus UpstreamUnavailable valid"},
	{"status=404", "WrongStatus Broken none", "WrongStatus Broken none", "WrongStatus UpstreamUnavailable valid"},
	{"status=405", "WrongStatus Broken none", "WrongStatus Broken none", "WrongStatus UpstreamUnavailable valid"},
	{"status=406", "WrongStatus Broken none", "WrongStatus Broken none", "WrongStatus UpstreamUnavailable valid"},
	{"status=415", "WrongStatus Broken none", "WrongStatus Broken none", "WrongStatus UpstreamUnavailable valid"},
	{"status=421", "WrongStatus Broken none", "WrongStatus Broken none", "WrongStatus UpstreamUnavailable valid"},
	{"status=403", "Rejected ValidRejected valid", "", "Rejected ValidRejected valid"},
	{"status=500", "WrongStatus Broken none", "WrongStatus Broken none", "WrongStatus UpstreamUnavailable valid"},
	{"wrong-origin", "Rejected ValidRejected valid", "", "Rejected ValidRejected valid"},
	{"busy=429", "Throttled Inconclusive valid", "Throttled Inconclusive none", "Throttled Inconclusive valid"},
	{"busy=503", "Unavailable UpstreamUnavailable valid", "Unavailable Inconclusive none", "Unavailable UpstreamUnavailable valid"},
	{"redirect=302:/login", "Redirect Broken none", "Redirect Broken none", "Redirect UpstreamUnavailable valid"},
	{"redirect=307:/mcp", "Redirect Broken none", "Redirect Broken none", "Redirect UpstreamUnavailable valid"},
	{"redirect=301:https://192.0.2.1/mcp", "Redirect Broken none", "Redirect Broken none", "Redirect UpstreamUnavailable valid"},
	{"redirect=308:http://192.0.2.1/mcp", "Redirect Broken none", "Redirect Broken none", "Redirect UpstreamUnavailable valid"},
	{"refuse-html", "Rejected ValidRejected valid", "Passed Locked valid", "Rejected ValidRejected valid"},
	{"refuse-empty", "Rejected ValidRejected valid", "Passed Locked valid", "Rejected ValidRejected valid"},
	{"refuse-terse", "Rejected ValidRejected valid", "Passed Locked valid", "Rejected ValidRejected valid"},
	{"refuse-trace", "Rejected ValidRejected valid", "InformationLeak Broken none", "Rejected ValidRejected valid"},
	{"refuse-echo", "Rejected ValidRejected valid", "", "Rejected ValidRejected valid"},
	{"error-trace", "WrongStatus Broken none", "WrongStatus Broken none", "WrongStatus UpstreamUnavailable valid"},
	{"error-json", "WrongStatus Broken none", "WrongStatus Broken none", "WrongStatus UpstreamUnavailable valid"},
	{"refuse-early", "Rejected ValidRejected valid", "Passed Locked valid", "Rejected ValidRejected valid"},
	{"open", "Passed Open none", "Accepted Open none", "Passed Locked valid"},
	{"rpc-error", "NoResult Broken none", "WrongStatus Broken none", "NoResult UpstreamUnavailable valid"},
	{"tool-error", "NoResult Broken none", "WrongStatus Broken none", "NoResult UpstreamUnavailable valid"},
	{"empty", "NoResult Broken none", "Accepted Open none", "NoResult UpstreamUnavailable valid"},
	{"html", "NoResult Broken none", "Accepted Open none", "NoResult UpstreamUnavailable valid"},
	{"login-page", "NoResult Broken none", "Accepted Open none", "NoResult UpstreamUnavailable valid"},
	{"accepted", "NoResult Broken none", "Accepted Open none", "NoResult UpstreamUnavailable valid"},
	{"not-json", "NoResult Broken none", "Accepted Open none", "NoResult UpstreamUnavailable valid"},
	{"wrong-type", "NoResult Broken none", "Accepted Open none", "NoResult UpstreamUnavailable valid"},
	{"wrong-id", "NoResult Broken none", "Accepted Open none", "NoResult UpstreamUnavailable valid"},
	{"clock=5m," + Checking, "Passed ClockSkew valid", "", "Rejected ValidRejected valid"},
	{"clock=-5m," + Checking, "Passed ClockSkew valid", "", "Rejected ValidRejected valid"},
	{"reset", "Reset Broken valid", "Reset Broken none", "Unavailable UpstreamUnavailable valid upstream_reset"},
	{"reset-no-token", "Passed Open empty", "Reset Broken none", "Passed Locked valid"},
	{"reset-malformed", "Passed Open none", "", "Passed Locked valid"},
	{"eof", "ClosedWithoutAnswer Broken valid", "ClosedWithoutAnswer Broken none", "Unavailable UpstreamUnavailable valid upstream_closed"},
	{"panic", "ClosedWithoutAnswer Broken valid", "ClosedWithoutAnswer Broken none", "Unavailable UpstreamUnavailable valid upstream_closed"},
	{"hang", "Timeout Broken valid", "Timeout Broken none", "Timeout UpstreamUnavailable valid"},
	{"head-hang", "Timeout Broken valid", "Timeout Broken none", "Timeout UpstreamUnavailable valid"},
	{"body-hang", "Timeout Broken none", "Accepted Open none", "Timeout UpstreamUnavailable valid"},
	{"drip=100ms", "Timeout Broken valid", "Timeout Broken none", "Timeout UpstreamUnavailable valid"},
	{"half", "Truncated Broken none", "Accepted Open none", "Truncated UpstreamUnavailable valid"},
	{"half-chunk", "Truncated Broken none", "Accepted Open none", "Truncated UpstreamUnavailable valid"},
	{"bad-chunk", "NotHTTP Broken none", "Accepted Open none", "Truncated UpstreamUnavailable valid"},
	{"two-lengths", "NotHTTP Broken valid", "NotHTTP Broken none", "Unavailable UpstreamUnavailable valid upstream_not_http"},
	{"twice", "Rejected ValidRejected valid", "Passed Locked valid", "Rejected ValidRejected valid"},
	{"refuse-reset", "Rejected ValidRejected valid", "Passed Locked valid", "Rejected ValidRejected valid"},
	{"garbage", "NotHTTP Broken valid", "NotHTTP Broken none", "Unavailable UpstreamUnavailable valid upstream_not_http"},
	{"http09", "NotHTTP Broken valid", "NotHTTP Broken none", "Unavailable UpstreamUnavailable valid upstream_not_http"},
	{"no-continue", "Passed Open none", "", "Passed Locked valid"},
	{"huge-head", "NotHTTP Broken valid", "NotHTTP Broken none", "Unavailable UpstreamUnavailable valid upstream_not_http"},
	{"huge-body=8", "NoResult Broken none", "Accepted Open none", "NoResult UpstreamUnavailable valid"},
	{"gzip-bomb", "NoResult Broken none", "Accepted Open none", "NoResult UpstreamUnavailable valid"},
	{"endless-sse", "NoResult Broken none", "Accepted Open none", "NoResult UpstreamUnavailable valid"},
	{"endless-1xx", "NotHTTP Broken valid", "NotHTTP Broken none", "Unavailable UpstreamUnavailable valid upstream_not_http"},
	{"reset-unread", "Reset Broken valid", "", "Unavailable UpstreamUnavailable valid upstream_reset"},
	{"accept-hang", "Timeout Broken valid", "", "Timeout UpstreamUnavailable valid"},
	{"banner", "NotHTTP Broken valid", "", "Unavailable UpstreamUnavailable valid upstream_not_http"},
	{"tls", "TLS Broken valid", "", "Unavailable UpstreamUnavailable valid upstream_not_http"},
	{"h2c", "NotHTTP Broken valid", "", "Unavailable UpstreamUnavailable valid upstream_not_http"},
	{"crash", "ClosedWithoutAnswer Broken valid", "ClosedWithoutAnswer Broken none", "Unavailable UpstreamUnavailable valid upstream_closed"},
	{"crash-no-token", "Passed Broken none", "ClosedWithoutAnswer Broken none", "Passed Locked valid"},
	{"crash-malformed", "Passed Open none", "", "Passed Locked valid"},
	{"oom=1", "Passed Open none", "", "Passed Locked valid"},
	{"flap=1h", "Passed Open none", "", "Passed Locked valid"},
	{"exit-after=0s", "Refused Unreachable valid", "", "Unavailable UpstreamUnavailable valid upstream_refused"},
	{"die-after=0s", "Refused Unreachable valid", "", "Unavailable UpstreamUnavailable valid upstream_refused"},
	{"slow-start=1ms", "Passed Open none", "", "Passed Locked valid"},
	{"no-listen", "Refused Unreachable valid", "", "Unavailable UpstreamUnavailable valid upstream_refused"},
	{"exit-at-start=0", "Refused Unreachable valid", "", "Unavailable UpstreamUnavailable valid upstream_refused"},
	{"exit-at-start=1", "Refused Unreachable valid", "", "Unavailable UpstreamUnavailable valid upstream_refused"},
	{"exit-without-env=CATALOG_URL", "Refused Unreachable valid", "", "Unavailable UpstreamUnavailable valid upstream_refused"},
}
