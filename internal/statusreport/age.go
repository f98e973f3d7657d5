package statusreport

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
)

// unknownAge stands for the age of what nobody has dated.
const unknownAge = "-"

// isDated reports whether a time was set. The schema's default condition has the epoch, which is nobody's time.
func isDated(t metav1.Time) bool { return t.Unix() > 0 }

// age is how long ago something was, unknownAge where that is not known. What lies in the future, by the clock of this
// machine, is now: kubectl would write "<invalid>".
func age(then metav1.Time, now time.Time) string {
	if !isDated(then) {
		return unknownAge
	}
	return duration.HumanDuration(max(0, now.Sub(then.Time)))
}

// ago is age in a sentence.
func ago(then metav1.Time, now time.Time) string {
	if !isDated(then) {
		return "at an unknown time"
	}
	return age(then, now) + " ago"
}
