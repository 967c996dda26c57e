// A wait group that never gets its last Done.
//
// Seven uploads run at once. The fifth finds its file empty and returns early, past the line that
// says Done. All others end; publish waits for ever, and the janitor goes on as if nothing were.
package main

import (
	"sync"
	"time"

	"loiter.example/go_workers/story"
)

func upload(number int, group *sync.WaitGroup) {
	time.Sleep(time.Duration(10+number) * time.Millisecond)
	if number == 5 {
		return // nothing to upload; the deferred Done that should stand above is missing
	}
	group.Done()
}

func publish() {
	var group sync.WaitGroup
	for number := 1; number <= 7; number++ {
		group.Add(1)
		go upload(number, &group)
	}
	group.Wait()
	panic("never reached")
}

func janitor() {
	for range time.Tick(50 * time.Millisecond) {
	}
}

func main() {
	story.Tell(func() {
		go janitor()
		go publish()
	}, time.Second)
}
