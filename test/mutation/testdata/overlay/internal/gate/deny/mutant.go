package deny

import (
	"bytes"
	"net/http"
	"os"
)

// mutant names what this gate leaves out.
var mutant = os.Getenv("GATEHOUSE_MUTANT")

// unless gives the text, but to this mutant.
func unless(name, text string) string {
	if mutant == name {
		return ""
	}
	return text
}

// mutantStatus is the status of an answer.
func (d *Denial) mutantStatus() int {
	if status, wrong := map[string]int{
		"status": http.StatusForbidden, "redirect": http.StatusFound, "ok": http.StatusOK,
	}[mutant]; wrong {
		return status
	}
	return d.Status
}

// withoutID is the answer to nobody's request.
func withoutID(payload []byte) []byte {
	before, rest, _ := bytes.Cut(payload, []byte(`"id":`))
	_, after, _ := bytes.Cut(rest, []byte(`,"error"`))
	return bytes.Join([][]byte{before, after}, []byte(`"id":null,"error"`))
}
