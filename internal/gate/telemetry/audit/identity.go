package audit

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/mac"
)

// Subjects turns subjects into names that can be compared, and not read back: who has the gate's secret can tell
// whether two lines are of one subject, or whether a line is of this one. The zero value names nobody.
type Subjects struct{ key mac.Key }

// NewSubjects derives its key from the gate's secret of mac.SecretBytes bytes. With another secret all names change.
func NewSubjects(secret []byte) (Subjects, error) {
	key, err := mac.New(secret, "gatehouse subject v1")
	return Subjects{key}, err
}

// Name of a provider's subject, in 22 characters; empty if there is no secret or no subject.
func (s Subjects) Name(provider, subject string) string {
	if !s.key.Valid() || subject == "" {
		return ""
	}
	const nameBytes = 16
	sum := s.key.Sum(provider, subject)
	return base64.RawURLEncoding.EncodeToString(sum[:nameBytes])
}

// RequestIDHeader names a request in everybody's logs.
const RequestIDHeader = "X-Request-Id"

// RequestID is the one that the client or a proxy before us chose, if it is one value of 1 to 128 visible ASCII
// characters; else a new one.
func RequestID(header http.Header) string {
	const longest = 128
	if values := header[RequestIDHeader]; len(values) == 1 && isPlain(values[0], longest) {
		return values[0]
	}
	return NewRequestID()
}

// NewRequestID makes one that is random.
func NewRequestID() string { return rand.Text() }
