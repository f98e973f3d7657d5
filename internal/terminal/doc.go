// Package terminal has the error that only a user can mend: trying again changes nothing.
package terminal
