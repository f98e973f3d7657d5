package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// builder says who built, and in which run.
type builder struct{ id, run string }

// builderOf reads it from the environment of a GitHub workflow; elsewhere it is a machine of the maintainers. On such a machine
// nothing tells one run from another, so that two runs give the same statement.
func builderOf(getenv func(string) string) builder {
	server, workflow := getenv("GITHUB_SERVER_URL"), getenv("GITHUB_WORKFLOW_REF")
	if getenv("GITHUB_ACTIONS") != "true" || workflow == "" {
		return builder{id: repository + "/blob/main/docs/release.md#on-a-machine-of-your-own"}
	}
	return builder{
		id: server + "/" + workflow,
		run: strings.Join([]string{
			server, getenv("GITHUB_REPOSITORY"), "actions/runs", getenv("GITHUB_RUN_ID"), "attempts", getenv("GITHUB_RUN_ATTEMPT"),
		}, "/"),
	}
}

// The statement of in-toto with a predicate of SLSA 1.0, as far as it is filled in.
type (
	statement struct {
		Type          string    `json:"_type"`
		Subject       []subject `json:"subject"`
		PredicateType string    `json:"predicateType"`
		Predicate     predicate `json:"predicate"`
	}
	subject struct {
		Name   string            `json:"name"`
		Digest map[string]string `json:"digest"`
	}
	predicate struct {
		BuildDefinition buildDefinition `json:"buildDefinition"`
		RunDetails      runDetails      `json:"runDetails"`
	}
	buildDefinition struct {
		BuildType            string            `json:"buildType"`
		ExternalParameters   map[string]string `json:"externalParameters"`
		ResolvedDependencies []dependency      `json:"resolvedDependencies"`
	}
	dependency struct {
		URI    string            `json:"uri"`
		Digest map[string]string `json:"digest"`
	}
	runDetails struct {
		Builder  builderID    `json:"builder"`
		Metadata *runMetadata `json:"metadata,omitempty"`
	}
	builderID struct {
		ID      string            `json:"id"`
		Version map[string]string `json:"version"`
	}
	runMetadata struct {
		InvocationID string `json:"invocationId"`
	}
)

// writeProvenance writes what the release was built from, by whom and how, for every file and image of it.
func (r release) writeProvenance(digests map[string]v1.Hash, chart v1.Hash) error {
	names, sums, err := r.sums()
	if err != nil {
		return err
	}
	out := statement{
		Type: "https://in-toto.io/Statement/v1", PredicateType: "https://slsa.dev/provenance/v1",
		Predicate: predicate{
			BuildDefinition: buildDefinition{
				BuildType:          repository + "/blob/main/docs/release.md#provenance",
				ExternalParameters: map[string]string{"VERSION": r.version, "REGISTRY": r.registry},
				ResolvedDependencies: []dependency{{
					URI: "git+" + repository + "@refs/tags/" + r.version, Digest: map[string]string{"gitCommit": r.revision},
				}},
			},
			RunDetails: runDetails{Builder: builderID{ID: r.builder.id, Version: map[string]string{"go": runtime.Version()}}},
		},
	}
	if r.builder.run != "" {
		out.Predicate.RunDetails.Metadata = &runMetadata{r.builder.run}
	}
	for i, name := range names {
		out.Subject = append(out.Subject, subject{name, map[string]string{"sha256": sums[i]}})
	}
	for _, image := range images {
		out.Subject = append(out.Subject, subject{r.registry + "/" + image.name, map[string]string{"sha256": digests[image.name].Hex}})
	}
	out.Subject = append(out.Subject, subject{r.registry + "/" + chartPath, map[string]string{"sha256": chart.Hex}})
	content, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	return r.write("provenance.json", append(content, '\n'))
}

// printPredicate prints the predicate of a statement, for those who put the subject to it by themselves.
func printPredicate(out io.Writer, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: release predicate provenance.json")
	}
	content, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var stated struct {
		Predicate json.RawMessage `json:"predicate"`
	}
	if err := json.Unmarshal(content, &stated); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	_, err = fmt.Fprintf(out, "%s\n", stated.Predicate)
	return err
}
