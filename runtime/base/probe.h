// probe.h: places in the program that bpftrace, perf and SystemTap can be told to look at while it
// runs (USDT): provider `weft`, the names in docs/tracing.md.
//
// A probe is one nop, and a note in the file that says where it is and in which registers or words
// its arguments stand at that moment. So an argument should be something that the code has at hand
// anyway: then nothing is added but the nop.
//
// Where sys/sdt.h is missing (Debian: systemtap-sdt-dev) there are no probes, and
// WEFT_PROBES is 0.
#ifndef WEFT_BASE_PROBE_H
#define WEFT_BASE_PROBE_H

#if defined(__has_include)
#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#define WEFT_PROBES 1
#endif
#endif

#ifdef WEFT_PROBES
#define WEFT_PROBE2(name, a, b)       DTRACE_PROBE2(weft, name, a, b)
#define WEFT_PROBE4(name, a, b, c, d) DTRACE_PROBE4(weft, name, a, b, c, d)
#else
#define WEFT_PROBES                   0
#define WEFT_PROBE2(name, a, b)       ((void)(a), (void)(b))
#define WEFT_PROBE4(name, a, b, c, d) ((void)(a), (void)(b), (void)(c), (void)(d))
#endif

#endif // WEFT_BASE_PROBE_H
