package workload

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
)

// The record of a template is on the Deployment, where others may write. Its digest is in the status of the MCPServer, where
// the operator alone does: whoever else could, could also write there that all is well.

// RecordDigest is of the record in the annotations of a Deployment.
func RecordDigest(annotations map[string]string) string {
	sum := sha256.Sum256([]byte(annotations[v1alpha1.AnnotationTemplate] + "\n" + annotations[v1alpha1.AnnotationAsked]))
	return hex.EncodeToString(sum[:])
}

// Recorded is the pod template that the operator applied last, with what the API server fills in; nil where there is no record,
// because the template is too large or an older operator has applied it. It is false where somebody else may have written the
// record, or the status is not up to it yet.
func Recorded(s *v1alpha1.MCPServer, live *appsv1.Deployment) (template *corev1.PodSpec, believed bool) {
	switch s.Status.Template {
	case "":
		return nil, true
	case RecordDigest(live.Annotations):
	default:
		return nil, false
	}
	last, err := unpack(live.Annotations[v1alpha1.AnnotationTemplate])
	if err != nil {
		return nil, true
	}
	var pod corev1.PodSpec
	if err := desired.Convert(last.Spec, &pod); err != nil {
		return nil, false
	}
	pod = Defaulted(pod)
	return &pod, true
}

// isBelieved reports whether the record is what the operator wrote. Operators up to v0.1.0-alpha.1 left no digest, and a status
// may be lost with a backup: then the record is believed if it is what that release must have made of the spec, with the gate
// that the status names.
func isBelieved(s *v1alpha1.MCPServer, wanted *appsv1ac.DeploymentApplyConfiguration, live *appsv1.Deployment,
	last *corev1ac.PodTemplateSpecApplyConfiguration) (bool, error) {
	if s.Status.Template != "" {
		return s.Status.Template == RecordDigest(live.Annotations), nil
	}
	var then, now corev1.PodTemplateSpec
	if err := desired.Convert(last, &then); err != nil {
		return false, err
	}
	if err := desired.Convert(wanted.Spec.Template, &now); err != nil {
		return false, err
	}
	return isOfFirstRelease(s.Status.GateImage, then, now), nil
}

// isOfFirstRelease reports whether v0.1.0-alpha.1 made then where this release makes now: it differs in the gate's image, hook
// and fallback port, and in which of the gate's configurations is mounted.
func isOfFirstRelease(image string, then, now corev1.PodTemplateSpec) bool {
	i, j := slices.IndexFunc(then.Spec.InitContainers, desired.IsGate), slices.IndexFunc(now.Spec.InitContainers, desired.IsGate)
	if i < 0 || j < 0 || image == "" {
		return false
	}
	was, is := &then.Spec.InitContainers[i], &now.Spec.InitContainers[j]
	if was.Image != image || gateconfig.SchemaOf(then.ObjectMeta) != 1 || was.Lifecycle == nil || !asksToTerminate(was.Lifecycle.PreStop) {
		return false
	}
	was.Image, was.Lifecycle = is.Image, is.Lifecycle
	is.Ports = slices.DeleteFunc(is.Ports, func(port corev1.ContainerPort) bool { return port.Name == desired.FallbackPortName })
	for _, volume := range now.Spec.Volumes {
		if volume.Name == desired.ConfigVolume {
			volume.ConfigMap.Items = nil
		}
	}
	delete(then.Annotations, v1alpha1.AnnotationConfigSchema)
	delete(now.Annotations, v1alpha1.AnnotationConfigSchema)
	return equality.Semantic.DeepEqual(then, now)
}

func asksToTerminate(hook *corev1.LifecycleHandler) bool {
	return hook != nil && hook.Exec == nil && hook.HTTPGet != nil && hook.HTTPGet.Path == "/terminate" && hook.HTTPGet.Host == ""
}

// maxTemplate bounds what a record is uncompressed to.
const maxTemplate = 1 << 20

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
