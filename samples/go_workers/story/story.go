// Package story runs one of the programs around it for a while and keeps what Go knows of it.
package story

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof" // -serve
	"os"
	"runtime/pprof"
	"runtime/trace"
	"time"
)

var (
	traceFile = flag.String("trace", "", "write an execution trace to `FILE`")
	dumpFile  = flag.String("dumps", "", "write goroutine dumps to `FILE`, one behind the other")
	dumpCount = flag.Int("n", 3, "how many dumps, evenly over the time")
	length    = flag.Duration("time", 0, "how long (each story has its own `TIME`)")
	address   = flag.String("serve", "", "serve net/http/pprof at `ADDRESS`, for loiter record --go")
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func create(name string) *os.File {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	check(err)
	return file
}

// Tell begins what it is asked to keep, runs begin, which starts goroutines and returns, lets them
// be for the given time unless told otherwise, and ends the program. Nobody is waited for: most
// of the stories would not end.
func Tell(begin func(), usual time.Duration) {
	flag.Parse()
	if *length == 0 {
		*length = usual
	}
	if *address != "" {
		listener, err := net.Listen("tcp", *address)
		check(err)
		fmt.Println("http://" + listener.Addr().String())
		go http.Serve(listener, nil)
	}
	var recording *os.File
	if *traceFile != "" {
		recording = create(*traceFile)
		check(trace.Start(recording))
	}
	begin()
	wait()
	if recording != nil {
		trace.Stop()
		check(recording.Close())
	}
}

// wait lets the time pass, with dumps in between.
func wait() {
	if *dumpFile == "" {
		time.Sleep(*length)
		return
	}
	file := create(*dumpFile)
	for i := 0; i < *dumpCount; i++ {
		time.Sleep(*length / time.Duration(*dumpCount))
		check(pprof.Lookup("goroutine").WriteTo(file, 2))
		fmt.Fprintln(file)
	}
	check(file.Close())
}
