package remote

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"unicode"
)

// Result says how a fetch went.
type Result string

// The results of a fetch.
const (
	// Loaded: the issuer sent a set that can be used.
	Loaded Result = "loaded"
	// Unchanged: the issuer said that the set is as it was.
	Unchanged Result = "unchanged"
	// Unreachable: there was no complete HTTP answer in time.
	Unreachable Result = "unreachable"
	// Forbidden: the address or URL is one that the gate does not ask.
	Forbidden Result = "forbidden"
	// Untrusted: there are no root certificates to check the issuer with, or it did not pass.
	Untrusted Result = "untrusted"
	// BadStatus: the answer's status is not 200, nor 304 when asked for.
	BadStatus Result = "bad_status"
	// BadDocument: the answer is too long, encoded, no JSON, of another issuer, or a set without a key that can be used.
	BadDocument Result = "bad_document"
)

// failure is a fetch that brought nothing.
type failure struct {
	result Result
	err    error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func failed(result Result, format string, args ...any) *failure {
	return &failure{result, fmt.Errorf(format, args...)}
}

// resultOf is Unreachable where nothing more is known.
func resultOf(err error) Result {
	if known, ok := errors.AsType[*failure](err); ok {
		return known.result
	}
	return Unreachable
}

// unanswered says why there was no answer from target.
func unanswered(target *url.URL, err error) *failure {
	// Its text has the whole URL, with the query.
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	result := Unreachable
	switch {
	case errors.Is(err, errAddress):
		result = Forbidden
	case isTrust(err):
		result = Untrusted
	case isDialTimeout(err):
		err = fmt.Errorf("%w (does a network policy let the gate out to port %s?)", err, port(target))
	}
	return failed(result, "%s: %w", shown(target), err)
}

func isTrust(err error) bool {
	_, is := errors.AsType[*tls.CertificateVerificationError](err)
	return is
}

func isDialTimeout(err error) bool {
	attempt, ok := errors.AsType[*net.OpError](err)
	return ok && attempt.Op == "dial" && attempt.Timeout()
}

func port(target *url.URL) string {
	switch {
	case target.Port() != "":
		return target.Port()
	case target.Scheme == "http":
		return "80"
	default:
		return "443"
	}
}

// shown is what of a URL may stand in logs.
func shown(target *url.URL) string {
	return (&url.URL{Scheme: target.Scheme, Host: target.Host, Path: target.Path}).String()
}

// oneLine makes a bounded line of an error that may quote the other side.
func oneLine(err error) string {
	const longest = 300
	text := strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(err.Error(), "?"))
	if cut := []rune(text); len(cut) > longest {
		text = string(cut[:longest]) + "..."
	}
	return text
}
