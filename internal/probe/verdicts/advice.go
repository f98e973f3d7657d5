package verdicts

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

func inconclusiveCure(worst probe.Result) string {
	switch worst.Reason {
	case probe.ReasonNoKeys:
		return " The gate has no keys loaded: look at the key files in its container."
	case probe.ReasonNoRevocations:
		return " The gate cannot read the list of what is revoked: its log names the line."
	case probe.ReasonNoSecret:
		return " The gate lacks the secret by which it binds sessions: look at the Secret that is mounted into its container."
	default:
		return " This is no evidence for or against the gate."
	}
}

// serverCure says what to do about a server that does not answer a good request as an MCP server does.
func serverCure(r probe.Report, worst probe.Result) string {
	path := "/"
	if target, err := url.Parse(r.URL); err == nil {
		path = cmp.Or(target.EscapedPath(), path)
	}
	switch status := worst.Status; {
	case worst.Reason == "upstream_refused":
		return "Nothing listens where the server must: compare port with the one that it listens on, and see whether it has started."
	case worst.Reason == "upstream_redirect" || status/100 == 3:
		return fmt.Sprintf("The server redirects from %s: set path to where it answers, which the gate's log names.", path)
	case worst.Reason != "":
		return "The server does not answer its gate as it must: look at its log."
	case status == http.StatusNotFound || status == http.StatusGone:
		return fmt.Sprintf("The server has nothing at %s: set path to that of its MCP endpoint.", path)
	case status == http.StatusMethodNotAllowed:
		return fmt.Sprintf("The server takes no POST at %s: set path to that of its streamable HTTP endpoint. The endpoint of the older HTTP+SSE transport is none.", path)
	case status == http.StatusMisdirectedRequest:
		return "The server refuses the name by which it is called: have it allow every Host, which the gate judges before it."
	case worst.Outcome == probe.NoResult:
		return fmt.Sprintf("What answers at %s does not speak MCP over streamable HTTP: set path and port to those of the MCP server.", path)
	case worst.Outcome == probe.Timeout:
		return "The server may hang or be slow: look at its log and at its limits of CPU, and raise authProbe.timeoutSeconds if it is only slow."
	default:
		return "The fault is in the server behind the gate: look at its log."
	}
}

func rejectedCure(worst probe.Result) string {
	if worst.Reason == "" {
		return " The gate did not say this: the server behind it refuses the token, or what the gate sends in its place. " +
			"If it needs the token, set auth.forward.authorization to Forward; if it checks tokens that the gate has checked, switch that off."
	}
	if worst.Reason == probe.ReasonSignature || worst.Reason == probe.ReasonUnknownKey {
		return " Clients are locked out: compare the key that signs the tokens with those the gate has loaded."
	}
	return " Clients are locked out: compare issuer, audience and keys of the tokens with those the gate has loaded."
}

func brokenCure(worst probe.Result) string {
	switch worst.Outcome {
	case probe.Accepted:
		return " It was not let in again beside a passing control, so this is no proof of an open gate, but it must not happen: look at the gate's log."
	case probe.ForeignAnswer, probe.Unavailable:
		return " That is not the gate's own answer: it passed the request on to the server, or something else stands on the way."
	case probe.Timeout:
		return " The gate, its node or the network may be slow: look at its container, its limit of CPU and its log, and at proxies on the way; " +
			"raise authProbe.timeoutSeconds if it is only slow."
	case probe.Reset, probe.ClosedWithoutAnswer, probe.Truncated:
		return " The gate must always answer: look at its container, its restarts and its log, and at proxies on the way."
	case probe.InformationLeak:
		return " Whoever is refused learns something of the inside: mend what answers, or what stands before it."
	case probe.NotHTTP, probe.TLS, probe.Redirect:
		return " That is not the gate's answer: something else holds the port or stands on the way."
	default:
		return " The gate refuses in another way than it promises: look at its version and its log."
	}
}
