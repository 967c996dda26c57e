// A large execution trace, for comparing how long programs take to open it.
//
//	go run . FILE EVENTS
//
// Waves of 500 goroutines are started, each sends 20 numbers over an unbuffered channel to one of
// eight collectors and ends. That is about 63 events a goroutine: created, started, blocked in each
// send, woken, ended, and the same of the collectors. The tracing ends after as many waves as give
// about EVENTS events.
package main

import (
	"fmt"
	"os"
	"runtime/trace"
	"strconv"
	"sync"
)

const (
	waveSize        = 500
	sends           = 20
	collectors      = 8
	eventsOfAWorker = 63
)

func collect(numbers <-chan int, sum *int, group *sync.WaitGroup) {
	defer group.Done()
	for number := range numbers {
		*sum += number
	}
}

func produce(numbers chan<- int, group *sync.WaitGroup) {
	defer group.Done()
	for i := 0; i < sends; i++ {
		numbers <- i
	}
}

func wave(channels []chan int) {
	var group sync.WaitGroup
	for worker := 0; worker < waveSize; worker++ {
		group.Add(1)
		go produce(channels[worker%collectors], &group)
	}
	group.Wait()
}

func load(waves int) {
	var group sync.WaitGroup
	channels := make([]chan int, collectors)
	sums := make([]int, collectors)
	for i := range channels {
		channels[i] = make(chan int)
		group.Add(1)
		go collect(channels[i], &sums[i], &group)
	}
	for i := 0; i < waves; i++ {
		wave(channels)
	}
	for _, channel := range channels {
		close(channel)
	}
	group.Wait()
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go_load FILE EVENTS")
		os.Exit(2)
	}
	events, err := strconv.Atoi(os.Args[2])
	file, createError := os.Create(os.Args[1])
	if err != nil || createError != nil || trace.Start(file) != nil {
		fmt.Fprintln(os.Stderr, "go_load: cannot begin:", err, createError)
		os.Exit(1)
	}
	load(1 + events/(waveSize*eventsOfAWorker))
	trace.Stop()
	if err := file.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
