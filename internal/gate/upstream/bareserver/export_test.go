package bareserver

import (
	"context"
	"net/http"
	"time"
)

// AskWithin is Ask with another patience.
func AskWithin(ctx context.Context, url string, patience time.Duration) Result {
	result, _ := asker{url: url, patience: patience, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}.askBoth(ctx)
	return result
}
