// Package keyobjects makes the Secrets and the ConfigMap with the keys of a server, and hands keys from one server to another.
package keyobjects
