package desired

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/schema"
)

// dispensable are the fields that gates of an older schema can do without, by the schema that brought them and in the
// spelling of package schema: they close nothing, and nobody is locked out for want of them. A field that is not here is
// never left out.
var dispensable = map[int][]string{2: {"limits.requests"}}

// SchemasBeside lists the schemas that gates need besides the present one: those of the templates from which the Deployment
// makes pods, and of the pods that there are.
func SchemasBeside(deployment appsv1.Deployment, replicaSets []appsv1.ReplicaSet, pods []corev1.Pod) []int {
	var made []metav1.ObjectMeta
	if deployment.UID != "" { // Else there is no Deployment yet.
		made = append(made, deployment.Spec.Template.ObjectMeta)
	}
	for _, set := range replicaSets {
		if !metav1.IsControlledBy(&set, &deployment) {
			continue
		}
		if set.Status.Replicas > 0 || set.Spec.Replicas == nil || *set.Spec.Replicas > 0 {
			made = append(made, set.Spec.Template.ObjectMeta)
		}
		for _, pod := range pods {
			if metav1.IsControlledBy(&pod, &set) {
				made = append(made, pod.ObjectMeta)
			}
		}
	}
	var found []int
	for _, template := range made {
		if version := schemaOf(template); version != authproxy.Schema {
			found = append(found, version)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// schemaOf is what the gate of a pod, or of a template, reads. Those that do not say so are of the first.
func schemaOf(made metav1.ObjectMeta) int {
	version, err := strconv.Atoi(made.Annotations[v1alpha1.AnnotationConfigSchema])
	if err != nil || version < 1 {
		return 1
	}
	return version
}

// addOldConfigs puts the configuration beside that of the present schema, for gates of the others that are in use. What
// those cannot be told they are not told in part: they go on with the file that they have, whole and as it is. untold
// says so, for people.
func addOldConfigs(files map[string]string, in Inputs) (untold []string) {
	present := []byte(files[authproxy.ConfigFile])
	for _, version := range in.Schemas {
		file := authproxy.ConfigFileOf(version)
		text, err := translate(present, authproxy.Schema, version, dispensable)
		if err == nil {
			files[file] = text
			continue
		}
		if text, found := in.ConfigFiles[file]; found {
			files[file] = text
		}
		untold = append(untold, fmt.Sprintf("Gates with schema v%d keep the configuration that they have, as they %s.", version, err))
	}
	return untold
}

// translate gives a configuration of one schema to gates of another. The error says what keeps these from reading it.
func translate(config []byte, from, to int, dispensable map[int][]string) (string, error) {
	if to > from {
		return "", errors.New("belong to a newer operator")
	}
	var object map[string]any
	decoder := json.NewDecoder(bytes.NewReader(config))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil {
		return "", fmt.Errorf("gate configuration: %w", err)
	}
	for newer := from; newer > to; newer-- {
		for _, path := range dispensable[newer] {
			leaveOut(object, strings.Split(path, "."))
		}
	}
	data, err := json.MarshalIndent(object, "", "  ")
	if err != nil {
		return "", fmt.Errorf("gate configuration: %w", err)
	}
	if err := schema.Reads(to, data); err != nil {
		return "", fmt.Errorf("do not know %s", strings.ReplaceAll(err.Error(), "\n", ", "))
	}
	return string(data) + "\n", nil
}

// leaveOut removes the field at a path, in every item of the lists on the way.
func leaveOut(value any, path []string) {
	object, ok := value.(map[string]any)
	if !ok {
		return
	}
	if len(path) == 1 {
		delete(object, path[0])
		return
	}
	name, isList := strings.CutSuffix(path[0], "[]")
	if !isList {
		leaveOut(object[name], path[1:])
		return
	}
	items, _ := object[name].([]any)
	for _, item := range items {
		leaveOut(item, path[1:])
	}
}
