package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	krew "sigs.k8s.io/krew/pkg/index"
	"sigs.k8s.io/yaml"
)

// stub is a release whose programs are a small one: a release is assembled the same from any program that Go has built.
func stub(t *testing.T) release {
	t.Helper()
	self := filepath.Join(t.TempDir(), "stub")
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-o", self, "./testdata/stub").CombinedOutput(); err != nil {
		t.Fatalf("build a program: %v\n%s", err, said)
	}
	programs := t.TempDir()
	for _, p := range commandPlatforms {
		for _, name := range []string{"gatehouse", "operator", "authproxy"} {
			file := release{programs: programs}.program(p, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.Link(self, file); err != nil {
				t.Fatal(err)
			}
		}
	}
	kustomize, err := exec.CommandContext(t.Context(), "../tools/run", "--path", "kustomize").Output()
	if err != nil {
		t.Fatalf("build kustomize: %v", err)
	}
	source, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return release{
		version: "v1.2.3", revision: strings.Repeat("c0ffee00", 5), created: time.Unix(1700000000, 0).UTC(),
		registry: "registry.example.com/gatehouse", source: source, programs: programs,
		kustomize: strings.TrimSpace(string(kustomize)), builder: builderOf(func(string) string { return "" }),
	}
}

// built is one assembled release for the tests that look at it.
var built release

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "release-test-*")
	if err != nil {
		panic(err)
	}
	built.out = filepath.Join(folder, "release")
	code := m.Run()
	if err := os.RemoveAll(folder); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// assembled builds it once.
func assembled(t *testing.T) release {
	t.Helper()
	if built.version == "" {
		r := stub(t)
		r.out = built.out
		if err := r.build(context.Background()); err != nil {
			t.Fatal(err)
		}
		built = r
	}
	return built
}

func read(t *testing.T, r release, name string) string {
	t.Helper()
	content, err := os.ReadFile(r.file(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestReleaseHasTheseFiles(t *testing.T) {
	r := assembled(t)
	entries, err := os.ReadDir(r.out)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	want := []string{"checksums.txt", "crds.yaml", "gatehouse-1.2.3.tgz", "gatehouse.yaml", "images", "images.txt", "install.yaml", "operator.yaml", "provenance.json"}
	for _, p := range commandPlatforms {
		want = append(want, r.archiveName(p), sbomName("gatehouse", r.version, p))
	}
	for _, p := range imagePlatforms {
		want = append(want, sbomName("operator", r.version, p), sbomName("authproxy", r.version, p))
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the release has\n%s\nand not\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The page of releases has a row for each file.
func TestDocsNameEachFile(t *testing.T) {
	r := assembled(t)
	page, err := os.ReadFile("../../docs/release.md")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(r.out)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		for _, p := range commandPlatforms {
			name = strings.Replace(name, p.String(), "OS_ARCH", 1)
		}
		name = strings.NewReplacer(r.version, "VERSION", r.chartVersion(), "VERSION", ".zip", ".tar.gz").Replace(name)
		if strings.HasSuffix(name, ".cdx.json") {
			name = "PROGRAM_VERSION_OS_ARCH.cdx.json"
		}
		if !e.IsDir() && !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/release.md does not name %s", name)
		}
	}
}

// Two builds of one commit, in two folders, give the same bytes.
func TestBuildTwiceInTwoFolders_SameDigests(t *testing.T) {
	first := assembled(t)
	second := stub(t) // with other folders
	second.out = filepath.Join(t.TempDir(), "elsewhere")
	if err := second.build(t.Context()); err != nil {
		t.Fatal(err)
	}
	one, other := digestsOf(t, first.out), digestsOf(t, second.out)
	for name, digest := range one {
		if other[name] != digest {
			t.Errorf("%s differs", name)
		}
	}
	if !maps.Equal(one, other) || len(one) < 30 {
		t.Errorf("%d and %d files", len(one), len(other))
	}
}

func digestsOf(t *testing.T, folder string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(folder, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, file)
		if err != nil {
			return err
		}
		out[name], err = sha256Of(file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// An OCI layout names the image of both platforms by its tag, and each platform has an SBOM that refers to it.
func TestImages(t *testing.T) {
	r := assembled(t)
	for _, spec := range images {
		contents, err := layout.ImageIndexFromPath(r.file("images/" + spec.name))
		if err != nil {
			t.Fatal(err)
		}
		list, err := contents.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Manifests) != 3 || list.Manifests[0].Annotations[refName] != r.version {
			t.Fatalf("%s: the layout has %+v", spec.name, list.Manifests)
		}
		index, err := contents.ImageIndex(list.Manifests[0].Digest)
		if err != nil {
			t.Fatal(err)
		}
		manifest, err := index.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(manifest.Annotations, r.labels(spec)) {
			t.Errorf("%s: annotations %v", spec.name, manifest.Annotations)
		}
		var platforms []string
		for i, descriptor := range manifest.Manifests {
			platforms = append(platforms, descriptor.Platform.String())
			isRunAs(t, r, index, descriptor.Digest, spec)
			hasSBOM(t, contents, list.Manifests[i+1], descriptor.Digest)
		}
		if !slices.Equal(platforms, []string{"linux/amd64", "linux/arm64"}) {
			t.Errorf("%s: platforms %q", spec.name, platforms)
		}
	}
}

func isRunAs(t *testing.T, r release, index v1.ImageIndex, digest v1.Hash, spec imageSpec) {
	t.Helper()
	image, err := index.Image(digest)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != "65532:65532" || !slices.Equal(config.Config.Entrypoint, []string{"/" + spec.name}) ||
		!config.Created.Equal(r.created) || !maps.Equal(config.Config.Labels, r.labels(spec)) {
		t.Errorf("%s: configuration %+v, created %s", spec.name, config.Config, config.Created)
	}
}

func hasSBOM(t *testing.T, contents v1.ImageIndex, descriptor v1.Descriptor, of v1.Hash) {
	t.Helper()
	document, err := contents.Image(descriptor.Digest)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := document.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if manifest.ArtifactType != string(sbomType) || manifest.Subject == nil || manifest.Subject.Digest != of {
		t.Errorf("the SBOM %+v is not of %s", manifest, of)
	}
}

// Roots that a PEM file says too little about are left out, and most are there.
func TestRootCertificates(t *testing.T) {
	if count := bytes.Count(rootCertificates(), []byte("BEGIN CERTIFICATE")); count < 80 {
		t.Errorf("%d root certificates", count)
	}
}

// Every image of a file to apply is named by its digest, which is the one in the layout and in the list.
func TestManifestsAndChart_ImagesByDigest(t *testing.T) {
	r := assembled(t)
	list := strings.Fields(read(t, r, "images.txt"))
	if len(list) != 3 || !strings.HasPrefix(list[2], r.registry+"/charts/gatehouse:1.2.3@sha256:") {
		t.Fatalf("images.txt has %q", list)
	}
	for i, image := range images {
		name, digest, _ := strings.Cut(list[i], "@")
		if name != r.registry+"/"+image.name+":"+r.version {
			t.Errorf("images.txt names %s", list[i])
		}
		for _, file := range []string{"install.yaml", "operator.yaml"} {
			if pinned := r.registry + "/" + image.name + "@" + digest; strings.Count(read(t, r, file), pinned) != 1 {
				t.Errorf("%s does not have %s once", file, pinned)
			}
		}
		if _, err := os.Stat(r.file("images/" + image.name + "/blobs/sha256/" + strings.TrimPrefix(digest, "sha256:"))); err != nil {
			t.Error(err)
		}
	}
	for _, file := range []string{"install.yaml", "operator.yaml", "crds.yaml"} {
		if strings.Contains(read(t, r, file), "gatehouse.local") {
			t.Errorf("%s has an image of no registry", file)
		}
	}
	if crds := strings.Count(read(t, r, "operator.yaml"), "kind: CustomResourceDefinition"); crds != 0 {
		t.Error("to delete operator.yaml would delete all MCPServers")
	}
}

// What the repository has in place of a version, a registry and digests is replaced, each once.
func TestStamp(t *testing.T) {
	r := assembled(t)
	digests := map[string]v1.Hash{"operator": {Algorithm: "sha256", Hex: "0a"}, "authproxy": {Algorithm: "sha256", Hex: "0b"}}
	files, err := r.chartFiles(digests)
	if err != nil {
		t.Fatal(err)
	}
	text := map[string]string{}
	for _, file := range files {
		text[file.name] = string(file.content)
	}
	for file, want := range map[string]string{
		"gatehouse/Chart.yaml":         "\nversion: 1.2.3\nappVersion: v1.2.3\n",
		"gatehouse/values.yaml":        "\nregistry: registry.example.com/gatehouse\n",
		"gatehouse/files/digests.yaml": "\noperator: sha256:0a\nauthproxy: sha256:0b\n",
	} {
		if !strings.Contains(text[file], want) {
			t.Errorf("%s lacks %q:\n%s", file, want, text[file])
		}
	}
	if _, err := r.stamp("values.yaml", "image: {}\n", digests); err == nil {
		t.Error("a chart without the line that names the registry was stamped")
	}
}

// Krew's own types read the manifest, and each archive is named with its checksum and holds the program.
func TestKrewManifest(t *testing.T) {
	r := assembled(t)
	var plugin krew.Plugin
	if err := yaml.UnmarshalStrict([]byte(read(t, r, "gatehouse.yaml")), &plugin); err != nil {
		t.Fatal(err)
	}
	if short := plugin.Spec.ShortDescription; len(short) > 50 || strings.HasSuffix(short, ".") {
		t.Errorf("Krew refuses the description %q", short)
	}
	if plugin.Name != "gatehouse" || plugin.Spec.Version != r.version || len(plugin.Spec.Platforms) != len(commandPlatforms) {
		t.Errorf("%s %s for %d platforms", plugin.Name, plugin.Spec.Version, len(plugin.Spec.Platforms))
	}
	for _, p := range plugin.Spec.Platforms {
		archive := p.URI[strings.LastIndex(p.URI, "/")+1:]
		if sum, err := sha256Of(r.file(archive)); err != nil || sum != p.Sha256 {
			t.Errorf("%s: checksum %s is not %s, %v", archive, p.Sha256, sum, err)
		}
		if want := repository + "/releases/download/v1.2.3/" + archive; p.URI != want {
			t.Errorf("%s is not %s", p.URI, want)
		}
		if windows := p.Selector.MatchLabels["os"] == "windows"; windows != strings.HasSuffix(p.Bin, ".exe") {
			t.Errorf("%s holds %s", archive, p.Bin)
		}
	}
}

// Commands that the Krew manifest names are commands of the program.
func TestKrewDescriptionNamesCommands(t *testing.T) {
	found := regexp.MustCompile("`kubectl gatehouse ([a-z]+)`").FindAllStringSubmatch(krewDescription, -1)
	if len(found) == 0 {
		t.Error("the description names no command")
	}
	source := sourceOf(t, "../../cmd/gatehouse")
	for _, command := range found {
		if !regexp.MustCompile(`Use:\s+"` + command[1] + `[ "]`).MatchString(source) {
			t.Errorf("there is no command gatehouse %s", command[1])
		}
	}
}

// sourceOf is the Go code of a program and of the packages in its folder.
func sourceOf(t *testing.T, folder string) string {
	t.Helper()
	var source strings.Builder
	err := filepath.WalkDir(folder, func(file string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".go" {
			return err
		}
		text, err := os.ReadFile(file)
		source.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return source.String()
}

// sha256sum can check every file but those that vouch for the checksums.
func TestChecksumsAndProvenance(t *testing.T) {
	r := assembled(t)
	sums := digestsOf(t, r.out)
	var stated statement
	if err := json.Unmarshal([]byte(read(t, r, "provenance.json")), &stated); err != nil {
		t.Fatal(err)
	}
	provenance := map[string]string{}
	for _, s := range stated.Subject {
		provenance[s.Name] = s.Digest["sha256"]
	}
	lines := strings.Split(strings.TrimSpace(read(t, r, checksums)), "\n")
	for _, line := range lines {
		sum, name, _ := strings.Cut(line, "  ")
		if sums[name] != sum || provenance[name] != sum {
			t.Errorf("%s has %s, in the provenance %s, not %s", name, sums[name], provenance[name], sum)
		}
	}
	entries, err := os.ReadDir(r.out)
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != len(entries)-3 { // the folder of images, checksums and provenance
		t.Errorf("%d checksums of %d entries", len(lines), len(entries))
	}
	for _, image := range strings.Fields(read(t, r, "images.txt")) {
		name, digest, _ := strings.Cut(image, "@sha256:")
		if name = name[:strings.LastIndex(name, ":")]; provenance[name] != digest {
			t.Errorf("provenance of %s: %q", name, provenance[name])
		}
	}
	if got := stated.Predicate.BuildDefinition.ResolvedDependencies[0]; got.Digest["gitCommit"] != r.revision {
		t.Errorf("built from %+v", got)
	}
}

// An SBOM says which program it is of, and when it was made: with the commit.
func TestSBOM(t *testing.T) {
	r := assembled(t)
	var bom struct {
		SerialNumber string
		Metadata     struct {
			Timestamp string
			Component struct{ Name, Version string }
		}
		Components []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(read(t, r, "operator_v1.2.3_linux_arm64.cdx.json")), &bom); err != nil {
		t.Fatal(err)
	}
	if bom.Metadata.Component.Name != "operator" || bom.Metadata.Component.Version != r.version ||
		bom.Metadata.Timestamp != "2023-11-14T22:13:20Z" || !strings.HasPrefix(bom.SerialNumber, "urn:uuid:") {
		t.Errorf("%+v", bom)
	}
	names := map[string]bool{}
	for _, c := range bom.Components {
		names[c.Name] = true
	}
	if !names["std"] || !names["golang.org/x/mod"] {
		t.Errorf("components %v", names)
	}
}

func TestWrongInput_Refused(t *testing.T) {
	for name, change := range map[string]func(*release){
		`version "0.2.0"`:    func(r *release) { r.version = "0.2.0" },
		`version "v0.2"`:     func(r *release) { r.version = "v0.2" },
		`version "v0.2.0+a"`: func(r *release) { r.version = "v0.2.0+a" },
		`revision "abc"`:     func(r *release) { r.revision = "abc" },
		"time of the commit": func(r *release) { r.created = time.Unix(0, 0) },
		"want a registry":    func(r *release) { r.registry = "" },
		"is there already":   func(r *release) { r.out = "." },
	} {
		r := release{version: "v0.2.0", revision: strings.Repeat("a", 40), created: time.Unix(1, 0), registry: "r", out: "missing"}
		change(&r)
		if err := r.check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want an error of %q: %v", name, err)
		}
	}
}

// In a workflow the provenance names it, and the run.
func TestBuilder(t *testing.T) {
	environment := map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "mcp-gatehouse/gatehouse",
		"GITHUB_WORKFLOW_REF": "mcp-gatehouse/gatehouse/.github/workflows/release.yml@refs/tags/v0.2.0",
		"GITHUB_RUN_ID":       "7", "GITHUB_RUN_ATTEMPT": "2",
	}
	got := builderOf(func(name string) string { return environment[name] })
	want := builder{
		"https://github.com/mcp-gatehouse/gatehouse/.github/workflows/release.yml@refs/tags/v0.2.0",
		"https://github.com/mcp-gatehouse/gatehouse/actions/runs/7/attempts/2",
	}
	if got != want {
		t.Errorf("%+v", got)
	}
}

// What is packed is what was given, byte by byte, with no trace of the machine.
func TestTarGz_SameInput_SameDigest(t *testing.T) {
	entries := []entry{{"a", 0o644, []byte("one")}, {"b", 0o755, []byte("two")}}
	packed, err := tarGz(entries, time.Unix(1700000000, 0))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(packed)
	again, err := tarGz(entries, time.Unix(1700000000, 0).In(time.FixedZone("elsewhere", 3600)))
	if err != nil {
		t.Fatal(err)
	}
	if other := sha256.Sum256(again); sum != other {
		t.Errorf("%s and %s", hex.EncodeToString(sum[:]), fmt.Sprintf("%x", other))
	}
}
