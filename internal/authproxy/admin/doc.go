// Package admin is the gate's second port, for the kubelet, metrics scrapers and the operator; and the operator's end of
// it, Client.
//
// All answers but one are a word. The exception, State, is told only to who proves to hold the gate's secret, and it is
// authenticated: the server beside the gate shares its network address and could otherwise, in a moment in which the
// gate does not listen, answer in its place. The package must not know how requests are judged.
package admin
