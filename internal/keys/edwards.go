package keys

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// crypto/ed25519 looks at a key only when it verifies, and then takes points of small order for keys, too.

// smallOrder are the y coordinates, as keys encode them, of the points of small order on edwards25519; the last two are
// spelt as no key may be, but decode all the same. Under such a key one signature fits many messages.
var smallOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

func checkEd25519(key ed25519.PublicKey) error {
	if len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("an Ed25519 key of %d bytes: it must have %d", len(key), ed25519.PublicKeySize)
	}
	if slices.Contains(smallOrder, hex.EncodeToString(coordinate(key))) {
		return errors.New("the Ed25519 key is no key: anyone can sign for it")
	}
	return nil
}

// coordinate is y, without the sign of x that shares its last byte; little endian (RFC 8032 section 5.1.2).
func coordinate(key ed25519.PublicKey) []byte {
	y := slices.Clone(key)
	y[len(y)-1] &= 0x7f
	return y
}

// fieldPrime and curveD are p and d of edwards25519 (RFC 8032 section 5.1).
var (
	fieldPrime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	curveD     = fraction(big.NewInt(-121665), big.NewInt(121666))
)

func fraction(over, under *big.Int) *big.Int {
	quotient := new(big.Int).Mul(over, new(big.Int).ModInverse(under, fieldPrime))
	return quotient.Mod(quotient, fieldPrime)
}

// isOnCurve decodes as RFC 8032 section 5.1.3 does: y is below p, and (y²-1)/(dy²+1), which is x², has a root.
func isOnCurve(key ed25519.PublicKey) bool {
	bigEndian := coordinate(key)
	slices.Reverse(bigEndian)
	y := new(big.Int).SetBytes(bigEndian)
	if y.Cmp(fieldPrime) >= 0 {
		return false
	}
	square := new(big.Int).Mul(y, y)
	over := new(big.Int).Sub(square, big.NewInt(1))
	under := new(big.Int).Mul(square, curveD)
	under.Add(under, big.NewInt(1))
	return big.Jacobi(fraction(over, under), fieldPrime) >= 0
}
