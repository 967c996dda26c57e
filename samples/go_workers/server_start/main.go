// The start of a server, as a tree: who starts whom.
//
// main starts three parts. The store opens four shards, each of which starts two compactors; the
// cache warms itself with sixteen loaders, which end; the HTTP server listens on the loopback and
// answers three requests, each in a goroutine of its own. Nothing is wrong here.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"loiter.example/go_workers/story"
)

func compact(work <-chan int) {
	for range work {
	}
}

func openShard(work <-chan int) {
	go compact(work)
	go compact(work)
	for range time.Tick(100 * time.Millisecond) {
	}
}

func startStore() {
	work := make(chan int)
	for shard := 0; shard < 4; shard++ {
		go openShard(work)
	}
	for job := 0; ; job++ {
		work <- job
		time.Sleep(50 * time.Millisecond)
	}
}

func load(page int, group *sync.WaitGroup) {
	defer group.Done()
	time.Sleep(time.Duration(5+page) * time.Millisecond)
}

func warmCache() {
	var group sync.WaitGroup
	for page := 0; page < 16; page++ {
		group.Add(1)
		go load(page, &group)
	}
	group.Wait()
}

func listen(listener net.Listener) {
	http.Serve(listener, http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		fmt.Fprintln(out, "hello")
	}))
}

func visit(address string) {
	for i := 0; i < 3; i++ {
		answer, err := http.Get("http://" + address)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}

func main() {
	story.Tell(func() {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go startStore()
		go warmCache()
		go listen(listener)
		go visit(listener.Addr().String())
	}, 500*time.Millisecond)
}
