package workload

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
)

// Change is why a Deployment's pod template is not the one that was applied last. Pods are replaced by any but Unchanged.
type Change int

const (
	// Unchanged: it is the same.
	Unchanged Change = iota
	// Asked: somebody asks for another: the spec, a restart, the operator's --readiness-gates=Off. So it is, too, where
	// nothing is known of the last one, or nothing good.
	Asked
	// Upgraded: the same spec makes another, because the operator has another version or other settings.
	Upgraded
)

// ChangeOf compares what is wanted of a server with the Deployment that it has. If it is Upgraded, held is what is wanted
// with the template that was applied last: all else of a Deployment does not replace pods.
func ChangeOf(s *v1alpha1.MCPServer, wanted *appsv1ac.DeploymentApplyConfiguration, live *appsv1.Deployment) (
	change Change, held *appsv1ac.DeploymentApplyConfiguration, err error) {
	last, err := unpack(live.Annotations[v1alpha1.AnnotationTemplate])
	if err != nil {
		return Asked, nil, nil //nolint:nilerr // somebody has spoilt the annotation, or there is none: it will be written
	}
	same, err := areSame(last, wanted.Spec.Template)
	if err != nil || same {
		return Unchanged, nil, err
	}
	if believed, err := isBelieved(s, wanted, live, last); err != nil || !believed {
		return Asked, nil, err
	}
	if locked, err := isLocked(s, last); err != nil || !locked {
		return Asked, nil, err
	}
	if isAsked(wanted, live) || dropsReadinessGate(wanted, live) {
		return Asked, nil, nil
	}
	return Upgraded, withTemplate(wanted, last, live.Annotations), nil
}

// withTemplate gives wanted with another template, and the record of that.
func withTemplate(wanted *appsv1ac.DeploymentApplyConfiguration, template *corev1ac.PodTemplateSpecApplyConfiguration,
	annotations map[string]string) *appsv1ac.DeploymentApplyConfiguration {
	held, spec, metadata := *wanted, *wanted.Spec, *wanted.ObjectMetaApplyConfiguration
	spec.Template = template
	metadata.Annotations = maps.Clone(wanted.Annotations)
	for _, name := range []string{v1alpha1.AnnotationTemplate, v1alpha1.AnnotationAsked} {
		metadata.Annotations[name] = annotations[name]
	}
	held.Spec, held.ObjectMetaApplyConfiguration = &spec, &metadata
	return &held
}

// isAsked: another generation alone may be another number of pods, and another digest alone another default of the schema.
func isAsked(wanted *appsv1ac.DeploymentApplyConfiguration, live *appsv1.Deployment) bool {
	before := strings.Fields(live.Annotations[v1alpha1.AnnotationAsked])
	now := strings.Fields(wanted.Annotations[v1alpha1.AnnotationAsked])
	if len(before) != len(now) {
		return true
	}
	return before[0] != now[0] && before[1] != now[1] || before[2] != now[2]
}

// dropsReadinessGate: that is how people overrule a prober that errs, and they must not have to wait for it.
func dropsReadinessGate(wanted *appsv1ac.DeploymentApplyConfiguration, live *appsv1.Deployment) bool {
	return slices.ContainsFunc(live.Spec.Template.Spec.ReadinessGates, podlock.IsOurGate) && len(wanted.Spec.Template.Spec.ReadinessGates) == 0
}

// isLocked: what an earlier release took for locked may not be so.
func isLocked(s *v1alpha1.MCPServer, template *corev1ac.PodTemplateSpecApplyConfiguration) (bool, error) {
	var pod corev1.PodSpec
	if err := desired.Convert(template.Spec, &pod); err != nil {
		return false, err
	}
	return len(podlock.Violations(pod, podlock.Of(s, pod))) == 0, nil
}

func areSame(a, b *corev1ac.PodTemplateSpecApplyConfiguration) (bool, error) {
	digestA, err := gateconfig.Digest(a)
	if err != nil {
		return false, err
	}
	digestB, err := gateconfig.Digest(b)
	return digestA == digestB, err
}

// record puts onto a Deployment what it was made from. A template that is too large to be put beside itself is not
// recorded, and so not held back.
func record(s *v1alpha1.MCPServer, config *appsv1ac.DeploymentApplyConfiguration) error {
	template, err := pack(config.Spec.Template)
	if err != nil {
		return err
	}
	asked, err := specDigest(s)
	if err != nil {
		return err
	}
	restart, err := gateconfig.Digest(restartOf(s, config.Spec.Template.Annotations))
	if err != nil {
		return err
	}
	config.WithAnnotations(map[string]string{
		v1alpha1.AnnotationAsked: strings.Join([]string{strconv.FormatInt(s.Generation, 10), asked, restart}, " "),
	})
	if len(template) <= gateconfig.MaxRecord {
		config.WithAnnotations(map[string]string{v1alpha1.AnnotationTemplate: template})
	}
	return nil
}

// restartOf is what asks for new pods beside the spec: the user's word, another name of what pods mount, and another secret
// that the server has read at its start.
func restartOf(s *v1alpha1.MCPServer, template map[string]string) any {
	asksFor, lent := []string{s.Annotations[v1alpha1.AnnotationRestartedAt]}, template[v1alpha1.AnnotationLentKey]
	for _, renamed := range s.Status.Renamed {
		asksFor = append(asksFor, renamed.NewName)
	}
	at := strings.Join(asksFor, " ")
	if lent == "" {
		return at
	}
	return []string{at, lent}
}

// specDigest is of all that the spec asks of each pod.
func specDigest(s *v1alpha1.MCPServer) (string, error) {
	spec := s.Spec.DeepCopy()
	spec.Replicas = nil
	return gateconfig.Digest(spec)
}
