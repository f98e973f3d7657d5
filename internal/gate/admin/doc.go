// Package admin is the gate's second port, for the kubelet, metrics scrapers and the operator; and the operator's end of
// it, Client.
//
// Nothing on this port changes a state, and what a source can hold is bounded: the server of the pod, other pods and, during
// a port-forward, pages in a browser reach it. All answers but metrics and State are a word. State is given only to who
// proves to hold the gate's secret, and it is authenticated: the server beside the gate shares its network address and
// could otherwise, in a moment in which the gate does not listen, answer in its place. The package must not know how
// requests are judged.
package admin
