package metadata

import (
	"os"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// mutant names what this gate leaves out.
var mutant = os.Getenv("GATEHOUSE_MUTANT")

// resourceOf is what the document says to be about.
func resourceOf(m *gateapi.ResourceMetadata) string {
	if mutant == "metadata-other" {
		return "https://other.example/mcp"
	}
	return m.Resource
}
