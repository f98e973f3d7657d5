package remote

import (
	"net/http"
	"testing"
	"time"
)

func TestWaits(t *testing.T) {
	for name, c := range map[string]struct{ got, want time.Duration }{
		"usual":                        {afterSuccess(-1, 0), 5 * time.Minute},
		"as long as the issuer says":   {afterSuccess(20*time.Minute, 0), 20 * time.Minute},
		"not sooner than a minute":     {afterSuccess(0, 0), time.Minute},
		"not later than an hour":       {afterSuccess(48*time.Hour, 0), time.Hour},
		"a fifth earlier at most":      {afterSuccess(-1, 1), 4 * time.Minute},
		"first failure":                {afterFailure(1, false, 0), time.Second},
		"fourth failure":               {afterFailure(4, true, 0), 8 * time.Second},
		"many failures, nothing there": {afterFailure(1000, false, 0), time.Minute},
		"many failures, keys there":    {afterFailure(1000, true, 0), 5 * time.Minute},
		"a retry is spread too":        {afterFailure(2, false, 0.5), 1800 * time.Millisecond},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}
}

func TestFreshness(t *testing.T) {
	for _, c := range []struct {
		cacheControl, age string
		want              time.Duration
	}{
		{"", "", -1},
		{"public", "", -1},
		{"max-age=600", "", 10 * time.Minute},
		{"public, MAX-AGE=600, must-revalidate", "", 10 * time.Minute},
		{`max-age="600"`, "", 10 * time.Minute},
		{"max-age=600", "120", 8 * time.Minute},
		{"max-age=600", "900", 0},
		{"max-age=600", "-900", 10 * time.Minute},
		{"max-age=600, no-cache", "", 0},
		{"no-store", "", 0},
		{"max-age=-1", "", -1},
		{"max-age=soon", "", -1},
		{"max-age", "", -1},
		{"max-age=18446744073709551615", "", 365 * 24 * time.Hour},
		{"max-age=99999999999999999999999", "", -1},
		{"s-maxage=600", "", -1},
	} {
		header := http.Header{"Cache-Control": {c.cacheControl}}
		if c.age != "" {
			header.Set("Age", c.age)
		}
		if got := freshness(header); got != c.want {
			t.Errorf("%q with age %q: got %v, want %v", c.cacheControl, c.age, got, c.want)
		}
	}
}
