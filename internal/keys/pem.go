package keys

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// ParsePEM reads public keys and certificates from PEM blocks (RFC 7468), one or several: "PUBLIC KEY" (PKIX), "RSA
// PUBLIC KEY" (PKCS #1) and "CERTIFICATE". The keys are Anonymous; their ID is the RFC 7638 thumbprint.
//
// Private keys, damaged blocks and all keys that ParsePublic calls faulty are left out, and named in Set.Faulty. Of certificates it takes the key and nothing else: who lists one trusts that key, so its issuer and its dates
// are not judged. Certificates that are not for signatures, and those that issued another one in the file, are in
// Set.Ignored: a chain is no list of token issuers.
func ParsePEM(data []byte) (Set, error) {
	blocks, damaged, err := pemBlocks(data)
	if err != nil {
		return Set{}, err
	}
	var c collector
	if damaged != nil {
		c.faulty = append(c.faulty, damaged.Error())
	}
	issuers := issuersAmong(blocks)
	for i, block := range blocks {
		key, err := parseBlock(block, issuers)
		c.add(fmt.Sprintf("block %d (%.40q)", i, block.Type), key, err)
	}
	return c.set()
}

const pemBegin = "-----BEGIN"

// pemBlocks returns the blocks that can be read, and in damaged what pem.Decode passes over in silence.
func pemBlocks(data []byte) (blocks []*pem.Block, damaged, err error) {
	begun := bytes.Count(data, []byte(pemBegin))
	switch {
	case begun == 0:
		return nil, nil, errors.New("not PEM: there is no line that begins with " + pemBegin)
	case begun > maxKeys:
		return nil, nil, fmt.Errorf("%d blocks are more than the %d that a file may have", begun, maxKeys)
	}
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		blocks = append(blocks, block)
	}
	if len(blocks) != begun {
		damaged = fmt.Errorf("%d of %d PEM blocks cannot be read: they are cut off or damaged", begun-len(blocks), begun)
	}
	return blocks, damaged, nil
}

func parseBlock(block *pem.Block, issuers map[*pem.Block]bool) (Public, error) {
	if strings.Contains(block.Type, "PRIVATE KEY") {
		return Public{}, errors.New("it is a private key: give public keys only, and replace this one")
	}
	var key any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		if issuers[block] {
			return Public{}, foreign("it issued another certificate of this file")
		}
		key, err = certificateKey(block.Bytes)
	default:
		return Public{}, foreign("it is neither a public key nor a certificate")
	}
	if errors.As(err, new(foreign)) {
		return Public{}, err
	}
	if err != nil {
		// The library's message can quote what it found.
		return Public{}, errors.New("its content is not what its label says, or of a kind that is not supported")
	}
	return describeKey(key, "", "")
}

func certificateKey(der []byte) (any, error) {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	if certificate.KeyUsage != 0 && certificate.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return nil, foreign("its key usage is without digitalSignature")
	}
	return certificate.PublicKey, nil
}

// issuersAmong finds the certificates that signed another one among the blocks.
func issuersAmong(blocks []*pem.Block) map[*pem.Block]bool {
	certificates := map[*pem.Block]*x509.Certificate{}
	for _, block := range blocks {
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			certificates[block] = certificate
		}
	}
	issuers := map[*pem.Block]bool{}
	for block, issuer := range certificates {
		for _, other := range certificates {
			if other.Equal(issuer) || !bytes.Equal(other.RawIssuer, issuer.RawSubject) {
				continue
			}
			if issuer.CheckSignature(other.SignatureAlgorithm, other.RawTBSCertificate, other.Signature) == nil {
				issuers[block] = true
			}
		}
	}
	return issuers
}
