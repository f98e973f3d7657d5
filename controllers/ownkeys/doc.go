// Package ownkeys reads the keys that the operator makes for a server, with the step of each that is due.
package ownkeys
