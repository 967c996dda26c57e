// Workers that wait where workers wait: nothing is wrong.
//
// Four workers take jobs from a channel, a dispatcher sends one every 30 ms and collects the
// result, a ticker writes statistics, somebody waits for a signal to end. All of them are blocked
// most of the time, and all of them move.
package main

import (
	"os"
	"os/signal"
	"time"

	"loiter.example/go_workers/story"
)

func worker(jobs <-chan int, results chan<- int) {
	for job := range jobs {
		results <- job * job
	}
}

func dispatch(jobs chan<- int, results <-chan int) {
	for job := 0; ; job++ {
		jobs <- job
		<-results
		time.Sleep(30 * time.Millisecond)
	}
}

func statistics() {
	for range time.Tick(100 * time.Millisecond) {
	}
}

func awaitSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	<-signals
	os.Exit(1)
}

func main() {
	story.Tell(func() {
		jobs := make(chan int)
		results := make(chan int)
		for i := 0; i < 4; i++ {
			go worker(jobs, results)
		}
		go dispatch(jobs, results)
		go statistics()
		go awaitSignal()
	}, time.Second)
}
