package gateconfig

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
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/exactjson"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi/schema"
)

// dispensable are the fields that gates of an older schema can do without, by the schema that brought them and in the
// spelling of package schema: they close nothing, and nobody is locked out for want of them. A field that is not here is
// never left out. Without requiresRevocations a gate believes that a list which is not there is empty; it is always there,
// unless somebody deletes it while no operator runs.
var dispensable = map[int][]string{2: {"fallbackPort", "healthPaths", "limits.requests", "requiresRevocations"}}

// stricter are values of fields of the configuration itself for which gates of an older schema can take another that lets
// less through, by the schema that brought them.
var stricter = map[int]map[string]map[string]string{
	2: {"sessionBinding": {string(gateapi.SessionBindingStateless): string(gateapi.SessionBindingCaller)}},
}

// SchemasBeside lists the schemas that gates need besides the present one: those of the templates that are in use.
func SchemasBeside(deployment appsv1.Deployment, replicaSets []appsv1.ReplicaSet, pods []corev1.Pod) []int {
	var found []int
	for _, template := range desired.TemplatesInUse(deployment, replicaSets, pods) {
		if version := SchemaOf(template.ObjectMeta); version != gateapi.Schema {
			found = append(found, version)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// SchemaOf is what the gate of a pod, or of a template, reads. Those that do not say so are of the first.
func SchemaOf(made metav1.ObjectMeta) int {
	version, err := strconv.Atoi(made.Annotations[v1alpha1.AnnotationConfigSchema])
	if err != nil || version < 1 {
		return 1
	}
	return version
}

// addOldConfigs puts the configuration beside that of the spec's template, for gates of others that are in use. What those
// cannot be told, or cannot read for want of a file, they are not told in part: they go on with the file that they have,
// whole and as it is. untold says so, for people.
func addOldConfigs(files map[string]string, present string, settings desired.Settings, in desired.Inputs) (untold []string) {
	for _, version := range in.Schemas {
		text, err := translate([]byte(present), gateapi.Schema, version, dispensable)
		untold = append(untold, addOldConfig(files, in, gateapi.ConfigFileOf(version), text, fmt.Sprintf("Gates with schema v%d", version), err)...)
	}
	for _, old := range in.OldConfigs {
		text, err := present, lacking(old, settings)
		if err == nil && old.Schema != gateapi.Schema {
			text, err = translate([]byte(present), gateapi.Schema, old.Schema, dispensable)
		}
		if err == nil || old.Schema == gateapi.Schema {
			untold = append(untold, addOldConfig(files, in, old.Key, text, "Pods of the template before", err)...)
			continue
		}
		addOldConfig(files, in, old.Key, text, "", err) // it was told of by its schema
	}
	return untold
}

// addOldConfig puts one configuration into files: the text, or what there is now if it cannot be told.
func addOldConfig(files map[string]string, in desired.Inputs, key, text, who string, err error) (untold []string) {
	if err == nil {
		files[key] = text
		return nil
	}
	delete(files, key)
	if text, found := in.ConfigFiles[key]; found {
		files[key] = text
	}
	return []string{fmt.Sprintf("%s keep the configuration that they have, as they %s.", who, err)}
}

// translate gives a configuration of one schema to gates of another. The error says what keeps these from reading it.
func translate(config []byte, from, to int, ignorable map[int][]string) (string, error) {
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
		for _, path := range ignorable[newer] {
			exactjson.LeaveOut(object, strings.Split(path, "."))
		}
		for field, values := range stricter[newer] {
			if value, isText := object[field].(string); isText && values[value] != "" {
				object[field] = values[value]
			}
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
