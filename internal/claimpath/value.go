package claimpath

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Holds reports whether a value of a claim, as encoding/json reads it with UseNumber, is one of those wanted, or a list
// with such an element. A string is compared byte for byte, a boolean with "true" or "false", a number by its value: 7,
// 7.0 and 70e-1 are all "7". Objects, null and lists inside of lists are none of any.
func Holds(value any, wanted []string) bool {
	if elements, isList := value.([]any); isList {
		return slices.ContainsFunc(elements, func(element any) bool { return holds(element, wanted) })
	}
	return holds(value, wanted)
}

func holds(value any, wanted []string) bool {
	switch value := value.(type) {
	case string:
		return slices.Contains(wanted, value)
	case bool:
		return slices.Contains(wanted, strconv.FormatBool(value))
	case json.Number:
		number := Number(value)
		return slices.ContainsFunc(wanted, func(text string) bool { return Number(json.Number(text)) == number })
	default:
		return false
	}
}

// maxZeros bounds the zeros that Number writes out.
const maxZeros = 30

// Number spells a JSON number in one way, whatever its spelling, and without loss: 7.0 and 70e-1 become 7. What is no
// JSON number stays as it is.
func Number(number json.Number) json.Number {
	text := string(number)
	if !isNumber(text) {
		return number
	}
	rest, negative := strings.CutPrefix(text, "-")
	mantissa, exponent := rest, 0
	if at := strings.IndexAny(rest, "eE"); at >= 0 {
		var err error
		if exponent, err = strconv.Atoi(rest[at+1:]); err != nil || exponent > 1e6 || exponent < -1e6 {
			return number
		}
		mantissa = rest[:at]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	exponent -= len(fraction)
	digits := strings.TrimLeft(whole+fraction, "0")
	short := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(short)
	if short == "" {
		return "0"
	}
	out := spell(short, exponent)
	if negative {
		out = "-" + out
	}
	return json.Number(out)
}

// spell writes digits, which neither begin nor end with 0, times ten to the exponent.
func spell(digits string, exponent int) string {
	point := len(digits) + exponent // where the decimal point is
	switch {
	case exponent >= 0 && exponent <= maxZeros:
		return digits + strings.Repeat("0", exponent)
	case exponent < 0 && point > 0:
		return digits[:point] + "." + digits[point:]
	case exponent < 0 && point > -maxZeros:
		return "0." + strings.Repeat("0", -point) + digits
	default:
		return digits + "e" + strconv.Itoa(exponent)
	}
}

func isNumber(text string) bool {
	if text == "" || text[0] != '-' && (text[0] < '0' || text[0] > '9') {
		return false
	}
	return json.Valid([]byte(text))
}
