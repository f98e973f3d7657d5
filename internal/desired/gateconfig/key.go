package gateconfig

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// A pod has the files of yours that its template mounts, and no others. A configuration that names another file would close
// its gate, so templates that mount other files read their configuration by another key of the ConfigMap.

// Key is the data key by which gates of the spec's template get their configuration.
func Key(s *v1alpha1.MCPServer) (string, error) { return KeyBy(desired.Resolve(s)) }

// KeyBy is Key, of settings.
func KeyBy(settings desired.Settings) (string, error) {
	files := broughtFiles(settings)
	if len(files) == 0 {
		return gateapi.ConfigFile, nil
	}
	sum, err := Digest(files)
	return strings.TrimSuffix(gateapi.ConfigFile, ".json") + "." + sum + ".json", err
}

// broughtFiles are the files in gateapi.KeysDir that come from Secrets of yours, sorted.
func broughtFiles(settings desired.Settings) []string {
	var files []string
	for _, ref := range settings.SecretRefs() {
		for _, key := range ref.Keys {
			files = append(files, desired.MountedFile(ref.Provider, key))
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// KeyOf is the data key by which the gate of a pod that reads a schema gets its configuration.
func KeyOf(pod corev1.PodSpec, schema int) string {
	file := gateapi.ConfigFileOf(schema)
	for _, volume := range pod.Volumes {
		if volume.Name != desired.ConfigVolume || volume.ConfigMap == nil {
			continue
		}
		for _, item := range volume.ConfigMap.Items {
			if item.Path == file {
				return item.Key
			}
		}
	}
	return file
}

// Beside lists the configurations that gates in use need besides that of the spec's template.
func Beside(s *v1alpha1.MCPServer, deployment appsv1.Deployment, replicaSets []appsv1.ReplicaSet, pods []corev1.Pod) ([]desired.OldConfig, error) {
	present, err := Key(s)
	if err != nil {
		return nil, err
	}
	var found []desired.OldConfig
	for _, template := range desired.TemplatesInUse(deployment, replicaSets, pods) {
		schema := SchemaOf(template.ObjectMeta)
		key, files := KeyOf(template.Spec, schema), filesOf(template.Spec)
		if key == present {
			continue
		}
		at := slices.IndexFunc(found, func(c desired.OldConfig) bool { return c.Key == key })
		if at < 0 {
			found = append(found, desired.OldConfig{Key: key, Schema: schema, Files: files})
			continue
		}
		found[at].Files = slices.DeleteFunc(found[at].Files, func(file string) bool { return !slices.Contains(files, file) })
	}
	slices.SortFunc(found, func(a, b desired.OldConfig) int { return strings.Compare(a.Key, b.Key) })
	return found, nil
}

// filesOf are the files that a pod mounts into gateapi.KeysDir from Secrets.
func filesOf(pod corev1.PodSpec) []string {
	var files []string
	for _, volume := range pod.Volumes {
		if volume.Name != desired.KeysVolume || volume.Projected == nil {
			continue
		}
		for _, source := range volume.Projected.Sources {
			if source.Secret == nil {
				continue
			}
			for _, item := range source.Secret.Items {
				files = append(files, item.Path)
			}
		}
	}
	return files
}

// lacking is an error that names the files of the spec that gates of this configuration do not have.
func lacking(c desired.OldConfig, settings desired.Settings) error {
	missing := slices.DeleteFunc(broughtFiles(settings), func(file string) bool { return slices.Contains(c.Files, file) })
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("do not mount %s", strings.Join(missing, ", "))
}

// HeldKeys are the files of public keys that gates read which keep their configuration for want of a file. They go on as they
// were: also where one of them starts anew.
func HeldKeys(s *v1alpha1.MCPServer, in desired.Inputs) []string {
	settings := desired.Resolve(s)
	var files []string
	for _, old := range in.OldConfigs {
		if lacking(old, settings) == nil {
			continue
		}
		config, err := gateapi.ParseConfig([]byte(in.ConfigFiles[old.Key]))
		if err != nil {
			continue // of another schema, or there is none
		}
		for _, provider := range config.Providers {
			files = append(files, provider.KeyFiles()...)
		}
	}
	return files
}
