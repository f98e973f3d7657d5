package wire

import (
	"net/http"
	"testing"
	"time"
)

// TestClockReading: an answer's Date may lie anywhere between request and answer; of several answers the one that
// shows the least difference counts.
func TestClockReading(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	answered := func(sent, received, date time.Duration) Answer {
		header := http.Header{"Date": {noon.Add(date).Format(http.TimeFormat)}}
		return Answer{sent: noon.Add(sent), received: noon.Add(received), Header: header}
	}
	const ms = time.Millisecond
	for name, test := range map[string]struct {
		answers []Answer
		want    time.Duration
		unseen  bool
	}{
		"none":                     {nil, 0, true},
		"no date":                  {[]Answer{{Header: http.Header{}}}, 0, true},
		"same second":              {[]Answer{answered(200*ms, 300*ms, 0)}, 0, false},
		"within a slow exchange":   {[]Answer{answered(0, 10*time.Second, 7*time.Second)}, 0, false},
		"ahead":                    {[]Answer{answered(0, time.Second, 7*time.Second)}, 6 * time.Second, false},
		"behind":                   {[]Answer{answered(7*time.Second+ms, 8*time.Second, 0)}, -7 * time.Second, false},
		"the least of three":       {[]Answer{answered(0, 0, 9*time.Second), answered(0, 0, 4*time.Second), answered(0, 0, 5*time.Second)}, 4 * time.Second, false},
		"the least, of both signs": {[]Answer{answered(0, 0, 9*time.Second), answered(3*time.Second, 3*time.Second, 0)}, -3 * time.Second, false},
	} {
		var clock Clock
		for _, answer := range test.answers {
			clock.Read(answer)
		}
		if clock.Seen == test.unseen || clock.Offset != test.want {
			t.Errorf("%s: %+v, want %s", name, clock, test.want)
		}
	}
}
