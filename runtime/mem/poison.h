// poison.h: tells AddressSanitizer which bytes nobody owns; nothing at all in other builds.
#ifndef WEFT_MEM_POISON_H
#define WEFT_MEM_POISON_H

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_ASAN 1
#endif
#endif
#if !defined(WEFT_ASAN) && defined(__SANITIZE_ADDRESS__)
#define WEFT_ASAN 1
#endif

#ifdef WEFT_ASAN
#include <sanitizer/asan_interface.h>
#endif

static inline void weft_poison(const void *start, size_t bytes)
{
#ifdef WEFT_ASAN
    ASAN_POISON_MEMORY_REGION(start, bytes);
#else
    (void)start, (void)bytes;
#endif
}

static inline void weft_unpoison(const void *start, size_t bytes)
{
#ifdef WEFT_ASAN
    ASAN_UNPOISON_MEMORY_REGION(start, bytes);
#else
    (void)start, (void)bytes;
#endif
}

#endif // WEFT_MEM_POISON_H
