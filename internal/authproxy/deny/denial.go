package deny

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/body"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/budget"
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
	Reason Reason
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
	hurried    bool   // without waiting for what the client still sends: it would cost what the denial is to save
}

// Because gives the denial a Detail.
func (d *Denial) Because(format string, args ...any) *Denial {
	d.Detail = fmt.Sprintf(format, args...)
	return d
}

// tokenMessages are the texts of Token.
var tokenMessages = map[Reason]string{
	MissingToken:         "an access token is required: send it as Authorization: Bearer",
	MalformedToken:       "the access token is not a well-formed JWT",
	UnsupportedAlgorithm: "the access token is signed with an algorithm that is not accepted here",
	UnknownKey:           "the access token is signed with a key that is not known here",
	BadSignature:         "the signature of the access token is not valid",
	Expired:              "the access token has expired: get a new one",
	NotYetValid:          "the access token is not valid yet: compare the clocks of its issuer and of this server",
	WrongAudience:        "the access token was issued for another server",
	WrongIssuer:          "the access token comes from an issuer that is not accepted here",
	WrongType:            "the token is not an access token that may be used as a bearer token",
	MissingClaim:         "the access token lacks a claim that is required here",
	Revoked:              "the access token has been revoked",
	WrongProbe:           "the access token is signed with the probe key, and is not a probe of this pod",
}

// Token refuses a token: 401 with the challenge of RFC 6750 section 3. Without credentials the challenge carries no
// error code (section 3.1).
func Token(reason Reason) *Denial {
	denial := &Denial{
		Status: http.StatusUnauthorized, Reason: reason, Message: tokenMessages[reason],
		code: invalidToken, challenge: true,
	}
	if reason == MissingToken {
		denial.code = ""
	}
	return denial
}

// TokenLivesTooLong refuses a token whose lifetime is longer than this server accepts.
func TokenLivesTooLong() *Denial {
	denial := Token(Expired)
	denial.Message = "the access token lives longer than this server accepts: get one with a shorter lifetime"
	return denial
}

// Scope refuses a good token without enough scopes: 403 with all that the operation needs in one challenge (RFC 6750
// section 3.1; MCP authorization, "Runtime Insufficient Scope Errors").
func Scope(needed []string) *Denial {
	return &Denial{
		Status: http.StatusForbidden, Reason: InsufficientScope,
		Message: "the access token lacks a scope that this operation needs: get one with the scopes of the challenge",
		code:    lowScope, challenge: true, scope: strings.Join(needed, " "), Detail: "scopes needed: " + strings.Join(needed, " "),
	}
}

// Scopes are those that a denial of Scope asks for.
func (d *Denial) Scopes() []string { return strings.Fields(d.scope) }

// Rights refuses a good token that no scope would help. Clients take a 403 without insufficient_scope for final.
func Rights() *Denial {
	return &Denial{
		Status: http.StatusForbidden, Reason: Forbidden, Message: "this caller may not do this: the rules of the server forbid it",
	}
}

// Reserved refuses a good token of a reserved subject what rules would let it have. No scope would help.
func Reserved() *Denial {
	return &Denial{
		Status: http.StatusForbidden, Reason: ReservedSubject,
		Message: "this caller may not do this: its subject is reserved for probes, which may list and do nothing",
	}
}

// Message refuses a body that gate and server could read differently; message says where.
func Message(message string) *Denial {
	return &Denial{Status: http.StatusBadRequest, Reason: BadMessage, Message: message, Detail: message}
}

// Mismatch refuses a request whose header says something else than its body.
func Mismatch(header string) *Denial {
	return &Denial{
		Status: http.StatusBadRequest, Reason: HeaderMismatch, Message: "the " + header + " header does not say what the body says",
	}
}

// Media refuses a body that is not JSON in UTF-8 as it is, where its message has to be judged.
func Media() *Denial {
	return &Denial{
		Status: http.StatusUnsupportedMediaType, Reason: UnsupportedMedia,
		Message: "the body must be application/json in UTF-8 without a content encoding: its message has to be judged",
	}
}

// Session answers for a session that is not this caller's, in the words of one that never was: the client opens
// another (MCP transports, "Session Management").
func Session() *Denial {
	return &Denial{Status: http.StatusNotFound, Reason: UnknownSession, Message: "session not found: initialize a new one"}
}

// Secretless answers while sessions cannot be bound to their callers, and so must not be had at all.
func Secretless() *Denial {
	return &Denial{
		Status: http.StatusServiceUnavailable, Reason: NoSecret, retryAfter: "5",
		Message: "sessions cannot be bound to their callers: the secret of the gate is missing or not 32 bytes long",
	}
}

// Failures answers a source from which too many bad tokens came.
func Failures() *Denial {
	return &Denial{
		Status: http.StatusTooManyRequests, Reason: TooManyFailures, retryAfter: "1", hurried: true,
		Message: "too many bad access tokens came from this address: slow down",
	}
}

// Streams answers a caller who has as many streams open as one may have.
func Streams() *Denial {
	return &Denial{
		Status: http.StatusTooManyRequests, Reason: TooManyStreams, retryAfter: "5",
		Message: "this caller has too many streams open: close one first",
	}
}

// Requests answers a caller who has as many requests in progress, or as much of their bodies, as one may have.
func Requests() *Denial {
	return &Denial{
		Status: http.StatusTooManyRequests, Reason: TooManyRequests, retryAfter: "1",
		Message: "this caller has too many requests in progress: wait for one to end",
	}
}

// Full answers while the requests of all callers are as many, or their bodies as long, as the gate has memory for.
func Full() *Denial {
	return &Denial{
		Status: http.StatusServiceUnavailable, Reason: Overloaded, retryAfter: "1",
		Message: "the gate has as many requests in progress as it has memory for: try again",
	}
}

// TwoTokens refuses a request with more than one Authorization header: gate and server could each judge another.
func TwoTokens() *Denial {
	return &Denial{
		Status: http.StatusBadRequest, Reason: AmbiguousHeader, Message: "more than one Authorization header",
		code: invalidRequest, challenge: true, Detail: "more than one Authorization header",
	}
}

// Ambiguous refuses a request with headers that gate and server could read differently, such as two where one must be.
func Ambiguous(message string) *Denial {
	return &Denial{Status: http.StatusBadRequest, Reason: AmbiguousHeader, Message: message, Detail: message}
}

// Target refuses a request target or method that gate and server could read differently.
func Target(message string) *Denial {
	return &Denial{Status: http.StatusBadRequest, Reason: BadTarget, Message: message, Detail: message}
}

// Origin refuses a page of a foreign origin (MCP transports, "Security Warning").
func Origin() *Denial {
	return &Denial{
		Status: http.StatusForbidden, Reason: WrongOrigin,
		Message: "requests from this origin are not allowed: add it to the allowed origins of the server",
	}
}

// Host refuses a name that is not this server's (RFC 9110 section 15.5.20).
func Host() *Denial {
	return &Denial{
		Status: http.StatusMisdirectedRequest, Reason: WrongHost,
		Message: "this is not a name of this server: add it to the allowed hosts of the server",
	}
}

// Path answers a request with a good token for a path that is not passed on.
func Path() *Denial {
	return &Denial{Status: http.StatusNotFound, Reason: UnknownPath, Message: "there is no MCP endpoint at this path"}
}

// Method answers a method that this path does not take; allow lists those that it does (RFC 9110 section 10.2.1).
func Method(allow string) *Denial {
	return &Denial{
		Status: http.StatusMethodNotAllowed, Reason: UnknownMethod, allow: allow,
		Message: "this path does not take this method",
	}
}

// Body refuses a body: too long, too slow, or broken. Its reason is BodyTooLarge, BodyTimeout or BadBody.
func Body(reason Reason) *Denial {
	switch reason {
	case BodyTooLarge:
		return &Denial{Status: http.StatusRequestEntityTooLarge, Reason: reason, Message: "the request body is too large: send less, or raise auth.limits.bodyBytes of the server"}
	case BodyTimeout:
		return &Denial{
			Status: http.StatusRequestTimeout, Reason: reason, hangUp: true,
			Message: "the request body arrived too slowly",
		}
	default:
		return &Denial{
			Status: http.StatusBadRequest, Reason: BadBody, hangUp: true,
			Message: "the request body could not be read",
		}
	}
}

// Unread refuses a request for this error of package body or package budget.
func Unread(err error) *Denial {
	switch {
	case errors.Is(err, body.ErrTooLarge):
		return Body(BodyTooLarge)
	case errors.Is(err, body.ErrSlow):
		return Body(BodyTimeout)
	case errors.Is(err, budget.ErrCaller):
		return Requests()
	case errors.Is(err, budget.ErrFull):
		return Full()
	default:
		return Body(BadBody)
	}
}

// Keyless answers when the keys are missing that a token would have to be checked with: nobody can enter.
func Keyless() *Denial {
	return &Denial{
		Status: http.StatusServiceUnavailable, Reason: NoKeys, retryAfter: "5",
		Message: "no key is loaded to check this token with: the server is closed until there is one",
	}
}

// Blind answers a good token while nobody knows what is revoked.
func Blind() *Denial {
	return &Denial{
		Status: http.StatusServiceUnavailable, Reason: NoRevocations, retryAfter: "5",
		Message: "the list of revoked tokens cannot be read: the server is closed until it can",
	}
}

// upstreamAnswers are the texts of Upstream.
var upstreamAnswers = map[Reason]Denial{
	UpstreamRefused: {
		Status: http.StatusBadGateway, Message: "the MCP server is not listening: it may be starting or have stopped",
	},
	UpstreamUnreachable: {
		Status: http.StatusServiceUnavailable, Message: "the MCP server could not be reached", retryAfter: "1",
	},
	UpstreamReset: {
		Status: http.StatusBadGateway, Message: "the MCP server reset the connection instead of answering",
	},
	UpstreamClosed: {
		Status: http.StatusBadGateway, Message: "the MCP server closed the connection before it had answered",
	},
	UpstreamNotHTTP: {Status: http.StatusBadGateway, Message: "the MCP server sent something that is not HTTP"},
	UpstreamUpgrade: {Status: http.StatusBadGateway, Message: "the MCP server switched to another protocol"},
	UpstreamSession: {Status: http.StatusBadGateway, Message: "the MCP server opened a session under an id that cannot be passed on"},
	UpstreamRedirect: {
		Status: http.StatusBadGateway, Message: "the MCP server redirects from its path to the same with a slash at its end: set spec.path to where it answers",
	},
	UpstreamTimeout: {Status: http.StatusGatewayTimeout, Message: "the MCP server did not answer in time"},
}

// Upstream answers in place of a server that did not. Its reason is one of the Upstream ones.
func Upstream(reason Reason) *Denial {
	denial, known := upstreamAnswers[reason]
	if !known {
		return Bug()
	}
	denial.Reason = reason
	return &denial
}

// Bug answers when the gate itself failed.
func Bug() *Denial {
	return &Denial{Status: http.StatusInternalServerError, Reason: Internal, Message: "the gate failed: see its log"}
}
