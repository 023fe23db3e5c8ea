// crash_files.h: where a process that ends by a fault leaves its report, and who reads it.
//
// The report of a process that crashed is DIR/crash-TIME.new until the next one has told people of
// it; then it is DIR/crash-TIME.txt. The newest few are kept.
#ifndef WEFT_NODE_CRASH_FILES_H
#define WEFT_NODE_CRASH_FILES_H

#include <stddef.h>
#include <stdint.h>

#define WEFT_CRASH_FILES_KEPT 8

// Where a process that started at `wall_ns` would leave its report.
void weft_crash_files_path(const char *directory, uint64_t wall_ns, char *path, size_t size);
// Renames what earlier processes left and removes the oldest. The newest that nobody was told of
// in `path`; "" if there is none. How many there were. Control core, at start.
uint32_t weft_crash_files_take(const char *directory, char *path, size_t size);

#endif // WEFT_NODE_CRASH_FILES_H
