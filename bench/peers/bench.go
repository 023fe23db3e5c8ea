// bench.go: the rows of `./do bench actors` on Go: a goroutine is the actor, its channel the
// mailbox. See README.md for how programs are run and what they print.
//
//	go build -o bench bench.go && ./bench CORES GROUP [quick]
//
// One function a group. A row takes the best of five runs, CPU and wall time apart. Channels are
// bounded, and there are no pids, links or selective receives: this is what the scheduler and the
// channels cost, not an actor runtime.
package main

import (
	"fmt"
	"math"
	"math/rand"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var quick bool

type message struct {
	kind  int
	value int
	from  chan message
}

// ---- Measuring.

func cpuNs() float64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Nano() + usage.Stime.Nano())
}

func sinceNs(begun time.Time) float64 {
	return float64(time.Since(begun).Nanoseconds())
}

func number(value float64) string {
	if math.IsNaN(value) {
		return "-"
	}
	return fmt.Sprintf("%.2f", value)
}

func tell(row string, cpu, wall float64, unit string) {
	fmt.Printf("figure go %d %s %s %s %s -\n", runtime.GOMAXPROCS(0), row, number(cpu),
		number(wall), unit)
}

func value(row string, value float64, unit string) {
	tell(row, math.NaN(), value, unit)
}

func runs() int {
	if quick {
		return 1
	}
	return 5
}

func least(values []float64) float64 {
	sort.Float64s(values)
	return values[0]
}

// Work does n operations.
func row(name string, n int, work func()) {
	cpu, wall := math.Inf(1), math.Inf(1)
	for i := 0; i < runs(); i++ {
		runtime.GC()
		cpuBegun, begun := cpuNs(), time.Now()
		work()
		wall = math.Min(wall, sinceNs(begun)/float64(n))
		cpu = math.Min(cpu, (cpuNs()-cpuBegun)/float64(n))
	}
	tell(name, cpu, wall, "ns")
}

// ---- spawn

func spawn() {
	row("spawn_exit_seq", 100000, func() {
		done := make(chan int)
		for i := 0; i < 100000; i++ {
			go func() { done <- 1 }()
			<-done
		}
	})
	row("spawn_exit_1M", 1000000, func() {
		var all sync.WaitGroup
		all.Add(1000000)
		for i := 0; i < 1000000; i++ {
			go func() { all.Done() }()
		}
		all.Wait()
	})
}

// ---- mem

func resident() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		var kilobytes float64
		if n, _ := fmt.Sscanf(line, "VmRSS: %f", &kilobytes); n == 1 {
			return kilobytes * 1024
		}
	}
	return 0
}

func mem() {
	keep(100000, "100k")
	if !quick {
		keep(1000000, "1M")
	}
}

func keep(n int, size string) {
	runtime.GC()
	before, cpu, begun := resident(), cpuNs(), time.Now()
	mailboxes := make([]chan message, n)
	answers := make(chan message, 1000)
	for i := range mailboxes {
		mailbox := make(chan message, 1)
		mailboxes[i] = mailbox
		go func() {
			m := <-mailbox
			m.from <- m
		}()
	}
	wall := sinceNs(begun)
	tell("spawn_keep_"+size, (cpuNs()-cpu)/float64(n), wall/float64(n), "ns")
	time.Sleep(300 * time.Millisecond) // All wait.
	value("mem_per_proc_"+size, (resident()-before)/float64(n), "bytes")
	cpu, begun = cpuNs(), time.Now()
	go func() {
		for _, mailbox := range mailboxes {
			mailbox <- message{from: answers}
		}
	}()
	for range mailboxes {
		<-answers
	}
	wall = sinceNs(begun)
	tell("wake_all_exit_"+size, (cpuNs()-cpu)/float64(n), wall/float64(n), "ns")
}

// ---- pingpong: where the scheduler puts them; then each on a thread of its own.

func pingpong() {
	pair := func(n int, apart bool) func() {
		return func() {
			there, back := make(chan int, 1), make(chan int, 1)
			go func() {
				if apart {
					runtime.LockOSThread()
				}
				for ball := range there {
					back <- ball
				}
			}()
			if apart {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
			}
			for i := 0; i < n; i++ {
				there <- i
				<-back
			}
			close(there)
		}
	}
	row("pingpong", 500000, pair(500000, false))
	if runtime.GOMAXPROCS(0) > 1 {
		row("pingpong_2core", 20000, pair(20000, true))
	}
}

// ---- oneway

func oneway() {
	const n = 1000000
	row("oneway_1to1", n, func() {
		mailbox, done := make(chan message, 1024), make(chan int)
		go func() {
			for i := 0; i < n; i++ {
				<-mailbox
			}
			done <- 1
		}()
		for i := 0; i < n; i++ {
			mailbox <- message{value: i}
		}
		<-done
	})
	row("fanin_1000", n, func() {
		mailbox := make(chan message, 1024)
		for k := 0; k < 1000; k++ {
			go func() {
				for i := 0; i < n/1000; i++ {
					mailbox <- message{value: i}
				}
			}()
		}
		for i := 0; i < n; i++ {
			<-mailbox
		}
	})
	row("fanout_1000", n, func() {
		var all sync.WaitGroup
		mailboxes := make([]chan message, 1000)
		for k := range mailboxes {
			mailboxes[k] = make(chan message, 64)
			all.Add(1)
			go func(mailbox chan message) {
				for i := 0; i < n/1000; i++ {
					<-mailbox
				}
				all.Done()
			}(mailboxes[k])
		}
		for i := 0; i < n/1000; i++ {
			for _, mailbox := range mailboxes {
				mailbox <- message{value: i}
			}
		}
		all.Wait()
	})
}

// ---- ring

func pass(in, out chan int, done chan int) {
	for {
		left := <-in
		switch {
		case left < 0:
			out <- left
			return
		case left == 0:
			done <- 1
			out <- -1
			return
		}
		out <- left - 1
	}
}

func ring() {
	const n, nodes = 2000000, 503
	row("ring_503", n, func() {
		first, done := make(chan int, 1), make(chan int)
		in := first
		for i := 0; i < nodes; i++ {
			out := make(chan int, 1)
			if i == nodes-1 {
				out = first
			}
			go pass(in, out, done)
			in = out
		}
		first <- n
		<-done
	})
}

// ---- yield

func crowd(goroutines, n int) func() {
	return func() {
		var all sync.WaitGroup
		all.Add(goroutines)
		for k := 0; k < goroutines; k++ {
			go func() {
				for i := 0; i < n/goroutines; i++ {
					runtime.Gosched()
				}
				all.Done()
			}()
		}
		all.Wait()
	}
}

func yield() {
	row("yield_2procs", 2000000, crowd(2, 2000000))
	row("yield_1000procs", 1000000, crowd(1000, 1000000))
}

// ---- timer

func timer() {
	n := 500000
	if quick {
		n = 50000
	}
	var armCPU, arm, cancelCPU, cancel []float64
	for run := 0; run < runs(); run++ {
		timers := make([]*time.Timer, n)
		cpu, begun := cpuNs(), time.Now()
		for i := range timers {
			delay := time.Duration(60000+i%100000) * time.Millisecond
			timers[i] = time.AfterFunc(delay, func() {})
		}
		arm = append(arm, sinceNs(begun)/float64(n))
		armCPU = append(armCPU, (cpuNs()-cpu)/float64(n))
		cpu, begun = cpuNs(), time.Now()
		for _, timer := range timers {
			timer.Stop()
		}
		cancel = append(cancel, sinceNs(begun)/float64(n))
		cancelCPU = append(cancelCPU, (cpuNs()-cpu)/float64(n))
	}
	tell("timer_arm", least(armCPU), least(arm), "ns")
	tell("timer_cancel", least(cancelCPU), least(cancel), "ns")
	lateness()
	if !quick {
		aMillionTimers()
	}
}

func lateness() {
	rounds := 3
	if quick {
		rounds = 1
	}
	var late []float64
	var lock sync.Mutex
	for round := 0; round < rounds; round++ {
		var all sync.WaitGroup
		all.Add(2000)
		for i := 0; i < 2000; i++ {
			delay := time.Duration(11+rand.Intn(500)) * time.Millisecond
			due := time.Now().Add(delay)
			time.AfterFunc(delay, func() {
				ns := sinceNs(due)
				lock.Lock()
				late = append(late, ns)
				lock.Unlock()
				all.Done()
			})
		}
		all.Wait()
	}
	sort.Float64s(late)
	value("timer_late_p50", late[rounds*1000]/1000, "us")
	value("timer_late_p99", late[rounds*1980]/1000, "us")
}

func aMillionTimers() {
	left, done := int64(1000000), make(chan int)
	begun := time.Now()
	for i := 0; i < 1000000; i++ {
		time.AfterFunc(time.Duration(1001+rand.Intn(1000))*time.Millisecond, func() {
			if atomic.AddInt64(&left, -1) == 0 {
				done <- 1
			}
		})
	}
	armed := sinceNs(begun)
	<-done
	value("timer_1M_fire_in_1s_done_at", sinceNs(begun)/1e6, "ms")
	value("timer_1M_arm", armed/1e6, "ns")
}

// ---- registry: a sync.Map.

func registry() {
	const n = 1000000
	var names sync.Map
	names.Store("bench_reg", make(chan int))
	row("registry_whereis", n, func() {
		for i := 0; i < n; i++ {
			names.Load("bench_reg")
		}
	})
}

// ---- ets: a map behind a lock, which is the faster one here; and a sync.Map.

func ets() {
	n := 1000000
	if quick {
		n = 100000
	}
	key := func(i int) uint32 { return uint32(i * 2654435761) }
	fill := func() *sync.Map {
		var table sync.Map
		for i := 0; i < n; i++ {
			table.Store(key(i), i)
		}
		return &table
	}
	row("syncmap_insert_1M", n, func() { fill() })
	shared := fill()
	row("syncmap_lookup_1M", n, func() {
		for i := 0; i < n; i++ {
			shared.Load(key(i))
		}
	})
	shared = nil
	var lock sync.RWMutex
	table := map[uint32]int{}
	row("ets_set_insert_1M", n, func() {
		table = map[uint32]int{}
		for i := 0; i < n; i++ {
			lock.Lock()
			table[key(i)] = i
			lock.Unlock()
		}
	})
	row("ets_set_lookup_1M", n, func() {
		for i := 0; i < n; i++ {
			lock.RLock()
			_ = table[key(i)]
			lock.RUnlock()
		}
	})
	row("ets_set_lookup_random", n, func() {
		seed := 42
		for i := 0; i < n; i++ {
			seed = seed * 16807 % 2147483647
			lock.RLock()
			_ = table[key(seed%n)]
			lock.RUnlock()
		}
	})
}

// ---- call: a goroutine that answers on the channel that comes with the question.

func ask(server chan message, n int) {
	for i := 0; i < n; i++ {
		reply := make(chan message, 1)
		server <- message{from: reply}
		<-reply
	}
}

func call() {
	const n = 500000
	server := make(chan message)
	go func() {
		total := 0
		for m := range server {
			total++
			m.from <- message{value: total}
		}
	}()
	row("genserver_call", n, func() { ask(server, n) })
	row("genserver_call_100clients", n, func() {
		var all sync.WaitGroup
		all.Add(100)
		for k := 0; k < 100; k++ {
			go func() {
				ask(server, n/100)
				all.Done()
			}()
		}
		all.Wait()
	})
	close(server)
}

// ---- storm: goroutines have no links; what comes next to it is a channel that is closed.

func storm() {
	n := 100000
	if quick {
		n = 5000
	}
	var ms []float64
	for run := 0; run < runs(); run++ {
		die := make(chan int)
		var gone, up sync.WaitGroup
		gone.Add(n)
		up.Add(n)
		for i := 0; i < n; i++ {
			go func() {
				up.Done()
				<-die
				gone.Done()
			}()
		}
		up.Wait()
		begun := time.Now()
		close(die)
		gone.Wait()
		ms = append(ms, sinceNs(begun)/1e6)
	}
	value("exit_storm_star_100k", least(ms), "ms")
}

// ---- savina

func savina() {
	row("sav_counting_1M", 1000000, counting)
	row("sav_fjcreate_40k", 40000, forkJoin)
	row("sav_fib_23", 92735, func() {
		sum := make(chan int, 1)
		go fib(23, sum)
		<-sum
	})
	row("sav_big_120x2000", 240000, big)
	row("sav_chameneos_100x200k", 200000, chameneos)
	row("sav_philosophers_20x5k", 100000, philosophers)
}

func counting() {
	mailbox, result := make(chan message, 1024), make(chan int)
	go func() {
		total := 0
		for m := range mailbox {
			if m.kind == 1 {
				result <- total
				return
			}
			total++
		}
	}()
	for i := 0; i < 1000000; i++ {
		mailbox <- message{}
	}
	mailbox <- message{kind: 1}
	<-result
}

func forkJoin() {
	sines := make(chan float64, 1024)
	go func() {
		for i := 0; i < 40000; i++ {
			mailbox := make(chan int, 1)
			go func() {
				<-mailbox
				sines <- math.Sin(37.2)
			}()
			mailbox <- 1
		}
	}()
	for i := 0; i < 40000; i++ {
		<-sines
	}
}

func fib(n int, parent chan int) {
	if n < 3 {
		parent <- 1
		return
	}
	below := make(chan int, 2)
	go fib(n-1, below)
	go fib(n-2, below)
	parent <- <-below + <-below
}

func big() {
	mailboxes := make([]chan message, 120)
	for i := range mailboxes {
		mailboxes[i] = make(chan message, 4096)
	}
	done, stop := make(chan int), make(chan int)
	for i := range mailboxes {
		go func(own chan message, random uint32) {
			left := 2000
			ping := func() {
				random = random*1103515245 + 12345
				mailboxes[(random>>8)%120] <- message{kind: 1, from: own}
			}
			ping()
			for {
				select {
				case m := <-own:
					if m.kind == 1 {
						m.from <- message{kind: 2}
					} else if left--; left == 0 {
						done <- 1
					} else if left > 0 {
						ping()
					}
				case <-stop:
					return
				}
			}
		}(mailboxes[i], uint32(i+1))
	}
	for range mailboxes {
		<-done
	}
	close(stop)
}

func chameneos() {
	broker, stop := make(chan message, 128), make(chan int)
	for i := 0; i < 100; i++ {
		go func() {
			own := make(chan message, 1)
			broker <- message{from: own}
			for {
				select {
				case <-own:
					broker <- message{from: own}
				case <-stop:
					return
				}
			}
		}()
	}
	for i := 0; i < 200000; i++ {
		a, b := <-broker, <-broker
		a.from <- message{}
		b.from <- message{}
	}
	close(stop)
}

const (
	hungry = iota
	full
)

func giveForks(table chan message) {
	var taken [20]bool
	for m := range table {
		left, right := m.value, (m.value+1)%20
		if m.kind == full {
			taken[left], taken[right] = false, false
		} else if taken[left] || taken[right] {
			m.from <- message{value: 0}
		} else {
			taken[left], taken[right] = true, true
			m.from <- message{value: 1}
		}
	}
}

func philosophers() {
	table, done := make(chan message, 64), make(chan int)
	go giveForks(table)
	for seat := 0; seat < 20; seat++ {
		go func(seat int) {
			own := make(chan message, 1)
			for meals := 5000; meals > 0; {
				table <- message{hungry, seat, own}
				if (<-own).value == 1 {
					table <- message{full, seat, nil}
					meals--
				}
			}
			done <- 1
		}(seat)
	}
	for seat := 0; seat < 20; seat++ {
		<-done
	}
	close(table)
}

// ---- spread: pairs that talk to nobody else.

func spread() {
	const n, pairs = 4000000, 8
	row("pairs_8", n, func() {
		var all sync.WaitGroup
		all.Add(pairs)
		for k := 0; k < pairs; k++ {
			there, back := make(chan int, 1), make(chan int, 1)
			go func() {
				for ball := range there {
					back <- ball
				}
			}()
			go func() {
				for i := 0; i < n/pairs; i++ {
					there <- i
					<-back
				}
				close(there)
				all.Done()
			}()
		}
		all.Wait()
	})
}

// ---- idle

func idle() {
	pause := 2 * time.Second
	if quick {
		pause = 200 * time.Millisecond
	}
	time.Sleep(100 * time.Millisecond)
	cpu, begun := cpuNs(), time.Now()
	time.Sleep(pause)
	value("idle_cpu", 100*(cpuNs()-cpu)/sinceNs(begun), "%")
}

func main() {
	groups := map[string]func(){
		"spawn": spawn, "mem": mem, "pingpong": pingpong, "oneway": oneway, "ring": ring,
		"yield": yield, "timer": timer, "registry": registry, "ets": ets, "call": call,
		"storm": storm, "savina": savina, "spread": spread, "idle": idle,
	}
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: bench CORES GROUP [quick]")
		os.Exit(64)
	}
	cores, _ := strconv.Atoi(os.Args[1])
	runtime.GOMAXPROCS(cores)
	quick = len(os.Args) > 3
	if rows := groups[os.Args[2]]; rows != nil {
		rows()
	}
}
