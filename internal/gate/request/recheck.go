package request

import (
	"net/http"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/snapshot"
)

// recheck judges the caller again by what is in force now: a body may take its time, and a token that has expired
// or was revoked meanwhile acts no more, whenever its request began.
func (x *exchange) recheck() *deny.Denial {
	current := x.handler.Store.Current()
	if current == x.snapshot && x.handler.Now().Before(x.caller.principal.Deadline()) {
		return nil
	}
	if denial := x.recheckIdentity(current); denial != nil {
		return denial
	}
	if x.snapshot.SameRules(current) {
		return nil
	}
	return x.recheckRights(current)
}

// recheckWhileReading is recheck, and remembers why not: the answer may have begun.
func (x *exchange) recheckWhileReading() *deny.Denial {
	denial := x.recheck()
	if denial != nil {
		x.result.ended.CompareAndSwap(nil, &denial.Reason)
	}
	return denial
}

// recheckIdentity judges the caller by another snapshot, whatever was asked.
func (x *exchange) recheckIdentity(s *snapshot.Snapshot) *deny.Denial {
	principal, denial := s.Verifier.Verify(x.caller.token)
	switch {
	case denial != nil:
		return denial
	case s.RevocationsUnknown:
		return deny.RevocationsUnavailable()
	case principal.Reserved() && !x.caller.principal.Reserved():
		return deny.ReservedSubject()
	default:
		return nil
	}
}

// recheckRights judges what was asked by another snapshot. Rules that come later refuse a message that nobody has read, or
// that was too long to be remembered.
func (x *exchange) recheckRights(s *snapshot.Snapshot) *deny.Denial {
	unread := x.request.Method == http.MethodPost && !x.readsBody()
	if s.Policy.JudgesBodies() && (unread || x.asked.dropped) {
		return deny.Forbidden().WithDetail("rules that came after a message that nobody has judged, or remembered")
	}
	principal, denial := s.Verifier.Verify(x.caller.token)
	if denial != nil {
		return denial
	}
	return x.judgeRights(s, principal, x.asked.messages)
}
