package deny

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/body"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/budget"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// The error codes of RFC 6750 section 3.1.
const (
	invalidRequest = "invalid_request"
	invalidToken   = "invalid_token"
	lowScope       = "insufficient_scope"
)

// Denial is an answer that the gate gives itself. A step that lets the request pass returns a nil *Denial.
type Denial struct {
	Status int
	Reason gateapi.Reason
	// Message is for people: what is wrong and, where we know it, what to do. It is fixed text in the characters that
	// RFC 6750 section 3 allows in error_description (no quote, no backslash, ASCII), and never quotes the request.
	Message string
	// Detail is what was compared, in one line, such as "aud: 2 values, none of this server's". It names a claim, a header
	// or a path and the kind of its value; of a token it never holds a value that came from its issuer. It is for the audit
	// and for the state, and is never sent to the client. It may be empty.
	Detail string

	code       string // RFC 6750 error code; empty where the standard wants none
	scope      string // for the challenge, in place of the Site's
	challenge  bool   // with WWW-Authenticate
	retryAfter string // seconds
	allow      string // methods, for 405
	hangUp     bool   // the connection cannot be used again
	skipDrain  bool   // without waiting for what the client still sends: it would cost what the denial is to save
}

// WithDetail gives the denial a Detail.
func (d *Denial) WithDetail(format string, args ...any) *Denial {
	d.Detail = fmt.Sprintf(format, args...)
	return d
}

// tokenMessages are the texts of Token.
var tokenMessages = map[gateapi.Reason]string{
	gateapi.ReasonMissingToken:         "an access token is required: send it as Authorization: Bearer",
	gateapi.ReasonMalformedToken:       "the access token is not a well-formed JWT",
	gateapi.ReasonUnsupportedAlgorithm: "the access token is signed with an algorithm that is not accepted here",
	gateapi.ReasonUnknownKey:           "the access token is signed with a key that is not known here",
	gateapi.ReasonBadSignature:         "the signature of the access token is not valid",
	gateapi.ReasonExpired:              "the access token has expired: get a new one",
	gateapi.ReasonNotYetValid:          "the access token is not valid yet: compare the clocks of its issuer and of this server",
	gateapi.ReasonWrongAudience:        "the access token was issued for another server",
	gateapi.ReasonWrongIssuer:          "the access token comes from an issuer that is not accepted here",
	gateapi.ReasonWrongType:            "the token is not an access token that may be used as a bearer token",
	gateapi.ReasonMissingClaim:         "the access token lacks a claim that is required here",
	gateapi.ReasonRevoked:              "the access token has been revoked",
	gateapi.ReasonWrongProbe:           "the access token is signed with the probe key, and is not a probe of this pod",
}

// Token refuses a token: 401 with the challenge of RFC 6750 section 3. Without credentials the challenge carries no
// error code (section 3.1).
func Token(reason gateapi.Reason) *Denial {
	denial := &Denial{
		Status: http.StatusUnauthorized, Reason: reason, Message: tokenMessages[reason],
		code: invalidToken, challenge: true,
	}
	if reason == gateapi.ReasonMissingToken {
		denial.code = ""
	}
	return denial
}

// TokenLivesTooLong refuses a token whose lifetime is longer than this server accepts.
func TokenLivesTooLong() *Denial {
	denial := Token(gateapi.ReasonExpired)
	denial.Message = "the access token lives longer than this server accepts: get one with a shorter lifetime"
	return denial
}

// InsufficientScope refuses a good token without enough scopes: 403 with all that the operation needs in one challenge (RFC 6750
// section 3.1; MCP authorization, "Runtime Insufficient Scope Errors").
func InsufficientScope(needed []string) *Denial {
	return &Denial{
		Status: http.StatusForbidden, Reason: gateapi.ReasonInsufficientScope,
		Message: "the access token lacks a scope that this operation needs: get one with the scopes of the challenge",
		code:    lowScope, challenge: true, scope: strings.Join(needed, " "), Detail: "scopes needed: " + strings.Join(needed, " "),
	}
}

// Scopes are those that a denial of Scope asks for.
func (d *Denial) Scopes() []string { return strings.Fields(d.scope) }

// Forbidden refuses a good token that no scope would help. Clients take a 403 without insufficient_scope for final.
func Forbidden() *Denial {
	return &Denial{
		Status: http.StatusForbidden, Reason: gateapi.ReasonForbidden, Message: "this caller may not do this: the rules of the server forbid it",
	}
}

// ReservedSubject refuses a good token of a reserved subject what rules would let it have. No scope would help.
func ReservedSubject() *Denial {
	return &Denial{
		Status: http.StatusForbidden, Reason: gateapi.ReasonReservedSubject,
		Message: "this caller may not do this: its subject is reserved for probes, which may list and do nothing",
	}
}

// BadMessage refuses a body that gate and server could read differently; message says where.
func BadMessage(message string) *Denial {
	return &Denial{Status: http.StatusBadRequest, Reason: gateapi.ReasonBadMessage, Message: message, Detail: message}
}

// HeaderMismatch refuses a request whose header says something else than its body.
func HeaderMismatch(header string) *Denial {
	return &Denial{
		Status: http.StatusBadRequest, Reason: gateapi.ReasonHeaderMismatch, Message: "the " + header + " header does not say what the body says",
	}
}

// UnsupportedMedia refuses a body that is not JSON in UTF-8 as it is, where its message has to be judged.
func UnsupportedMedia() *Denial {
	return &Denial{
		Status: http.StatusUnsupportedMediaType, Reason: gateapi.ReasonUnsupportedMedia,
		Message: "the body must be application/json in UTF-8 without a content encoding: its message has to be judged",
	}
}

// UnknownSession answers for a session that is not this caller's, in the words of one that never was: the client opens
// another (MCP transports, "Session Management").
func UnknownSession() *Denial {
	return &Denial{Status: http.StatusNotFound, Reason: gateapi.ReasonUnknownSession, Message: "session not found: initialize a new one"}
}

// SecretUnavailable answers while sessions cannot be bound to their callers, and so must not be had at all.
func SecretUnavailable() *Denial {
	return &Denial{
		Status: http.StatusServiceUnavailable, Reason: gateapi.ReasonNoSecret, retryAfter: "5",
		Message: "sessions cannot be bound to their callers: the secret of the gate is missing or not 32 bytes long",
	}
}

// TooManyFailures answers a source from which too many bad tokens came.
func TooManyFailures() *Denial {
	return &Denial{
		Status: http.StatusTooManyRequests, Reason: gateapi.ReasonTooManyFailures, retryAfter: "1", skipDrain: true,
		Message: "too many bad access tokens came from this address: slow down",
	}
}

// TooManyStreams answers a caller who has as many streams open as one may have.
func TooManyStreams() *Denial {
	return &Denial{
		Status: http.StatusTooManyRequests, Reason: gateapi.ReasonTooManyStreams, retryAfter: "5",
		Message: "this caller has too many streams open: close one first",
	}
}

// TooManyRequests answers a caller who has as many requests in progress, or as much of their bodies, as one may have.
func TooManyRequests() *Denial {
	return &Denial{
		Status: http.StatusTooManyRequests, Reason: gateapi.ReasonTooManyRequests, retryAfter: "1",
		Message: "this caller has too many requests in progress: wait for one to end",
	}
}

// Overloaded answers while the requests of all callers are as many, or their bodies as long, as the gate has memory for.
func Overloaded() *Denial {
	return &Denial{
		Status: http.StatusServiceUnavailable, Reason: gateapi.ReasonOverloaded, retryAfter: "1",
		Message: "the gate has as many requests in progress as it has memory for: try again",
	}
}

// TwoTokens refuses a request with more than one Authorization header: gate and server could each judge another.
func TwoTokens() *Denial {
	return &Denial{
		Status: http.StatusBadRequest, Reason: gateapi.ReasonAmbiguousHeader, Message: "more than one Authorization header",
		code: invalidRequest, challenge: true, Detail: "more than one Authorization header",
	}
}

// AmbiguousHeader refuses a request with headers that gate and server could read differently, such as two where one must be.
func AmbiguousHeader(message string) *Denial {
	return &Denial{Status: http.StatusBadRequest, Reason: gateapi.ReasonAmbiguousHeader, Message: message, Detail: message}
}

// BadTarget refuses a request target or method that gate and server could read differently.
func BadTarget(message string) *Denial {
	return &Denial{Status: http.StatusBadRequest, Reason: gateapi.ReasonBadTarget, Message: message, Detail: message}
}

// WrongOrigin refuses a page of a foreign origin (MCP transports, "Security Warning").
func WrongOrigin() *Denial {
	return &Denial{
		Status: http.StatusForbidden, Reason: gateapi.ReasonWrongOrigin,
		Message: "requests from this origin are not allowed: add it to the allowed origins of the server",
	}
}

// WrongHost refuses a name that is not this server's (RFC 9110 section 15.5.20).
func WrongHost() *Denial {
	return &Denial{
		Status: http.StatusMisdirectedRequest, Reason: gateapi.ReasonWrongHost,
		Message: "this is not a name of this server: add it to the allowed hosts of the server",
	}
}

// UnknownPath answers a request with a good token for a path that is not passed on.
func UnknownPath() *Denial {
	return &Denial{Status: http.StatusNotFound, Reason: gateapi.ReasonUnknownPath, Message: "there is no MCP endpoint at this path"}
}

// UnknownMethod answers a method that this path does not take; allow lists those that it does (RFC 9110 section 10.2.1).
func UnknownMethod(allow string) *Denial {
	return &Denial{
		Status: http.StatusMethodNotAllowed, Reason: gateapi.ReasonUnknownMethod, allow: allow,
		Message: "this path does not take this method",
	}
}

// Body refuses a body: too long, too slow, or broken. Its reason is BodyTooLarge, BodyTimeout or BadBody.
func Body(reason gateapi.Reason) *Denial {
	switch reason {
	case gateapi.ReasonBodyTooLarge:
		return &Denial{Status: http.StatusRequestEntityTooLarge, Reason: reason, Message: "the request body is too large: send less, or raise auth.limits.bodyBytes of the server"}
	case gateapi.ReasonBodyTimeout:
		return &Denial{
			Status: http.StatusRequestTimeout, Reason: reason, hangUp: true,
			Message: "the request body arrived too slowly",
		}
	default:
		return &Denial{
			Status: http.StatusBadRequest, Reason: gateapi.ReasonBadBody, hangUp: true,
			Message: "the request body could not be read",
		}
	}
}

// BodyError refuses a request for this error of package body or package budget.
func BodyError(err error) *Denial {
	switch {
	case errors.Is(err, body.ErrTooLarge):
		return Body(gateapi.ReasonBodyTooLarge)
	case errors.Is(err, body.ErrSlow):
		return Body(gateapi.ReasonBodyTimeout)
	case errors.Is(err, budget.ErrCaller):
		return TooManyRequests()
	case errors.Is(err, budget.ErrFull):
		return Overloaded()
	default:
		return Body(gateapi.ReasonBadBody)
	}
}

// KeysUnavailable answers when the keys are missing that a token would have to be checked with: nobody can enter.
func KeysUnavailable() *Denial {
	return &Denial{
		Status: http.StatusServiceUnavailable, Reason: gateapi.ReasonNoKeys, retryAfter: "5",
		Message: "no key is loaded to check this token with: the server is closed until there is one",
	}
}

// RevocationsUnavailable answers a good token while nobody knows what is revoked.
func RevocationsUnavailable() *Denial {
	return &Denial{
		Status: http.StatusServiceUnavailable, Reason: gateapi.ReasonNoRevocations, retryAfter: "5",
		Message: "the list of revoked tokens cannot be read: the server is closed until it can",
	}
}

// upstreamAnswers are the texts of Upstream.
var upstreamAnswers = map[gateapi.Reason]Denial{
	gateapi.ReasonUpstreamRefused: {
		Status: http.StatusBadGateway, Message: "the MCP server is not listening: it may be starting or have stopped",
	},
	gateapi.ReasonUpstreamUnreachable: {
		Status: http.StatusServiceUnavailable, Message: "the MCP server could not be reached", retryAfter: "1",
	},
	gateapi.ReasonUpstreamReset: {
		Status: http.StatusBadGateway, Message: "the MCP server reset the connection instead of answering",
	},
	gateapi.ReasonUpstreamClosed: {
		Status: http.StatusBadGateway, Message: "the MCP server closed the connection before it had answered",
	},
	gateapi.ReasonUpstreamNotHTTP: {Status: http.StatusBadGateway, Message: "the MCP server sent something that is not HTTP"},
	gateapi.ReasonUpstreamUpgrade: {Status: http.StatusBadGateway, Message: "the MCP server switched to another protocol"},
	gateapi.ReasonUpstreamSession: {Status: http.StatusBadGateway, Message: "the MCP server opened a session under an id that cannot be passed on"},
	gateapi.ReasonUpstreamRedirect: {
		Status: http.StatusBadGateway, Message: "the MCP server redirects from its path to the same with a slash at its end: set spec.path to where it answers",
	},
	gateapi.ReasonUpstreamTimeout: {Status: http.StatusGatewayTimeout, Message: "the MCP server did not answer in time"},
}

// Upstream answers in place of a server that did not. Its reason is one of the Upstream ones.
func Upstream(reason gateapi.Reason) *Denial {
	denial, known := upstreamAnswers[reason]
	if !known {
		return Internal()
	}
	denial.Reason = reason
	return &denial
}

// Internal answers when the gate itself failed.
func Internal() *Denial {
	return &Denial{Status: http.StatusInternalServerError, Reason: gateapi.ReasonInternal, Message: "the gate failed: see its log"}
}
