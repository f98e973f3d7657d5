// Package loadclient is the client that end-to-end tests run inside a cluster, where addresses of pods and Services are
// reachable: it puts single requests and keeps up a steady load, and tells exactly how each ended.
//
// It must not know what an answer ought to be; that is for the test to say.
package loadclient
