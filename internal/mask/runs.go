package mask

import (
	"regexp"
	"strings"
	"unicode"
)

var (
	uuid = regexp.MustCompile(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	// cloudID is how AWS names instances, volumes and networks.
	cloudID = regexp.MustCompile(`^(?:i|vol|vpc|subnet|sg|eni|ami|snap|lt|fs|igw|nat)-[0-9a-f]{8,17}$`)
	digest  = regexp.MustCompile(`^sha(?:256:[0-9a-f]{64}|384:[0-9a-f]{96}|512:[0-9a-f]{128})$`)
	// nodeName is how GKE names nodes, after the pool.
	nodeName = regexp.MustCompile(`^[a-z][a-z-]*[a-z0-9-]*-[0-9a-f]{8}-[a-z0-9]{4}$`)
	address  = regexp.MustCompile(`^0[xX][0-9a-fA-F]{1,16}$`)
	// hash and suffix are what a ReplicaSet appends to the names of itself and of its pods (k8s.io/apimachinery's rand:
	// no vowels, and no digits that look like one).
	hash   = regexp.MustCompile(`^[bcdfghjklmnpqrstvwxz2456789]{6,10}$`)
	suffix = regexp.MustCompile(`^[bcdfghjklmnpqrstvwxz2456789]{5}$`)
)

// enough is how many characters that belong to no word make a secret of a run.
const enough = 12

// runs judges long runs of the characters of keys. A run goes over line ends, because keys do: what follows a secret at
// the beginning of a line of its own is the rest of it, if it is no word.
func runs(g []string) string {
	lines := strings.Split(g[0], "\n")
	hidden := false
	for i, line := range lines {
		switch {
		case hidden && !isPlainWord(line) && !isName(line):
			lines[i] = Placeholder
		default:
			lines[i] = run(line)
			hidden = strings.HasSuffix(lines[i], Placeholder)
		}
	}
	return strings.Join(lines, "\n")
}

// run hides what of a run is no name: from the first to the last of its parts that no word is made of.
func run(text string) string {
	if digest.MatchString(text) {
		return text
	}
	parts := split(text)
	first, last, odd := unusual(parts)
	if odd < enough {
		return text
	}
	for first > 0 && glued(parts[first-1], text) {
		first--
	}
	for last+1 < len(parts) && glued(parts[last+1], text) {
		last++
	}
	end := parts[last].at + len(parts[last].text)
	for end < len(text) && text[end] == '=' && (end+1 == len(text) || text[end+1] == '=') {
		end++
	}
	return text[:parts[first].at] + Placeholder + text[end:]
}

// unusual gives the first and the last of the parts that no word is made of, and how many characters they have.
func unusual(parts []part) (first, last, odd int) {
	first = -1
	for i := range parts {
		if parts[i].kept || isWordlike(parts[i].text) {
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
		odd += len(parts[i].text)
	}
	return first, last, odd
}

// glued: a short part beside random ones is as random as they are.
func glued(p part, text string) bool {
	const short = 4
	slash := strings.HasPrefix(text, "/")
	return !p.kept && len(p.text) <= short && !slash && p.text != strings.ToLower(p.text)
}

// isName reports whether text is made of words, as names of variables, objects and files are.
func isName(text string) bool {
	odd := 0
	for _, p := range split(text) {
		if !p.kept && !isWordlike(p.text) {
			odd += len(p.text)
		}
	}
	return odd < 5
}

// part is what stands between two separators of a run. It is kept if it is known to be no secret.
type part struct {
	text string
	at   int
	kept bool
}

func split(text string) []part {
	ids := uuid.FindAllStringIndex(text, -1)
	var parts []part
	begin := 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && (isAlphanumeric(text[i]) || text[i] >= 0x80) {
			continue
		}
		if i > begin {
			parts = append(parts, part{text: text[begin:i], at: begin, kept: within(ids, begin) || address.MatchString(text[begin:i])})
		}
		begin = i + 1
	}
	keepPodNames(text, parts)
	if cloudID.MatchString(text) {
		parts[len(parts)-1].kept = true
	}
	if n := len(parts); n > 2 && nodeName.MatchString(text) {
		parts[n-2].kept, parts[n-1].kept = true, true
	}
	return parts
}

func within(ranges [][]int, i int) bool {
	for _, r := range ranges {
		if r[0] <= i && i < r[1] {
			return true
		}
	}
	return false
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// keepPodNames: name-hash-suffix and name-hash are what a Deployment's pods and ReplicaSets are called.
func keepPodNames(text string, parts []part) {
	for i := 1; i < len(parts); i++ {
		if text[parts[i].at-1] != '-' || !hash.MatchString(parts[i].text) {
			continue
		}
		parts[i].kept = true
		if i+1 < len(parts) && text[parts[i+1].at-1] == '-' && suffix.MatchString(parts[i+1].text) {
			parts[i+1].kept = true
		}
	}
}

// isWordlike reports whether a part could be a word or a number: letters as languages use them, in few pieces.
func isWordlike(text string) bool {
	found := splitPieces(text)
	const tiny = 3
	if len(text) <= tiny {
		return true
	}
	digits := 0
	for _, piece := range found {
		if unicode.IsDigit(rune(piece[0])) {
			digits++
		}
	}
	// Words have three letters and more on average; a number belongs to the word before it.
	if halves := 2*len(found) - digits; len(found) > 1 && 2*len(text) < 3*halves {
		return false
	}
	for _, piece := range found {
		if !isWordlikePiece(piece) {
			return false
		}
	}
	return true
}

// splitPieces splits a part where letters and digits meet, and before the capital of a word.
func splitPieces(text string) []string {
	var out []string
	begin := 0
	for i := 1; i < len(text); i++ {
		before, here := rune(text[i-1]), rune(text[i])
		edge := unicode.IsDigit(before) != unicode.IsDigit(here) || unicode.IsLower(before) && unicode.IsUpper(here)
		capital := i+1 < len(text) && unicode.IsUpper(before) && unicode.IsUpper(here) && unicode.IsLower(rune(text[i+1]))
		if edge || capital {
			out = append(out, text[begin:i])
			begin = i
		}
	}
	return append(out, text[begin:])
}

func isWordlikePiece(piece string) bool {
	const longNumber, longWord = 14, 20
	if unicode.IsDigit(rune(piece[0])) {
		return len(piece) <= longNumber
	}
	if len(piece) > longWord {
		return false
	}
	vowels, row, longest := 0, 0, 0
	for _, r := range strings.ToLower(piece) {
		if strings.ContainsRune("aeiouy", r) || r >= 0x80 {
			vowels++
			row = 0
			continue
		}
		row++
		longest = max(longest, row)
	}
	const abbreviation = 5
	return len(piece) <= abbreviation || longest <= 4 && vowels*6 >= len(piece)
}
