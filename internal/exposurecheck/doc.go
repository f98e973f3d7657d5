// Package exposurecheck finds out what else of a pod answers besides its gate, by trying to connect.
package exposurecheck
