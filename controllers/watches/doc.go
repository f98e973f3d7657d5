// Package watches says what brings a server up in a controller: caches and their indices, events of what users bring, and the
// order of the queue.
package watches
