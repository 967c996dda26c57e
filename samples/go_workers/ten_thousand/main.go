// A loop that starts ten thousand goroutines.
//
// After 500 quiet milliseconds refresh starts one goroutine for each of 10,000 customers. They take
// turns at five connections, two milliseconds each, so most of them wait for a place.
package main

import (
	"time"

	"loiter.example/go_workers/story"
)

const customers = 10000

var connections = make(chan struct{}, 5)

func ask(customer int) {
	connections <- struct{}{}
	time.Sleep(2 * time.Millisecond)
	<-connections
}

func refresh() {
	for customer := 0; customer < customers; customer++ {
		go ask(customer)
	}
}

func main() {
	story.Tell(func() {
		time.Sleep(500 * time.Millisecond)
		go refresh()
	}, 100*time.Millisecond)
}
