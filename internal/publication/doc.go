// Package publication remembers what each server's gates were given to load, and says how what they have loaded stands to it.
package publication
