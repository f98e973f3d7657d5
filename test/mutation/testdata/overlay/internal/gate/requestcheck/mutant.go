package requestcheck

import "os"

// mutant names what this gate leaves out.
var mutant = os.Getenv("GATEHOUSE_MUTANT")
