package authhealth

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
)

// Validity is for how long the certificate is valid that a gate shows clients; zero without TLS.
type Validity struct{ from, until time.Time }

// ValidityOf returns the validity of the certificate that a gate says it shows.
func ValidityOf(state admin.State) Validity {
	if !state.TLS {
		return Validity{}
	}
	return Validity{state.CertificateNotBefore, state.CertificateExpires}
}

func (v Validity) isExpired(now time.Time) bool { return !v.until.IsZero() && !now.Before(v.until) }

// endsSoon reports whether nobody has renewed a certificate in time: less than seven days are left, and less than a fifth of its
// lifetime, as in the alert GatehouseCertificateExpiresSoon.
func (v Validity) endsSoon(now time.Time) bool {
	const days = 7 * 24 * time.Hour
	if v.until.IsZero() {
		return false
	}
	left := v.until.Sub(now)
	return left < days && (v.from.IsZero() || left < v.until.Sub(v.from)/5)
}

// WithCertificates takes a verdict back to False where the gate of a pod shows clients a certificate that has expired: the lock holds,
// and who checks certificates cannot come in. One that is about to expire is noted. The pods keep their traffic.
func (j Judgement) WithCertificates(subjects []Subject, secret string, now time.Time) Judgement {
	var expired, soon *Subject
	pods := 0
	for i, s := range subjects {
		switch {
		case s.role() != counts:
		case s.Certificate.isExpired(now):
			if pods++; expired == nil {
				expired = &subjects[i]
			}
			if len(j.Failures) < maxFailures {
				j.Failures = append(j.Failures, v1alpha1.AuthFailure{
					Pod: s.Pod, Case: "certificate", Expected: "one that is valid", Seen: "one that expired at " + stamp(s.Certificate.until)})
			}
		case soon == nil && s.Certificate.endsSoon(now):
			soon = &subjects[i]
		}
	}
	const renew = "Renew Secret %s (gate.tls.secretRef), or see why its issuer did not; gates take the new one up by themselves."
	switch {
	case expired != nil:
		text := fmt.Sprintf("The TLS certificate that the gates of %d of %d pods show, among them %s, expired at %s: clients that check certificates do not connect. "+renew,
			pods, max(j.Pods, pods), expired.Pod, stamp(expired.Certificate.until), secret)
		if j.Status != metav1.ConditionTrue {
			j.Message += " " + text
			return j
		}
		j.Status, j.Reason, j.Message = metav1.ConditionFalse, v1alpha1.ReasonCertificateExpired, text+" The lock holds: "+j.Message
	case soon != nil:
		j.Message += fmt.Sprintf(" The TLS certificate that the gate of pod %s shows expires at %s. "+renew, soon.Pod, stamp(soon.Certificate.until), secret)
	}
	return j
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }
