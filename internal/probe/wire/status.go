package wire

import (
	"net/http"
)

// IsSuccess reports whether a status is 2xx.
func IsSuccess(status int) bool { return status >= 200 && status < 300 }

// IsRedirect reports whether a status is 3xx.
func IsRedirect(status int) bool { return status >= 300 && status < 400 }

// IsUnavailable reports whether a status is what a proxy says in place of a server that does not answer.
func IsUnavailable(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}

// IsRefusal reports whether a status is how a token is refused.
func IsRefusal(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}
