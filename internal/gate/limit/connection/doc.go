// Package connection bounds how many client connections wait, and closes those that may best be missed.
//
// It must not know what a request says, nor how a caller is verified.
package connection
