// A pipeline that is closed from its source to its end: all goroutines have ended when it is over.
//
// A source, three squarers and a sum work on 500 numbers; each stage closes what it sends on.
package main

import (
	"fmt"
	"sync"
	"time"

	"loiter.example/go_workers/story"
)

func source(out chan<- int) {
	defer close(out)
	for i := 0; i < 500; i++ {
		out <- i
	}
}

func square(in <-chan int, out chan<- int, group *sync.WaitGroup) {
	defer group.Done()
	for i := range in {
		out <- i * i
	}
}

func closeBehind(group *sync.WaitGroup, out chan<- int) {
	group.Wait()
	close(out)
}

func run() {
	numbers := make(chan int)
	squares := make(chan int)
	var group sync.WaitGroup
	go source(numbers)
	for i := 0; i < 3; i++ {
		group.Add(1)
		go square(numbers, squares, &group)
	}
	go closeBehind(&group, squares)
	sum := 0
	for i := range squares {
		sum += i
	}
	fmt.Println(sum)
}

func main() {
	story.Tell(run, 200*time.Millisecond)
}
