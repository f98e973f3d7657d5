package providers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	pagesDir   = "../../docs/providers"
	samplesDir = "../../config/samples/providers"
)

// page is one file of docs/providers.
type page struct {
	file, text string
	// blocks are what stands between fences, by what follows the first: "json access-token okta".
	blocks []block
}

type block struct{ info, text string }

// shape is a token as a page shows it.
type shape struct {
	Header map[string]any `json:"header"`
	Claims map[string]any `json:"claims"`
}

func readPages(t *testing.T) []*page {
	t.Helper()
	files, err := filepath.Glob(pagesDir + "/*.md")
	must(t, err)
	var pages []*page
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		p := &page{file: file, text: string(text)}
		var open *block
		for line := range strings.Lines(p.text) {
			switch info, fence := strings.CutPrefix(line, "```"); {
			case fence && open == nil:
				p.blocks = append(p.blocks, block{info: strings.TrimSpace(info)})
				open = &p.blocks[len(p.blocks)-1]
			case fence:
				open = nil
			case open != nil:
				open.text += line
			}
		}
		pages = append(pages, p)
	}
	return pages
}

// name is that of the provider: "okta" of docs/providers/okta.md.
func (p *page) name() string { return strings.TrimSuffix(filepath.Base(p.file), ".md") }

// shapes are the tokens of a kind that the page shows for a sample: blocks named "json KIND SAMPLE", where SAMPLE may be left
// out if it is the page's own.
func (p *page) shapes(t *testing.T, kind, sample string) []shape {
	t.Helper()
	var out []shape
	for _, b := range p.blocks {
		words := append(strings.Fields(b.info), p.name())
		if len(words) < 3 || words[0] != "json" || words[1] != kind || words[2] != sample {
			continue
		}
		decoder := json.NewDecoder(strings.NewReader(b.text))
		decoder.UseNumber()
		decoder.DisallowUnknownFields()
		var s shape
		if err := decoder.Decode(&s); err != nil {
			t.Fatalf("%s, %s: %v", p.file, b.info, err)
		}
		out = append(out, s)
	}
	return out
}

// samples are those that the page shows, by name.
func (p *page) samples(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, b := range p.blocks {
		if b.info != "yaml" || !strings.Contains(b.text, "kind: MCPServer") {
			continue
		}
		names = append(names, p.sampleOf(t, b))
	}
	return names
}

// sampleOf finds the file of config/samples that a block shows.
func (p *page) sampleOf(t *testing.T, b block) string {
	t.Helper()
	for _, file := range sampleFiles(t) {
		text, err := os.ReadFile(file)
		must(t, err)
		if string(text) == b.text {
			return strings.TrimSuffix(filepath.Base(file), ".yaml")
		}
	}
	t.Fatalf("%s: a manifest is not that of any file in %s:\n%s", p.file, samplesDir, b.text)
	return ""
}

func sampleFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(samplesDir + "/*.yaml")
	must(t, err)
	return files
}

// TestPagesShowTheSamples: every sample stands in one page, as it is.
func TestPagesShowTheSamples(t *testing.T) {
	shown := map[string]int{}
	for _, p := range readPages(t) {
		for _, name := range p.samples(t) {
			shown[name]++
		}
	}
	for _, file := range sampleFiles(t) {
		if name := strings.TrimSuffix(filepath.Base(file), ".yaml"); shown[name] != 1 {
			t.Errorf("%s stands in %d pages of %s", file, shown[name], pagesDir)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
