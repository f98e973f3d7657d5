package main

import (
	"bytes"
	"fmt"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/CycloneDX/cyclonedx-gomod/pkg/generate/bin"
	"github.com/CycloneDX/cyclonedx-gomod/pkg/licensedetect"
	"github.com/CycloneDX/cyclonedx-gomod/pkg/licensedetect/local"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/uuid"
	"github.com/rs/zerolog"
)

const sbomType types.MediaType = "application/vnd.cyclonedx+json"

func sbomName(program, version string, p platform) string {
	return fmt.Sprintf("%s_%s_%s.cdx.json", program, version, p)
}

// detector finds the license of a module once, for all programs that it is in.
type detector struct {
	licensedetect.Detector
	found map[string][]cyclonedx.License
}

func (d detector) Detect(path, version, dir string) ([]cyclonedx.License, error) {
	key := path + "@" + version
	if found, ok := d.found[key]; ok {
		return found, nil
	}
	found, err := d.Detector.Detect(path, version, dir)
	if err == nil {
		d.found[key] = found
	}
	return found, err
}

var licenses = detector{local.NewDetector(zerolog.Nop()), map[string][]cyclonedx.License{}}

// writeSBOM writes what a program was compiled from, as the program itself says it, and returns it.
func (r release) writeSBOM(program string, p platform) ([]byte, error) {
	generator, err := bin.NewGenerator(r.program(p, program), bin.WithLogger(zerolog.Nop()), bin.WithIncludeStdlib(true),
		bin.WithLicenseDetector(licenses), bin.WithVersionOverride(r.version))
	if err != nil {
		return nil, err
	}
	bom, err := generator.Generate()
	if err != nil {
		return nil, fmt.Errorf("SBOM of %s: %w", program, err)
	}
	name := sbomName(program, r.version, p)
	bom.Metadata.Timestamp = r.created.Format(time.RFC3339)
	bom.Metadata.Component.Name = program
	bom.Metadata.Component.Licenses = &cyclonedx.Licenses{{License: &cyclonedx.License{ID: license}}}
	// A serial number is unique to the document, and the same for the same document.
	bom.SerialNumber = uuid.NewSHA1(uuid.NameSpaceURL, []byte(repository+"/"+r.revision+"/"+name)).URN()
	var out bytes.Buffer
	if err := cyclonedx.NewBOMEncoder(&out, cyclonedx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cyclonedx.SpecVersion1_6); err != nil {
		return nil, err
	}
	return out.Bytes(), r.write(name, out.Bytes())
}
