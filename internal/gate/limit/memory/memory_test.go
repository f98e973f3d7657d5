package memory_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/memory"
)

func TestLimit(t *testing.T) {
	for name, c := range map[string]struct {
		files   map[string]string
		want    int64
		limited bool
	}{
		"version 2":                   {map[string]string{"memory.max": "67108864\n"}, 67108864, true},
		"version 2 without a limit":   {map[string]string{"memory.max": "max\n"}, 0, false},
		"version 1":                   {map[string]string{"memory/memory.limit_in_bytes": "100000000\n"}, 100000000, true},
		"version 1 without a limit":   {map[string]string{"memory/memory.limit_in_bytes": "9223372036854771712\n"}, 0, false},
		"both: version 2 is in force": {map[string]string{"memory.max": "1000", "memory/memory.limit_in_bytes": "2000"}, 1000, true},
		"no cgroups":                  {nil, 0, false},
		"nonsense":                    {map[string]string{"memory.max": "a lot"}, 0, false},
		"nothing":                     {map[string]string{"memory.max": ""}, 0, false},
		"zero":                        {map[string]string{"memory.max": "0"}, 0, false},
		"negative":                    {map[string]string{"memory.max": "-5"}, 0, false},
		"beyond 64 bits":              {map[string]string{"memory.max": "99999999999999999999"}, 0, false},
	} {
		root := t.TempDir()
		for path, text := range c.files {
			file := filepath.Join(root, path)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, limited := memory.Limit(root); got != c.want || limited != c.limited {
			t.Errorf("%s: got %d, %v; want %d, %v", name, got, limited, c.want, c.limited)
		}
	}
}

func TestForGo(t *testing.T) {
	if got := memory.ForGo(256 << 20); got < 150<<20 || got > 154<<20 {
		t.Errorf("got %d", got)
	}
}
