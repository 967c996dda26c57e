// Two locks, taken in opposite order.
//
// A transfer locks the account it takes from, then the one it gives to. After 100 ms of transfers
// between other accounts one goes from left to right while another goes from right to left, and each
// holds what the other wants. Three auditors come later and queue behind the left one.
package main

import (
	"sync"
	"time"

	"loiter.example/go_workers/story"
)

type account struct {
	sync.Mutex
	cents int
}

func transfer(from, to *account) {
	from.Lock()
	defer from.Unlock()
	time.Sleep(20 * time.Millisecond)
	to.Lock()
	defer to.Unlock()
	from.cents--
	to.cents++
}

func audit(account *account) {
	account.Lock()
	defer account.Unlock()
}

func main() {
	story.Tell(func() {
		var left, right, spare account
		for i := 0; i < 5; i++ {
			transfer(&left, &spare)
		}
		go transfer(&left, &right)
		go transfer(&right, &left)
		time.Sleep(50 * time.Millisecond)
		for i := 0; i < 3; i++ {
			go audit(&left)
		}
	}, time.Second)
}
