package gate

import "github.com/mcp-gatehouse/gatehouse/internal/authproxy/surface"

// isPublic answers what is for anybody, and judges the origin of all else. It tells whether the request is answered:
// with the metadata, which pages of every origin may read; with a refusal of the origin; or with a preflight's answer.
func (v *visit) isPublic() bool {
	config := v.snapshot.Config
	if metadata := v.snapshot.Metadata; metadata.Is(v.request.URL.EscapedPath()) {
		v.answer.origins = nil // The document says itself who may read it.
		denial := metadata.Serve(v.answer, v.request)
		v.toAnybody(denial == nil)
		if denial != nil {
			v.deny(denial)
		}
		return true
	}
	if denial := surface.Origin(v.request, config); denial != nil {
		v.deny(denial)
		return true
	}
	if surface.IsPreflight(v.request, config) {
		v.answer.origins = nil
		surface.AnswerPreflight(v.answer, v.request, config)
		v.toAnybody(true)
		return true
	}
	return false
}

func (v *visit) toAnybody(answered bool) {
	if v.public = answered; answered {
		if v.gate.waiting.crowded() {
			v.body.Hurry()
		}
		v.body.Drain()
	}
}
