// Package servicehealth judges what was observed of a server's Service: the endpoints to which it sends requests, and the answers
// at its address. It has no clients and no clock.
package servicehealth
