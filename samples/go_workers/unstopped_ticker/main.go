// A ticker that is never stopped.
//
// Every connection has a goroutine that sends a heartbeat each 20 ms. It should end with the
// connection, but nobody tells it. Ten connections come and go within 200 ms; their ten heartbeats
// go on. None of them is stuck, each wakes up again and again: the leak shows in who is there and
// by whom they were started, not in who is blocked for long.
package main

import (
	"time"

	"loiter.example/go_workers/story"
)

const connections = 10

func heartbeat() {
	ticker := time.NewTicker(20 * time.Millisecond)
	for {
		<-ticker.C
	}
}

func connection() {
	go heartbeat()
	time.Sleep(10 * time.Millisecond)
}

func accept() {
	for i := 0; i < connections; i++ {
		go connection()
		time.Sleep(20 * time.Millisecond)
	}
}

func main() {
	story.Tell(func() { go accept() }, time.Second)
}
