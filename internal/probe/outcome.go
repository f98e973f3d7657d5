package probe

// Outcome says what came of one case. The set is closed; each is reached by the evidence stated with it.
type Outcome string

const (
	// Passed: a bad request was refused as it must be, or the positive control got its JSON-RPC result.
	Passed Outcome = "Passed"

	// Accepted: a bad request got a 2xx head, whatever followed; or the gate itself says (reason "upstream_...") that
	// it passed the request on and the server did not answer; or the server has done what the refused request asked.
	Accepted Outcome = "Accepted"
	// Rejected: the positive control got 401 or 403.
	Rejected Outcome = "Rejected"
	// WrongReason: 401 as expected, for another reason than the one thing that was wrong.
	WrongReason Outcome = "WrongReason"
	// ForeignAnswer: a bad request got an answer other than 2xx that does not bear the gate's mark: the server behind
	// an open gate refused it, or something else holds the port.
	ForeignAnswer Outcome = "ForeignAnswer"
	// MissingChallenge: 401 without exactly one Bearer challenge that has a realm and, if and only if a token was
	// presented, error="invalid_token" (RFC 6750 section 3).
	MissingChallenge Outcome = "MissingChallenge"
	// UnclearMessage: 401 whose body is no JSON-RPC error, sent as application/json with the request's id, that says
	// what is wrong.
	UnclearMessage Outcome = "UnclearMessage"
	// InformationLeak: a refusal that is as it must be and also shows a stack trace or a file path, or repeats the token.
	InformationLeak Outcome = "InformationLeak"
	// WrongStatus: a status that no other outcome stands for, such as 403 for a bad request or 404 for the positive control.
	WrongStatus Outcome = "WrongStatus"
	// NoResult: the positive control got 2xx, and no JSON-RPC result with the request's id, sent as JSON or as an event stream:
	// an error, a result that says isError, nothing, or other text.
	NoResult Outcome = "NoResult"
	// Redirect: 3xx. It is never followed.
	Redirect Outcome = "Redirect"
	// Throttled: 429, of the gate or of anything else: the case was not judged.
	Throttled Outcome = "Throttled"
	// Unavailable: 502, 503 or 504.
	Unavailable Outcome = "Unavailable"

	// Reset: the peer reset the connection (ECONNRESET, EPIPE), at any time before the answer was complete; during
	// the connection attempt too, where a reset right after accept can surface.
	Reset Outcome = "Reset"
	// ClosedWithoutAnswer: the peer took the connection and closed it in order, before the first byte.
	ClosedWithoutAnswer Outcome = "ClosedWithoutAnswer"
	// Truncated: an HTTP answer began, and the connection was closed before its end.
	Truncated Outcome = "Truncated"
	// NotHTTP: bytes came that are no HTTP/1.x answer, or break its framing.
	NotHTTP Outcome = "NotHTTP"
	// TLS: the TLS handshake failed, or a TLS record answered a plain request.
	TLS Outcome = "TLS"
	// Timeout: the connection opened, and the answer was not complete within the time limit of the case.
	Timeout Outcome = "Timeout"

	// Refused: nobody listens on the port (ECONNREFUSED).
	Refused Outcome = "Refused"
	// NoRoute: the network or the name service knows no way to the target.
	NoRoute Outcome = "NoRoute"
	// ConnectTimeout: the connection attempt was not answered within the time limit of the case.
	ConnectTimeout Outcome = "ConnectTimeout"

	// NotTried: the case was not put to the target, or the prober itself failed: no evidence of any kind.
	NotTried Outcome = "NotTried"
)

// IsAnswer reports whether an outcome is another answer than it must be, and no trouble of the connection.
func IsAnswer(outcome Outcome) bool {
	switch outcome {
	case Accepted, WrongReason, ForeignAnswer, MissingChallenge, UnclearMessage, InformationLeak, WrongStatus, NoResult, Redirect:
		return true
	default:
		return false
	}
}
