// doorbell.h: a descriptor that becomes readable when a frame comes to a kernel interface.
//
// A core that polls an af_packet port has no descriptor to sleep on: the driver keeps its own. So a
// second packet socket stands on the same interface, of which only the readiness is used. It costs
// next to nothing while the core is awake, because nobody reads it then: a filter lets only frames
// to this host or to all through and asks for one byte of each; the receive buffer is the kernel's
// minimum, full after two or three frames, and from there on the kernel drops each further frame in
// front of this socket before it has copied anything (packet_rcv). What a frame pays is the filter:
// about 0.1 us of the 1.7 that a frame took from one process to another over veth. The first sleep
// after traffic finds it readable and ends at once, is cleared, and the next one is a real one. Two
// processes that both sleep between frames answered each other in 11 us.
//
// Core: the one that sleeps on it.
#ifndef WEFT_DATAPLANE_DOORBELL_H
#define WEFT_DATAPLANE_DOORBELL_H

// Opens a doorbell on `interface`. A descriptor, or a negative errno. Close it with close(2).
int weft_doorbell_open(const char *interface);

// Reads it empty, or as empty as 64 reads make it under a flood.
void weft_doorbell_clear(int fd);

#endif // WEFT_DATAPLANE_DOORBELL_H
