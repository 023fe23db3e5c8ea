// dealings.go: the rows of bench/micro/dealings.c on Go: a goroutine is the unit.
//
//	go build -o go dealings.go && ./go ROW COUNT CORES
//
// Does the row's work COUNT times, a tenth of that before it to warm up, on CORES processors, and
// prints the nanoseconds that one took: on one of CPU, of all threads of the process, on more by the
// clock.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	room   = 64 // Of a channel, as there.
	agents = 10
	items  = 100
)

func pairs(n int) {
	ch := make(chan int64, room)
	for i := 0; i < n; i++ {
		ch <- int64(i)
		<-ch
	}
}

func put(ch chan<- int64, n int) {
	for i := 0; i < n; i++ {
		ch <- int64(i)
	}
}

func stream(ch chan int64, n int) {
	go put(ch, n)
	for i := 0; i < n; i++ {
		<-ch
	}
}

func nothing(ended *sync.WaitGroup) { ended.Done() }

func children(n int) {
	for i := 0; i < n; i++ {
		var ended sync.WaitGroup
		ended.Add(1)
		go nothing(&ended)
		ended.Wait()
	}
}

func rounds(n int) {
	there, back := make(chan [8]byte, room), make(chan [8]byte, room)
	go func() {
		for message := range there {
			back <- message
		}
	}()
	for i := 0; i < n; i++ {
		there <- [8]byte{'1', '2', '3', '4', '5', '6', '7', '8'}
		<-back
	}
	close(there)
}

// docs/examples/coordinator.fth.

func agent(jobs <-chan int64, results chan<- int64, done chan<- int64) {
	count := int64(0)
	for item := range jobs {
		results <- item * item
		count++
	}
	done <- count
}

func feed(jobs chan<- int64) {
	for i := int64(1); i <= items; i++ {
		jobs <- i
	}
	close(jobs)
}

func coordinate() int64 {
	jobs, results, done := make(chan int64, 16), make(chan int64, 16), make(chan int64, agents)
	sum := int64(0)
	for i := 0; i < agents; i++ {
		go agent(jobs, results, done)
	}
	go feed(jobs)
	for i := 0; i < items; i++ {
		sum += <-results
	}
	for i := 0; i < agents; i++ {
		sum += <-done
	}
	return sum
}

// n items in all.
func coordinator(n int) {
	for i := 0; i < n; i += items {
		if coordinate() != 338350+items {
			panic("coordinator: a wrong sum")
		}
	}
}

var rows = map[string]func(int){
	"pairs":       pairs,
	"stream":      func(n int) { stream(make(chan int64, room), n) },
	"handover":    func(n int) { stream(make(chan int64), n) },
	"children":    children,
	"rounds":      rounds,
	"coordinator": coordinator,
}

func readNs(cores int) int64 {
	if cores > 1 {
		return time.Now().UnixNano()
	}
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// The word n of the command line, above 0.
func number(n int) int {
	value, err := strconv.Atoi(os.Args[n])
	if err != nil || value < 1 {
		fmt.Fprintln(os.Stderr, "dealings: COUNT and CORES are numbers above 0")
		os.Exit(64)
	}
	return value
}

func main() {
	if len(os.Args) != 4 || rows[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: dealings ROW COUNT CORES")
		os.Exit(64)
	}
	work, count, cores := rows[os.Args[1]], number(2), number(3)
	runtime.GOMAXPROCS(cores)
	work(count/10 + 1)
	runtime.GC()
	begun := readNs(cores)
	work(count)
	fmt.Printf("%.3f\n", float64(readNs(cores)-begun)/float64(count))
}
