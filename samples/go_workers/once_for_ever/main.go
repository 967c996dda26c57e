// A Once whose function never returns.
//
// The first of nine requests loads the configuration and waits for a reply on a channel that nobody
// sends on. The other eight wait inside of Once for the first, which holds its lock.
package main

import (
	"sync"
	"time"

	"loiter.example/go_workers/story"
)

var (
	once  sync.Once
	reply = make(chan string)
)

func loadConfiguration() {
	<-reply
}

func request() {
	once.Do(loadConfiguration)
}

func main() {
	story.Tell(func() {
		go request()
		time.Sleep(10 * time.Millisecond)
		for i := 0; i < 8; i++ {
			go request()
		}
	}, time.Second)
}
