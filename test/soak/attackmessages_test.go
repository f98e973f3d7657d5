//go:build soak

package soak

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// messageAttacks have a good token, and a gate that judges the messages of bodies.
func messageAttacks() []attack {
	looped := func(body string, count int) func(context.Context, *siege) {
		return func(ctx context.Context, s *siege) {
			s.hold(ctx, count, s.ask(0, func() string { return requestHead(len(body), s.bearer("loops")) + body }))
		}
	}
	const most, each = 1000, 4100 // messages of a batch, and bytes of each: just below the limit of a body
	filled := func(head, piece, tail string) string {
		return batchOf(most, func(i int) string {
			start := fmt.Sprintf(head, i)
			return start + strings.Repeat(piece, (each-len(start)-len(tail))/len(piece)) + tail
		})
	}
	longIDs := filled(`{"jsonrpc":"2.0","method":"ping","id":"%d`, "i", `"}`)
	calls := filled(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"read","arguments":{"a":[0`, ",{}", `]}}}`)
	names := batchOf(most, func(i int) string {
		var members strings.Builder
		for n := range 400 {
			fmt.Fprintf(&members, `"%d":0,`, 1000+n)
		}
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{%s"name":"read"}}`, i, members.String())
	})
	deep := batchOf(11, func(i int) string {
		const depth = 55
		nested := strings.Repeat(`{"a":`, depth) + "0" + strings.Repeat("}", depth)
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"read","arguments":{"a":[%s0]}}}`, i, strings.Repeat(nested+",", 900))
	})
	attacks := []attack{
		{name: "StreamsOfLargeRequests", run: func(ctx context.Context, s *siege) {
			ping := `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"`
			ping += strings.Repeat("x", fullBody-len(ping)-3) + `"}}`
			s.hold(ctx, 40, sendPieces(requestHead(len(ping), answerHeader+": "+answerStream, s.bearer("streams")), ping))
		}},
		{name: "LargeBatches", run: looped(listens(heavyListens, resourcesEach), 4)},
		{name: "LargeBatchesOfCalls", run: looped(calls, 4)},
		{name: "BatchesWithLongIDs", run: looped(longIDs, 4)},
		{name: "BatchesWithManyNames", run: looped(names, 4)},
		{name: "DeepJSON", run: looped(deep, 4)},
		{name: "BodiesThatTrickleOfManyCallers", crowd: true, run: trickleOfMany},
		{name: "BodiesAtASteadyPaceOfManyCallers", crowd: true, run: paceOfMany},
		{name: "AnnouncedBodiesOfManyCallers", crowd: true, run: func(ctx context.Context, s *siege) {
			s.holdEach(ctx, 10*manyCallers, func(i int) talk {
				return sendPieces(requestHead(fullBody, s.bearer(fmt.Sprint("caller-", i%manyCallers))), " ")
			})
		}},
	}
	for i := range attacks {
		attacks[i].rules = true
	}
	return attacks
}

// batchOf is a JSON-RPC batch.
func batchOf(count int, message func(i int) string) string {
	all := make([]string, count)
	for i := range all {
		all[i] = message(i)
	}
	return "[" + strings.Join(all, ",") + "]"
}

// trickleOfMany: nearly all of a full body at once, and then a byte a second.
func trickleOfMany(ctx context.Context, s *siege) {
	most := strings.Repeat(" ", fullBody-1000)
	s.holdEach(ctx, manyCallers, func(i int) talk {
		return sendSlowly(requestHead(fullBody, s.bearer(fmt.Sprint("caller-", i)))+most, " ", time.Second)
	})
}

// paceOfMany: a full body that comes no faster than it must.
func paceOfMany(ctx context.Context, s *siege) {
	piece := strings.Repeat(" ", leastPace)
	s.holdEach(ctx, manyCallers, func(i int) talk {
		return sendSlowly(requestHead(fullBody, s.bearer(fmt.Sprint("caller-", i)))+piece, piece, time.Second)
	})
}

func sendSlowly(head, piece string, pause time.Duration) talk {
	return func(ctx context.Context, conn net.Conn) string {
		answer := answerOf(conn)
		_, err := io.WriteString(conn, head)
		for wait(ctx, pause); err == nil && ctx.Err() == nil; wait(ctx, pause) {
			_, err = io.WriteString(conn, piece)
		}
		return <-answer
	}
}
