package mcpfake

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const (
	jsonType = "application/json"
	htmlType = "text/html; charset=utf-8"
)

// refusals are the faults that refuse, each in another wrong way.
func refusals() []fault {
	const unauthorized, traced = http.StatusUnauthorized, http.StatusInternalServerError
	return []fault{
		{name: "refuse", seen: 19, when: "always", effect: "401 without a challenge, whoever asks", request: with(refuse)},
		{name: "any-bearer", seen: 13, when: "no-bearer", effect: "401 without a challenge; any bearer at all is good enough", request: with(refuse)},
		{name: "fallback", seen: 14, when: "other-scheme", effect: "401 for another scheme; who sends nothing is let in", request: with(refuse)},
		{name: "jwt", argument: "SECRET", seen: 22, when: "always", effect: "401 without a bearer, 403 for one that is no JWT, out of its time, or not signed by SECRET (HS256)", request: checkJWT},
		{name: "jwt-strict", argument: "SECRET", seen: 23, when: "always", effect: "as jwt, and 403 for any claim but id, uuid and exp", request: checkStrictJWT},
		{name: "status", argument: "NNN", seen: 18, when: "always", effect: "this HTTP status with a line of plain text", request: statusAnswer},
		{name: "wrong-origin", seen: 18, when: "always", effect: "403 that speaks of an origin, not of a token", request: page(http.StatusForbidden, "text/plain", "Invalid Origin header")},
		{name: "busy", argument: "NNN", seen: 24, when: "always", effect: "this status, such as 429 or 503, with Retry-After", request: busy},
		{name: "redirect", argument: "NNN:LOCATION", seen: 25, when: "always", effect: "this status with this Location, which may be /mcp itself or another host", request: redirect},
		{name: "refuse-html", seen: 20, when: "always", effect: "401 with an HTML page", request: page(unauthorized, htmlType, "<html><body><h1>401</h1></body></html>")},
		{name: "refuse-empty", seen: 20, when: "always", effect: "401 without a body", request: page(unauthorized, jsonType, "")},
		{name: "refuse-terse", seen: 20, when: "always", effect: "401 whose body does not say what is missing", request: page(unauthorized, jsonType, `{"error":"no"}`)},
		{name: "refuse-trace", seen: 21, when: "always", effect: "401 with 13 KB of stack trace", request: page(unauthorized, "text/plain", trace(13<<10))},
		{name: "refuse-echo", seen: 21, when: "always", effect: "401 that repeats the Authorization header in its body", request: with(echoToken)},
		{name: "error-trace", seen: 21, when: "always", effect: "500 with 13 KB of stack trace", request: page(traced, "text/plain", trace(13<<10))},
		{name: "error-json", seen: 21, when: "always", effect: "500 with a JSON body", request: page(traced, jsonType, `{"error":"internal server error"}`)},
		{name: "refuse-early", seen: 28, when: "always", effect: "401 and a close while the request's body is unread: a client that still writes meets a reset", request: with(refuseEarly)},
	}
}

// page answers with a fixed body.
func page(status int, mediaType, body string) func(string) (answerer, error) {
	return with(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func refuse(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "a bearer token is required in the Authorization header"})
}

func echoToken(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid token: " + r.Header.Get("Authorization")})
}

// refuseEarly closes without the courtesy of net/http, which reads on for a while.
func refuseEarly(w http.ResponseWriter, _ *http.Request) {
	conn := take(w)
	_, _ = io.WriteString(conn, "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
	_ = conn.Close()
}

// trace looks like what an interpreter prints of an error that nobody caught.
func trace(size int) string {
	const line = "  File \"/app/server/auth.py\", line 42, in verify\n    return decode(token, key)\n"
	return "Traceback (most recent call last):\n" + strings.Repeat(line, size/len(line)) + "KeyError: 'exp'\n"
}

func statusCode(text string) (int, error) {
	code, err := strconv.Atoi(text)
	if err != nil || code < 200 || code > 599 {
		return 0, fmt.Errorf("the status must be a number from 200 to 599")
	}
	return code, nil
}

func statusAnswer(argument string) (answerer, error) {
	code, err := statusCode(argument)
	return func(w http.ResponseWriter, _ *http.Request, _ func(int)) fate {
		http.Error(w, http.StatusText(code), code)
		return answered
	}, err
}

func busy(argument string) (answerer, error) {
	answer, err := statusAnswer(argument)
	return func(w http.ResponseWriter, r *http.Request, exit func(int)) fate {
		w.Header().Set("Retry-After", "1")
		return answer(w, r, exit)
	}, err
}

func redirect(argument string) (answerer, error) {
	code, location, found := strings.Cut(argument, ":")
	if !found || location == "" {
		return nil, fmt.Errorf("write NNN:LOCATION, such as 302:/login")
	}
	answer, err := statusAnswer(code)
	return func(w http.ResponseWriter, r *http.Request, exit func(int)) fate {
		w.Header().Set("Location", location)
		return answer(w, r, exit)
	}, err
}
