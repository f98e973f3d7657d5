// Package names holds the test of names that shadow others. It reads the source of all modules and compiles nothing.
package names
