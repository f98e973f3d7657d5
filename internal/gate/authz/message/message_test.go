package message

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"
)

func call(params string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":` + params + `}`
}

func nested(depth int) string {
	return `{"method":"x","params":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
}

func batch(size int) string {
	return "[" + strings.TrimSuffix(strings.Repeat(`{"method":"ping"},`, size), ",") + "]"
}

func manyMembers(count int) string {
	var out strings.Builder
	for i := range count {
		fmt.Fprintf(&out, `,"m%d":0`, i)
	}
	return `{"method":"x","params":{"name":"a"` + out.String() + `}}`
}

func utf16Of(text string, order func(uint16) []byte) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, order(unit)...)
	}
	return string(out)
}

func little(unit uint16) []byte { return []byte{byte(unit), byte(unit >> 8)} }
func big(unit uint16) []byte    { return []byte{byte(unit >> 8), byte(unit)} }

// hardening.md 13, line by line. What parsers are known to read differently is refused.
func TestWhatIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want Problem
	}{
		// "valid UTF-8, no BOM": Python's json.loads takes all of these.
		"UTF-16LE":        {utf16Of(call(`{}`), little), notJSON},
		"UTF-16BE":        {utf16Of(call(`{}`), big), notJSON},
		"UTF-16LE, BOM":   {"\xff\xfe" + utf16Of(call(`{}`), little), notUTF8},
		"UTF-32LE":        {utf16Of(call(`{}`), func(u uint16) []byte { return []byte{byte(u), byte(u >> 8), 0, 0} }), notJSON},
		"UTF-8 BOM":       {"\ufeff" + call(`{}`), notJSON},
		"overlong UTF-8":  {call("{\"name\":\"\xc0\xaf\"}"), notUTF8},
		"UTF-8 surrogate": {call("{\"name\":\"\xed\xa0\x80\"}"), notUTF8},
		// "one JSON value and nothing after it".
		"nothing":            {"", notJSON},
		"white space":        {" \n", notJSON},
		"two values":         {`{"method":"ping"}{"method":"x"}`, trailing},
		"two lines":          {"{\"method\":\"ping\"}\n{\"method\":\"x\"}", trailing},
		"NUL behind":         {"{\"method\":\"ping\"}\x00", trailing},
		"unfinished":         {`{"method":"ping"`, notJSON},
		"unfinished string":  {`{"method":"ping`, notJSON},
		"unfinished escape":  {`{"method":"ping\`, notJSON},
		"other white space":  {"{\"method\":\v\"ping\"}", notJSON},
		"trailing comma":     {`{"method":"ping",}`, notJSON},
		"leading comma":      {`{,"method":"ping"}`, notJSON},
		"no comma":           {`{"id":1 "method":"ping"}`, notJSON},
		"no colon":           {`{"method" "ping"}`, notJSON},
		"comma in array":     {`{"method":"x","params":[1,]}`, notJSON},
		"comment":            {`{/**/"method":"ping"}`, notJSON},
		"single quotes":      {`{'method':'ping'}`, notJSON},
		"NaN":                {`{"method":"x","params":NaN}`, notJSON},
		"Infinity":           {`{"method":"x","params":-Infinity}`, notJSON},
		"leading zero":       {`{"method":"x","params":01}`, notJSON},
		"plus":               {`{"method":"x","params":+1}`, notJSON},
		"no fraction":        {`{"method":"x","params":1.}`, notJSON},
		"no exponent":        {`{"method":"x","params":1e}`, notJSON},
		"minus":              {`{"method":"x","params":-}`, notJSON},
		"raw line end":       {"{\"method\":\"a\nb\"}", notJSON},
		"unknown escape":     {`{"method":"\x70ing"}`, notJSON},
		"short escape":       {`{"method":"\u70"}`, notJSON},
		"half literal":       {`{"method":"x","params":tru}`, notJSON},
		"mismatched":         {`{"method":"x","params":[}]`, notJSON},
		"half a pair":        {`{"method":"x","params":{"a":"\ud83d"}}`, halfPair},
		"half a pair, low":   {`{"method":"x","params":{"a":"\ude00"}}`, halfPair},
		"two high halves":    {`{"method":"x","params":{"a":"\ud83d\ud83d"}}`, halfPair},
		"half a pair, plain": {`{"method":"x","params":{"a":"\ud83dx\ude00"}}`, halfPair},
		// "depth <= 64, <= 1,000 batch elements".
		"depth 65":                        {nested(65), tooDeep},
		"depth 65 in all":                 {"[" + nested(64) + "]", tooDeep},
		"1001 messages":                   {batch(1001), tooMany},
		"many members":                    {manyMembers(2000), tooManyMembers},
		"many resources":                  {`{"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":["a"` + strings.Repeat(`,"a"`, 1000) + `]}}}`, tooManyMembers},
		"many resources of many messages": {"[" + strings.Repeat(listening(250)+",", 4) + listening(1) + "]", tooManyNames},
		"a long method":                   {`{"method":"` + strings.Repeat("x", 257) + `"}`, longMethod},
		// "exact names, duplicates refused at the envelope, in params and in _meta; escapes decoded before comparison".
		"method twice":             {`{"method":"ping","id":1,"method":"tools/call"}`, twice},
		"method twice, escaped":    {`{"method":"ping","\u006dethod":"tools/call"}`, twice},
		"params twice":             {`{"method":"tools/call","params":{"name":"a"},"params":{"name":"b"}}`, twice},
		"id twice":                 {`{"method":"ping","id":1,"id":2}`, twice},
		"unknown name twice":       {`{"method":"ping","x":1,"x":2}`, twice},
		"name twice":               {call(`{"name":"a","arguments":{},"name":"b"}`), twice},
		"name twice, escaped":      {call(`{"name":"a","n\u0061me":"b"}`), twice},
		"name twice, far apart":    {strings.Replace(manyMembers(900), `}}`, `,"m899":1}}`, 1), twice},
		"in _meta":                 {call(`{"_meta":{"a":1,"a":2}}`), twice},
		"in ref":                   {`{"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"a","name":"b"}}}`, twice},
		"in notifications":         {`{"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":[],"resourceSubscriptions":["a"]}}}`, twice},
		"surrogates equal to text": {"{\"method\":\"x\",\"\U0001F600\":1,\"\\ud83d\\ude00\":2}", twice},
		// Go folds case when it looks for a struct's field (GO-2026-4569), beside the exact name or without it.
		"METHOD beside":         {`{"method":"ping","METHOD":"tools/call"}`, lookalike},
		"METHOD alone":          {`{"METHOD":"tools/call"}`, lookalike},
		"Method, escaped":       {`{"method":"ping","\u004dethod":"tools/call"}`, lookalike},
		"long s":                {`{"method":"ping","param\u017f":{}}`, lookalike},
		"Name":                  {call(`{"name":"a","Name":"b"}`), lookalike},
		"_META":                 {call(`{"name":"a","_META":{}}`), lookalike},
		"taskid":                {`{"method":"tasks/get","params":{"taskid":"a"}}`, lookalike},
		"Kelvin sign":           {"{\"method\":\"tasks/get\",\"params\":{\"tas\u212aId\":\"a\"}}", lookalike},
		"dotless i":             {"{\"method\":\"resources/read\",\"params\":{\"ur\u0131\":\"a\"}}", lookalike},
		"dotted I":              {"{\"method\":\"ping\",\"\u0130d\":1}", lookalike},
		"Uri in ref":            {`{"method":"completion/complete","params":{"ref":{"type":"ref/resource","Uri":"a"}}}`, lookalike},
		"resourcesubscriptions": {`{"method":"subscriptions/listen","params":{"notifications":{"resourcesubscriptions":["a"]}}}`, lookalike},
		// "no NUL in names" (GO-2026-4770).
		"NUL in a name":        {`{"method":"ping","method\u0000":"tools/call"}`, controlled},
		"NUL in a params name": {call(`{"name\u0000":"a"}`), controlled},
		"NUL in the method":    {`{"method":"tools/call\u0000"}`, controlled},
		"NUL in the tool":      {call(`{"name":"a\u0000b"}`), controlled},
		"DEL in the tool":      {call("{\"name\":\"a\x7f\"}"), controlled},
		"C1 in the URI":        {`{"method":"resources/read","params":{"uri":"a\u0085"}}`, controlled},
		// What is no message.
		"number":                  {"1", notMessage},
		"string":                  {`"method"`, notMessage},
		"null":                    {"null", notMessage},
		"nested batch":            {`[[{"method":"tools/call"}]]`, notMessage},
		"number in a batch":       {`[{"method":"ping"},1]`, notMessage},
		"second of a batch":       {`[{"method":"ping"},{"method":"a","method":"b"}]`, twice},
		"empty object":            {"{}", noKind},
		"method and result":       {`{"id":1,"result":{},"method":"tools/call"}`, bothKinds},
		"method is a number":      {`{"method":1}`, badMethod},
		"method is null":          {`{"method":null,"id":1}`, badMethod},
		"method is empty":         {`{"method":""}`, badMethod},
		"id is an object":         {`{"method":"ping","id":{}}`, badID},
		"id is true":              {`{"method":"ping","id":true}`, badID},
		"tool is a number":        {call(`{"name":5}`), badName},
		"tool is a list":          {call(`{"name":["a"]}`), badName},
		"URI is null":             {`{"method":"resources/read","params":{"uri":null}}`, badName},
		"subscription to numbers": {`{"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":[1]}}}`, badName},
		"completion of nothing":   {`{"method":"completion/complete","params":{}}`, badReference},
		"completion of both":      {`{"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"a","uri":"b"}}}`, badReference},
		"completion of a thing":   {`{"method":"completion/complete","params":{"ref":{"type":"ref/tool","name":"a"}}}`, badReference},
	} {
		document, err := Parse([]byte(c.body))
		var got Problem
		if !errors.As(err, &got) || got != c.want || len(document.Messages) != 0 {
			t.Errorf("%s: got %v, %v; want %q", name, document, err, c.want)
		}
	}
}

func TestWhatIsRead(t *testing.T) {
	for body, want := range map[string]Message{
		call(`{"name":"a","arguments":{"name":"b","name":"c","Name":1,"\u0000":"\ud83d\ude00"}}`): {Kind: Request, Method: "tools/call", Target: Tool, Name: "a", ID: []byte("1")},
		" {\t\"params\":\r\n{\"name\":\"a\"},\"method\":\"tools\\/call\"} ":                       {Kind: Notification, Method: "tools/call", Target: Tool, Name: "a"},
		`{"method":"t\u006fols/c\u0061ll","params":{"n\u0061me":"\u00e4\"\\\/\ud83d\ude00"}}`:     {Kind: Notification, Method: "tools/call", Target: Tool, Name: "ä\"\\/😀"},
		call(`[]`):   {Kind: Request, Method: "tools/call", Target: Tool, ID: []byte("1")},
		call(`{}`):   {Kind: Request, Method: "tools/call", Target: Tool, ID: []byte("1")},
		call(`null`): {Kind: Request, Method: "tools/call", Target: Tool, ID: []byte("1")},
		`{"method":"prompts/get","id":"a\"b","params":{"name":"p"}}`:                                                               {Kind: Request, Method: "prompts/get", Target: Prompt, Name: "p", ID: []byte(`"a\"b"`)},
		`{"method":"resources/subscribe","id":null,"params":{"uri":"file:///ä","name":"x"}}`:                                       {Kind: Request, Method: "resources/subscribe", Target: Resource, Name: "file:///ä", ID: []byte("null")},
		`{"method":"tasks/get","id":-1.5e+3,"params":{"taskId":"t"}}`:                                                              {Kind: Request, Method: "tasks/get", Target: Task, Name: "t", ID: []byte("-1.5e+3")},
		`{"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"p","title":1},"argument":{}}}`:               {Kind: Notification, Method: "completion/complete", Target: Prompt, Name: "p"},
		`{"method":"completion/complete","params":{"ref":{"uri":"file:///{x}","type":"ref/resource"}}}`:                            {Kind: Notification, Method: "completion/complete", Target: Resource, Name: "file:///{x}"},
		`{"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true,"resourceSubscriptions":["a","b"]}}}`: {Kind: Notification, Method: "subscriptions/listen", Target: Resource, URIs: []string{"a", "b"}},
		`{"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":"a"}}}`:                               {Kind: Notification, Method: "subscriptions/listen", Target: Resource, URIs: []string{"a"}},
		`{"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":null}}}`:                              {Kind: Notification, Method: "subscriptions/listen", Target: Resource},
		`{"method":"acme/do","params":{"name":5,"uri":{},"ref":"x","notifications":true,"_meta":[]}}`:                              {Kind: Notification, Method: "acme/do"},
		`{"id":1,"result":{"name":"a","name":"b"},"jsonrpc":"2.0"}`:                                                                {Kind: Response, ID: []byte("1")},
		`{"method":"acme/do","params":{"uri":"a","x":1}}`:                                                                          {Kind: Notification, Method: "acme/do", Name: "a"},
		`{"id":1,"error":{"code":-1}}`: {Kind: Response, ID: []byte("1")},
	} {
		got, err := Parse([]byte(body))
		if err != nil || got.Batch || !reflect.DeepEqual(got.Messages, []Message{want}) {
			t.Errorf("%s:\ngot  %+v, %v\nwant %+v", body, got, err, want)
		}
	}
}

func TestBounds(t *testing.T) {
	for name, body := range map[string]string{"depth 64": nested(64), "1000 messages": batch(1000), "1000 members": manyMembers(999), "empty": " [ ] "} {
		document, err := Parse([]byte(body))
		if err != nil || document.Batch != (body[0] != '{') {
			t.Errorf("%s: got %v", name, err)
		}
	}
	document, err := Parse([]byte(`[{"method":"ping"},{"id":1,"result":1}]`))
	if err != nil || !document.Batch || len(document.Messages) != 2 || document.Messages[1].Kind != Response {
		t.Errorf("batch: got %+v, %v", document, err)
	}
}

func TestPeek(t *testing.T) {
	for head, want := range map[string]Message{
		call(`{"name":"a"}`): {Kind: Request, Method: "tools/call", Target: Tool, Name: "a", ID: []byte("1")},
		`{"id":1,"method":"tools/call","params":{"name":"a","arguments":{"text":"cut of`: {Kind: Request, Method: "tools/call", Target: Tool, Name: "a", ID: []byte("1")},
		`{"id":1,"method":"tools/call","params":{"na`:                                    {Kind: Request, Method: "tools/call", Target: Tool, ID: []byte("1")},
		`[{"method":"ping"},{"method":"x"}]`:                                             {Kind: Notification, Method: "ping"},
		`{"id":1`:                                                                        {ID: []byte("1")},
		`[`:                                                                              {}, "": {}, "no": {}, "[]": {}, "\x00": {}, `{"method`: {}, `{"method":"a\`: {},
	} {
		if got := Peek([]byte(head)); got.Method != want.Method || got.Name != want.Name || got.Target != want.Target || string(got.ID) != string(want.ID) {
			t.Errorf("%q: got %+v, want %+v", head, got, want)
		}
	}
}

// An attacker may choose the names of members, not how long we look at them.
func TestAllocations(t *testing.T) {
	body := []byte(typical)
	if got := testing.AllocsPerRun(100, func() { _, _ = Parse(body) }); got > 2 {
		t.Errorf("got %v allocations, want 2 at most", got)
	}
}

const typical = `{"jsonrpc":"2.0","id":42,"method":"tools/call","params":{"name":"get_forecast","arguments":{"latitude":52.52,"longitude":13.405,"days":3,"units":"metric"},"_meta":{"progressToken":"p-42-1"}}}`

func BenchmarkParse(b *testing.B) {
	body := []byte(typical)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(body); err != nil {
			b.Fatal(err)
		}
	}
}

func TestTypicalIsJSON(t *testing.T) {
	if !json.Valid([]byte(typical)) || len(typical) < 190 || len(typical) > 210 {
		t.Errorf("the measured body is %d bytes", len(typical))
	}
}

// listening is a message that names n resources.
func listening(n int) string {
	return `{"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":["a"` +
		strings.Repeat(`,"a"`, n-1) + `]}}}`
}

func TestMostThatABodyMayName_IsRead(t *testing.T) {
	for name, body := range map[string]string{
		"one list":      listening(1000),
		"several lists": "[" + strings.Repeat(listening(250)+",", 3) + listening(250) + "]",
		"a long method": `{"method":"` + strings.Repeat("x", 256) + `"}`,
	} {
		if _, err := Parse([]byte(body)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
