// Package forgery writes what somebody with edit rights in a namespace can write in the operator's name.
package forgery

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
)

// Record is what the operator writes of a template, but for its signature: JSON, compressed, in base64.
func Record(template corev1.PodTemplateSpec) (string, error) {
	data, err := json.Marshal(template)
	if err != nil {
		return "", err
	}
	config := corev1ac.PodTemplateSpec()
	if err := json.Unmarshal(data, config); err != nil {
		return "", err
	}
	if data, err = json.Marshal(config); err != nil {
		return "", err
	}
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := writer.Write(data); err != nil {
		return "", err
	}
	if err := writer.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(packed.Bytes()), nil
}
