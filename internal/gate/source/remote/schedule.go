package remote

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	usualRefresh   = 5 * time.Minute
	soonestRefresh = time.Minute
	latestRefresh  = time.Hour

	firstRetry = time.Second
	// latestRetry holds while there are keys; without any nobody can enter, so emptyRetry comes sooner.
	latestRetry = 5 * time.Minute
	emptyRetry  = time.Minute
)

// afterSuccess is how long to wait after a good fetch of a set that its issuer calls fresh for so long; negative: it
// does not say. random is within [0, 1).
func afterSuccess(fresh time.Duration, random float64) time.Duration {
	if fresh < 0 {
		return earlier(usualRefresh, random)
	}
	return earlier(min(max(fresh, soonestRefresh), latestRefresh), random)
}

// afterFailure is how long to wait after so many failures in a row.
func afterFailure(failures int, loaded bool, random float64) time.Duration {
	longest := emptyRetry
	if loaded {
		longest = latestRetry
	}
	wait := firstRetry
	for range failures - 1 {
		if wait *= 2; wait >= longest {
			break
		}
	}
	return earlier(min(wait, longest), random)
}

// earlier takes up to a fifth off, so that the gates of a fleet do not ask all at once.
func earlier(wait time.Duration, random float64) time.Duration {
	return wait - time.Duration(random*float64(wait)/5)
}

// freshness is how long an answer stays fresh by its Cache-Control and Age (RFC 9111 section 4.2); negative if they do
// not say.
func freshness(header http.Header) time.Duration {
	fresh := time.Duration(-1)
	for directive := range strings.SplitSeq(strings.Join(header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(name) {
		case "no-cache", "no-store":
			return 0
		case "max-age":
			if lives, ok := deltaSeconds(strings.Trim(value, `"`)); ok {
				age, _ := deltaSeconds(header.Get("Age"))
				fresh = max(lives-age, 0)
			}
		}
	}
	return fresh
}

// deltaSeconds reads RFC 9111 section 1.2.2; what is too large to matter counts as a year.
func deltaSeconds(text string) (time.Duration, bool) {
	const year = 365 * 24 * 60 * 60
	seconds, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, false
	}
	return time.Duration(min(seconds, year)) * time.Second, true
}
