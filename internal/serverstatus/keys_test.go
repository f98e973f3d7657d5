package serverstatus

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

func TestConditionNamesKeysThatAreNotUsed(t *testing.T) {
	faulty := []string{`field x: key 0 ("a"): not a valid JWK`}
	v := judgeKeys(&v1alpha1.MCPServer{}, Seen{Faulty: faulty}, nil, time.Now())
	if v.Status != metav1.ConditionTrue || !strings.HasPrefix(v.Message, KeysPublished) || !strings.Contains(v.Message, faulty[0]) {
		t.Errorf("got %+v", v)
	}
	if got := notUsed(slices.Repeat(faulty, 100)); len(got) > 400 || !strings.Contains(got, "100 keys") {
		t.Errorf("got %q", got)
	}
}
