// Package manifests holds tests of the files under config that a machine writes or applies. It knows no cluster.
package manifests
