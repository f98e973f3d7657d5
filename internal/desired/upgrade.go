package desired

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
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
	return slices.ContainsFunc(live.Spec.Template.Spec.ReadinessGates, isOurGate) && len(wanted.Spec.Template.Spec.ReadinessGates) == 0
}

// isLocked: the record is on an object that others may write to.
func isLocked(s *v1alpha1.MCPServer, template *corev1ac.PodTemplateSpecApplyConfiguration) (bool, error) {
	var pod corev1.PodSpec
	if err := convert(template.Spec, &pod); err != nil {
		return false, err
	}
	return len(Locked(pod, LockOf(s, pod))) == 0, nil
}

func areSame(a, b *corev1ac.PodTemplateSpecApplyConfiguration) (bool, error) {
	digestA, err := digest(a)
	if err != nil {
		return false, err
	}
	digestB, err := digest(b)
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
	restart, err := digest(s.Annotations[v1alpha1.AnnotationRestartedAt])
	if err != nil {
		return err
	}
	config.WithAnnotations(map[string]string{
		v1alpha1.AnnotationAsked: strings.Join([]string{strconv.FormatInt(s.Generation, 10), asked, restart}, " "),
	})
	if len(template) <= maxRecord {
		config.WithAnnotations(map[string]string{v1alpha1.AnnotationTemplate: template})
	}
	return nil
}

// specDigest is of all that the spec asks of each pod.
func specDigest(s *v1alpha1.MCPServer) (string, error) {
	spec := s.Spec.DeepCopy()
	spec.Replicas = nil
	return digest(spec)
}

// The API server takes 256 KiB of annotations.
const (
	maxRecord   = 64 << 10
	maxTemplate = 1 << 20
)

// pack writes a template as JSON, compressed, in base64.
func pack(template *corev1ac.PodTemplateSpecApplyConfiguration) (string, error) {
	data, err := json.Marshal(template)
	if err != nil {
		return "", fmt.Errorf("encode the pod template: %w", err)
	}
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := writer.Write(data); err != nil {
		return "", fmt.Errorf("compress the pod template: %w", err)
	}
	if err := writer.Close(); err != nil {
		return "", fmt.Errorf("compress the pod template: %w", err)
	}
	return base64.StdEncoding.EncodeToString(packed.Bytes()), nil
}

func unpack(text string) (*corev1ac.PodTemplateSpecApplyConfiguration, error) {
	reader, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)))
	if err != nil {
		return nil, fmt.Errorf("uncompress a pod template: %w", err)
	}
	template := corev1ac.PodTemplateSpec()
	if err := json.NewDecoder(io.LimitReader(reader, maxTemplate)).Decode(template); err != nil {
		return nil, fmt.Errorf("decode a pod template: %w", err)
	}
	if template.Spec == nil {
		return nil, fmt.Errorf("decode a pod template: it has no spec")
	}
	return template, nil
}

func digest(value any) (string, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encode %T: %w", value, err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8]), nil
}
