// Unbuffered sends without a receiver, from a recursion.
//
// walk visits a tree of three children each and sends what it finds on one channel. Whoever reads
// takes the first match and leaves; all other senders stay where they are, for ever. Every level of
// the recursion started its children before it sent, so the leak grows with the size of the tree:
// 1 + 3 + 9 + 27 = 40 goroutines, one of which is heard.
package main

import (
	"time"

	"loiter.example/go_workers/story"
)

const depth = 3

func walk(level int, path string, found chan<- string) {
	if level < depth {
		for _, child := range []string{"a", "b", "c"} {
			go walk(level+1, path+child, found)
		}
	}
	time.Sleep(5 * time.Millisecond)
	found <- path
}

func findFirst() string {
	found := make(chan string)
	go walk(0, "/", found)
	return <-found
}

func main() {
	story.Tell(func() { findFirst() }, time.Second)
}
