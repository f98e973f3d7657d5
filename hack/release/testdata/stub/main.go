// Command stub stands for the programs of a release in tests: small, and with a dependency for its SBOM.
package main

import "golang.org/x/mod/semver"

func main() { println(semver.IsValid("v1.2.3")) }
