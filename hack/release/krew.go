package main

import (
	"path"

	"sigs.k8s.io/yaml"
)

const krewDescription = `Shows how MCPServers stand, rotates and revokes their keys, mints tokens, and tries the lock of any MCP
server: with no token, with malformed, expired and forged ones, and with a good one. ` + "`kubectl gatehouse probe`" + `
needs no cluster.
`

const krewCaveats = `All but probe need the operator of Gatehouse in the cluster:
` + repository + `/blob/main/docs/install.md
`

// The fields of a manifest of Krew, in their order.
type (
	krewManifest struct {
		APIVersion string   `json:"apiVersion"`
		Kind       string   `json:"kind"`
		Metadata   krewMeta `json:"metadata"`
		Spec       krewSpec `json:"spec"`
	}
	krewMeta struct {
		Name string `json:"name"`
	}
	krewSpec struct {
		Version          string         `json:"version"`
		Homepage         string         `json:"homepage"`
		ShortDescription string         `json:"shortDescription"`
		Description      string         `json:"description"`
		Caveats          string         `json:"caveats"`
		Platforms        []krewPlatform `json:"platforms"`
	}
	krewPlatform struct {
		Selector krewSelector `json:"selector"`
		URI      string       `json:"uri"`
		SHA256   string       `json:"sha256"`
		Bin      string       `json:"bin"`
	}
	krewSelector struct {
		MatchLabels map[string]string `json:"matchLabels"`
	}
)

// writeKrew writes the manifest by which Krew installs the command line as kubectl gatehouse. Krew wants the file to have the
// plugin's name.
func (r release) writeKrew() error {
	out := krewManifest{
		APIVersion: "krew.googlecontainertools.github.com/v1alpha2", Kind: "Plugin", Metadata: krewMeta{"gatehouse"},
		Spec: krewSpec{
			Version: r.version, Homepage: repository, ShortDescription: "Shows and tries the locks of MCP servers",
			Description: krewDescription, Caveats: krewCaveats,
		},
	}
	for _, p := range commandPlatforms {
		name := r.archiveName(p)
		sum, err := sha256Of(r.file(name))
		if err != nil {
			return err
		}
		out.Spec.Platforms = append(out.Spec.Platforms, krewPlatform{
			Selector: krewSelector{map[string]string{"os": p.os, "arch": p.arch}},
			URI:      repository + "/releases/download/" + r.version + "/" + name,
			SHA256:   sum,
			Bin:      path.Base(r.program(p, "gatehouse")),
		})
	}
	content, err := yaml.Marshal(out)
	if err != nil {
		return err
	}
	return r.write("gatehouse.yaml", content)
}
