// A context that is not passed on.
//
// Twelve requests have 40 ms each. handle gives up when its context does, but it asked lookUp with
// context.Background(), which nobody ever cancels: the twelve look-ups wait for an answer from a
// service that is gone.
package main

import (
	"context"
	"time"

	"loiter.example/go_workers/story"
)

const requests = 12

func lookUp(ctx context.Context, answers <-chan string) string {
	select {
	case answer := <-answers:
		return answer
	case <-ctx.Done():
		return ""
	}
}

func handle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 40*time.Millisecond)
	defer cancel()
	answers := make(chan string) // of the service that is gone
	go lookUp(context.Background(), answers)
	<-ctx.Done()
}

func serve() {
	for i := 0; i < requests; i++ {
		go handle(context.Background())
		time.Sleep(20 * time.Millisecond)
	}
}

func main() {
	story.Tell(func() { go serve() }, time.Second)
}
