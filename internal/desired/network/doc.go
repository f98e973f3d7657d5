// Package network makes what leads to a server and what keeps others away: Service, EndpointSlices, HTTPRoute, NetworkPolicy.
package network
