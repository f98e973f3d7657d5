package authz

import (
	"strings"
	"unicode"
)

const (
	// anything stands in a likeness for what a compatibility character may become: one letter or several (Unicode Standard
	// Annex #15, NFKC).
	anything rune = -1
	// nothing is for what is left out of it.
	nothing rune = -2
)

// likenessOf is what servers may make of a name that trim, fold case, normalize, or leave out what is not seen: letters
// without case, segments between single slashes. Two names with the same likeness may be one to them.
func likenessOf(name string) []rune {
	var out []rune
	last := '/' // None is wanted in front.
	for _, c := range name {
		c = likeRune(c)
		repeats := c == last && (c == '/' || c == anything)
		if c == nothing || repeats {
			continue
		}
		out, last = append(out, c), c
	}
	if last == '/' && len(out) > 0 {
		out = out[:len(out)-1]
	}
	return out
}

func likeRune(c rune) rune {
	switch {
	case isUnseen(c):
		return nothing
	case isSlash(c):
		return '/'
	case 0xff01 <= c && c <= 0xff5e: // The fullwidth forms of ASCII.
		return least(c - 0xff01 + '!')
	case c == '\u0130' || c == '\u0131': // Simple folding leaves the Turkish letters apart; some languages' does not.
		return least('i')
	case unicode.Is(compatible, c):
		return anything
	default:
		return least(c)
	}
}

// covers reports whether a likeness may stand for a text without anything in it; with open, whether its beginning may.
func covers(like, text []rune, open bool) bool {
	// reached are the places in the text up to which what has been read of the likeness may reach.
	reached, next := make([]bool, len(text)+1), make([]bool, len(text)+1)
	reached[0] = true
	for _, c := range like {
		if open && reached[len(text)] {
			return true
		}
		clear(next)
		some := false
		for at := range reached {
			switch {
			case c == anything:
				next[at] = reached[at] || at > 0 && next[at-1]
			case at > 0:
				next[at] = reached[at-1] && text[at-1] == c
			}
			some = some || next[at]
		}
		if reached, next = next, reached; !some {
			return false
		}
	}
	return reached[len(text)]
}

// least gives equal letters for letters that are equal under simple folding.
func least(c rune) rune {
	out := c
	for next := unicode.SimpleFold(c); next != c; next = unicode.SimpleFold(next) {
		out = min(out, next)
	}
	return out
}

// isUnseen reports white space, controls, and what is not seen or only changes what is before it: marks, joiners, the byte
// order mark, fillers.
func isUnseen(c rune) bool {
	return unicode.IsSpace(c) || unicode.In(c, unicode.Cc, unicode.Cf, unicode.Mn, unicode.Me, unicode.Z, unicode.Other_Default_Ignorable_Code_Point)
}

// isSlash reports whether a letter is a slash, or becomes one.
func isSlash(c rune) bool {
	return strings.ContainsRune("/\\\u2044\u2215\u2216\u29f5\u29f8\ufe68\uff0f\uff3c", c)
}

// dots are what becomes dots.
var dots = map[rune]string{
	'\u2024': ".", '\u2025': "..", '\u2026': "...", '\u3002': ".", '\ufe19': "...", '\ufe30': "..", '\ufe52': ".", '\uff0e': ".", '\uff61': ".",
}

// compatible are the blocks whose letters normalization may turn into ASCII.
var compatible = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x00aa, Hi: 0x00ba, Stride: 1}, {Lo: 0x0132, Hi: 0x0133, Stride: 1}, {Lo: 0x013f, Hi: 0x0149, Stride: 1}, {Lo: 0x01c4, Hi: 0x01cc, Stride: 1},
		{Lo: 0x01f1, Hi: 0x01f3, Stride: 1}, {Lo: 0x02b0, Hi: 0x02ff, Stride: 1}, {Lo: 0x1d2c, Hi: 0x1dbf, Stride: 1}, {Lo: 0x2000, Hi: 0x218f, Stride: 1},
		{Lo: 0x2460, Hi: 0x24ff, Stride: 1}, {Lo: 0x2c7c, Hi: 0x2c7d, Stride: 1}, {Lo: 0x3200, Hi: 0x33ff, Stride: 1}, {Lo: 0xfb00, Hi: 0xfb06, Stride: 1},
		{Lo: 0xfe10, Hi: 0xfe6f, Stride: 1}, {Lo: 0xff00, Hi: 0xffef, Stride: 1},
	},
	R32: []unicode.Range32{{Lo: 0x1d400, Hi: 0x1d7ff, Stride: 1}, {Lo: 0x1f100, Hi: 0x1f2ff, Stride: 1}, {Lo: 0x1fbf0, Hi: 0x1fbf9, Stride: 1}},
}
