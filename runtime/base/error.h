// error.h: errors that a person reads. Each has a stable code Wnnnn that `weft help Wnnnn`
// explains.
//
// Inside, a failure is a negative errno. This is what a failure becomes at the edge: what
// failed and where (`text`), and what to do (`hint`). The table is the one source for help and
// docs.
#ifndef WEFT_BASE_ERROR_H
#define WEFT_BASE_ERROR_H

#include <stdint.h>

// X(CODE, "title", "explanation and cure, several sentences")
// 01xx config, 02xx host and devices, 03xx keys and mesh, 04xx units and Forth, 05xx admin and
// tool, 06xx lab, 07xx journal, 08xx actors and modules, 09xx the image and its updates.
#define WEFT_ERROR_TABLE(X)                                                                        \
    X(0101, "unknown key in the configuration",                                                    \
      "The file has a key that Weft does not know. A misspelt key would otherwise be ignored in "  \
      "silence, so it is an error. `weft config explain` lists every key.")                        \
    X(0102, "the configuration file is not valid TOML",                                            \
      "The text breaks a rule of TOML 1.0 at the line and column shown.")                          \
    X(0103, "a value has the wrong type", "`weft config explain KEY` shows the type expected.")    \
    X(0104, "a value is out of range", "`weft config explain KEY` shows the range.")               \
    X(0105, "a required key is missing", "Add the key named to the file.")                         \
    X(0106, "two values contradict each other", "The message names both; change one.")             \
    X(0107, "a file named in the configuration cannot be used",                                    \
      "It is missing, not readable, or others may read it although it holds a secret "             \
      "(chmod 600).")                                                                              \
    X(0201, "the packet layer did not start", "DPDK refused; its own words are in the message.")   \
    X(0202, "a port did not start", "The device is missing, busy, or not permitted.")              \
    X(0203, "no memory of the size wanted", "Lower [memory], or give the machine more.")           \
    X(0301, "the cluster key cannot be used",                                                      \
      "A key file holds 32 random bytes in hex (64 digits) and has mode 0600. `weft mesh keygen "  \
      "FILE` makes one.")                                                                          \
    X(0401, "the unit's source has an error", "Line, column and the word are in the message.")     \
    X(0402, "there is no such unit", "`weft unit ls` shows the units of every node.")              \
    X(0403, "a unit of that name exists", "Choose another --name, or `weft unit unload` it.")      \
    X(0404, "the unit used up its quota",                                                          \
      "One text ran longer than it may, or asked for more memory than the unit may have. It was "  \
      "ended with a THROW; what it had done until then stays done, and the unit lives on. "        \
      "units.eval_reductions, units.eval_timeout and units.memory_max are the limits.")            \
    X(0405, "the unit, or the node, is busy",                                                      \
      "It evaluates another text, or units are being restored. Try again.")                        \
    X(0406, "a saved state cannot be used",                                                        \
      "The file is no unit's state or no snapshot, is damaged, or was written by another build "   \
      "or "                                                                                        \
      "for other limits; the message says which. Nothing of it has been used.")                    \
    X(0501, "the node cannot be reached", "It is not running, or its admin socket is elsewhere.")  \
    X(0502, "not permitted", "Writes need the node's own user or root on the unix socket.")        \
    X(0503, "no such thing on this node", "The path or name is unknown.")                          \
    X(0504, "the request is malformed", "The message says what was expected.")                     \
    X(0505, "the node did not answer in time", "It may be overloaded: see `weft core ls`.")        \
    X(0601, "a lab is running already", "`weft lab down` stops it; one lab per user and name.")    \
    X(0602, "no lab is running", "`weft lab up` starts one.")                                      \
    X(0603, "the lab's network could not be made",                                                 \
      "The kernel refused a namespace or an interface. `weft lab up --link vhost` needs neither.") \
    X(0604, "a node did not become ready", "The end of its log is printed above.")                 \
    X(0701, "the journal is damaged",                                                              \
      "A block that had been acknowledged no longer reads back. The node does not start on half "  \
      "a journal by itself.")                                                                      \
    X(0801, "there is no such actor",                                                              \
      "An actor is named by its registered name or by its pid, 16 hex digits. It may have ended: " \
      "a pid is never used again. `weft actor ls` shows those that there are.")                    \
    X(0802, "the module cannot be loaded",                                                         \
      "It is no shared object of this node's CPU, or was built for another version of Weft, or "   \
      "its own start failed; the message says which. `pkg-config --cflags weft` has the flags.")   \
    X(0803, "an actor of that name exists", "Choose another --name, or `weft actor kill` it.")     \
    X(0804, "the actor is the node's own",                                                         \
      "The journal, the mesh and the like are actors too; without them the node is none. A unit "  \
      "is ended by `weft unit kill`.")                                                             \
    X(0805, "the actor did not take the message",                                                  \
      "Its mailbox is full, or it ended, or it refused to answer; the message says which.")        \
    X(0901, "this node does not run from an image",                                                \
      "Updates, slots, resets and reboots are of machines that were flashed with Weft's image. "   \
      "What runs as a program is updated as a program.")                                           \
    X(0902, "the update or image is damaged",                                                      \
      "It is cut short, or its bytes are not those that were signed. Fetch it again.")             \
    X(0903, "not signed by a key that is trusted",                                                 \
      "A node takes what the keys of its own image signed (/etc/weft/update.pub); the tool takes " \
      "--key FILE.")                                                                               \
    X(0904, "the release does not fit this node",                                                  \
      "It is for another CPU, too large for the slot, older than this node goes back, has failed " \
      "here before, or is not there; the message says which.")                                     \
    X(0905, "not now",                                                                             \
      "Another update runs, or this release is on trial itself: it is good once /readyz answers.") \
    X(0906, "a disk could not be read or written", "The message says which, and what failed.")     \
    X(0907, "this disk is not written to",                                                         \
      "It is in use, too small, no disk, or was not named when asked.")

struct weft_error {
    uint16_t code;  // 101 for W0101; 0 for none.
    char text[512]; // What failed, where and why.
    char hint[256]; // What to do. May be empty.
};

struct weft_error_info {
    uint16_t code;
    const char *title;
    const char *explanation;
};

// Fills `error` (NULL is allowed: then nothing happens). printf rules. Returns -1 for the caller's
// use.
__attribute__((format(printf, 3, 4))) int weft_error_set(struct weft_error *error, uint16_t code,
                                                         const char *format, ...);
__attribute__((format(printf, 2, 3))) void weft_error_hint(struct weft_error *error,
                                                           const char *format, ...);

// The entry of `code`, or NULL. `weft_error_at` walks the table: NULL past its end.
const struct weft_error_info *weft_error_find(uint16_t code);
const struct weft_error_info *weft_error_at(uint32_t index);

#endif // WEFT_BASE_ERROR_H
