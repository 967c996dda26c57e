// A range over a channel that nobody closes.
//
// Each of twenty batches has its own channel, two workers that range over it, and a producer that
// sends five jobs and returns without closing. The forty workers have done all their work and wait
// for more that cannot come.
package main

import (
	"time"

	"loiter.example/go_workers/story"
)

const batches = 20

func work(jobs <-chan int) {
	for range jobs {
		time.Sleep(time.Millisecond)
	}
}

func produce(jobs chan<- int) {
	for job := 0; job < 5; job++ {
		jobs <- job
	}
}

func runBatch() {
	jobs := make(chan int)
	go work(jobs)
	go work(jobs)
	produce(jobs)
}

func main() {
	story.Tell(func() {
		go func() {
			for i := 0; i < batches; i++ {
				runBatch()
			}
		}()
	}, time.Second)
}
