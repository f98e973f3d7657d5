package terminal

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// Error is something that only a user can mend.
type Error struct {
	// Condition that is False because of it.
	Condition string
	Reason    string
	// Message says what is wrong and what to do.
	Message string
}

func (p *Error) Error() string { return p.Reason + ": " + p.Message }

// Spec is something wrong with what the spec names, told behind the field; what runs stays as it is.
func Spec(reason, format string, args ...any) *Error {
	return &Error{v1alpha1.ConditionAccepted, reason, "Field " + fmt.Sprintf(format, args...) + " What runs stays as it is."}
}

// Keys is something wrong with keys, told behind the field that names them; what runs keeps those that it has.
func Keys(reason, format string, args ...any) *Error {
	return &Error{v1alpha1.ConditionKeysReady, reason, "Field " + fmt.Sprintf(format, args...) + " Pods keep the keys they have."}
}

// Problems are what only a user can mend, collected so that all of it is told at once.
type Problems struct{ all []*Error }

// Collect keeps an Error for later, and returns nil; any other error it returns.
func (p *Problems) Collect(err error) error {
	var wrong *Error
	if !errors.As(err, &wrong) {
		return err
	}
	p.all = append(p.all, wrong)
	return nil
}

// Err returns what was collected as one Error, by the condition and the reason of the first; nil if there is none.
func (p *Problems) Err() error {
	if len(p.all) == 0 {
		return nil
	}
	told := *p.all[0]
	for _, further := range p.all[1:] {
		if !strings.Contains(told.Message, further.Message) {
			told.Message += " " + further.Message
		}
	}
	return &told
}
