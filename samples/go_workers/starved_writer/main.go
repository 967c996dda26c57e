// A writer that readers starve.
//
// The lock is made by hand and prefers readers: who reads only counts itself, who writes waits until
// nobody reads. Four readers hold it 10 ms of every 12, out of step, so that there is hardly a
// moment without one. The writer is woken now and then, finds another reader inside, and waits
// again. (Go's own RWMutex keeps new readers out as soon as a writer waits.)
package main

import (
	"sync"
	"time"

	"loiter.example/go_workers/story"
)

type readersFirst struct {
	lock    sync.Mutex
	left    *sync.Cond
	readers int
}

func (l *readersFirst) beginRead() {
	l.lock.Lock()
	l.readers++
	l.lock.Unlock()
}

func (l *readersFirst) endRead() {
	l.lock.Lock()
	l.readers--
	l.left.Signal()
	l.lock.Unlock()
}

func (l *readersFirst) write() {
	l.lock.Lock()
	for l.readers > 0 {
		l.left.Wait()
	}
	l.lock.Unlock()
}

func read(l *readersFirst) {
	for {
		l.beginRead()
		time.Sleep(10 * time.Millisecond)
		l.endRead()
		time.Sleep(2 * time.Millisecond)
	}
}

func reload(l *readersFirst) {
	for {
		l.write()
		time.Sleep(20 * time.Millisecond)
	}
}

func main() {
	story.Tell(func() {
		l := &readersFirst{}
		l.left = sync.NewCond(&l.lock)
		for i := 0; i < 4; i++ {
			go read(l)
			time.Sleep(3 * time.Millisecond)
		}
		go reload(l)
	}, 500*time.Millisecond)
}
