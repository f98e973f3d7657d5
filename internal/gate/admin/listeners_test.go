package admin

import (
	"net"
	"slices"
	"strings"
	"testing"
)

// As of proc(5), with a listener on all addresses, one on loopback, an established connection, and one of our own.
const procNetTCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 101 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 102 1 0000000000000000 100 0 0 10 0
   2: 0200000A:01BB 0100000A:C350 01 00000000:00000000 00:00000000 00000000     0        0 103 1 0000000000000000 100 0 0 10 0
   3: 0200000A:2382 00000000:0000 0A 00000000:00000000 00:00000000 00000000 65532        0 104 1 0000000000000000 100 0 0 10 0
   4: 0200000A:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     7        0 105 1 0000000000000000 100 0 0 10 0
`

const table6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:1F40 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 201 1 0000000000000000 100 0 0 10 0
   1: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 202 1 0000000000000000 100 0 0 10 0
   2: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 203 1 0000000000000000 100 0 0 10 0
   3: B80D0120000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     3        0 204 1 0000000000000000 100 0 0 10 0
`

func TestParseListeners(t *testing.T) {
	for _, c := range []struct {
		table         string
		want, foreign []Listener
	}{
		{procNetTCP, []Listener{{"0.0.0.0", 8000, 1000}, {"127.0.0.1", 8080, 0}, {"10.0.0.2", 22, 7}},
			[]Listener{{"0.0.0.0", 8000, 1000}, {"10.0.0.2", 22, 7}}},
		{table6, []Listener{{"::", 8000, 1000}, {"::1", 8080, 0}, {"127.0.0.1", 8080, 0}, {"2001:db8::1", 80, 3}},
			[]Listener{{"::", 8000, 1000}, {"2001:db8::1", 80, 3}}},
	} {
		got, err := parseListeners(strings.NewReader(c.table), map[string]bool{"104": true})
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("got %v, %v; want %v", got, err, c.want)
		}
		if got := foreign(got); !slices.Equal(got, c.foreign) {
			t.Errorf("foreign: got %v; want %v", got, c.foreign)
		}
	}
	for _, broken := range []string{
		"0: zz:1F40 x 0A x x x 1 x 9\n", "0: 0100007F x 0A x x x 1 x 9\n", "0: 0100:1F40 x 0A x x x 1 x 9\n", "0: 0100007F:1F40 x 0A x x x -1 x 9\n",
	} {
		if got, err := parseListeners(strings.NewReader(broken), nil); err == nil {
			t.Errorf("%q: got %v", broken, got)
		}
	}
}

// Listening on all addresses is what the operator must hear of, unless it is the gate itself that listens.
func TestOwnListenersAreLeftOut(t *testing.T) {
	own, err := new(net.ListenConfig).Listen(t.Context(), "tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	port := uint16(own.Addr().(*net.TCPAddr).Port)
	found, err := ForeignListeners()
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(found, func(l Listener) bool { return l.Port == port }) {
		t.Errorf("port %d is ours, and in %v", port, found)
	}
}
