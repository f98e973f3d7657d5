package statusreport

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// maxEvents is how many Events of a server are shown.
const maxEvents = 5

// Event is one that was sent about the server.
type Event struct {
	// Time is when it happened last.
	Time metav1.Time `json:"time"`
	// Type is Normal or Warning.
	Type    string `json:"type"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	// Count is how often it happened.
	Count int32 `json:"count"`
}

// latest gives the last Events, the newest first.
func latest(events []corev1.Event) []Event {
	var out []Event
	for _, e := range events {
		out = append(out, eventOf(e))
	}
	slices.SortStableFunc(out, func(a, b Event) int { return b.Time.Compare(a.Time.Time) })
	return out[:min(len(out), maxEvents)]
}

// eventOf reads both forms of Events: those of events.k8s.io have a time and perhaps a series, the older ones two times
// and a count.
func eventOf(e corev1.Event) Event {
	out := Event{Time: e.LastTimestamp, Type: e.Type, Reason: e.Reason, Message: strings.TrimSpace(e.Message), Count: max(e.Count, 1)}
	if out.Time.IsZero() {
		out.Time = metav1.NewTime(e.EventTime.Time)
	}
	if e.Series != nil {
		out.Time, out.Count = metav1.NewTime(e.Series.LastObservedTime.Time), max(e.Series.Count, 1)
	}
	return out
}
