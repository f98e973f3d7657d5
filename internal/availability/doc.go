// Package availability judges whether enough pods of a server serve, and why the others do not.
package availability
