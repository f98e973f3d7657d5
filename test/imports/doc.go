// Package imports holds the test of who may import whom. It knows the names of all packages and what none of them does.
package imports
