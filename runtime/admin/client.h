// client.h: asks a node's admin port over its unix socket, loopback TCP or, as its owner, TLS, and
// waits for the answer.
//
// For the tool, tests and the lab: it blocks, so never on a core that turns. One connection per
// call. Errors: -1 with `error`: W0501 not reachable or no HTTP, W0505 not in time. An answer with
// an error status is an answer: weft_client_problem makes an error of it.
#ifndef WEFT_ADMIN_CLIENT_H
#define WEFT_ADMIN_CLIENT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/error.h"

#define WEFT_CLIENT_BODY_BYTES_MAX (64u << 20)

struct weft_client_target {
    char name[64];  // For messages: "n1".
    char path[108]; // The unix socket; empty: TCP.
    uint16_t port;
    char host[128];       // Empty: 127.0.0.1, in the clear; else TLS, to this host.
    char token[260];      // The owner's; with a host. Empty: none is sent.
    char key[256];        // File of the owner's private key, with a host; empty: none is shown.
    char fingerprint[65]; // SHA-256 of the certificate; empty: any, which is for loopback alone.
};

// Fills `target` from "https://HOST[:PORT]". 0, or -1 with W0504 in `error`: no such address, or no
// token, or no fingerprint where the host is not this machine.
int weft_client_target_owner(struct weft_client_target *target, const char *url, const char *token,
                             const char *fingerprint, struct weft_error *error);

// The same for an owner who is known by a key: `key` is the file of the private one. It is not
// opened here.
int weft_client_target_keyed(struct weft_client_target *target, const char *url, const char *key,
                             const char *fingerprint, struct weft_error *error);

// What the certificate of target->host is, whosever it may be: nothing is sent, no token either.
// 0, or -1 with W0501, W0505.
int weft_client_fingerprint(const struct weft_client_target *target, char fingerprint[65],
                            struct weft_error *error);

// A body that is sent as it is read.
struct weft_client_upload {
    uint64_t bytes; // In all.
    // Gives the next 1 to `limit` bytes, or a negative errno.
    int64_t (*read)(void *self, char *bytes, size_t limit);
    void *self;
};

struct weft_client_call {
    const char *method, *path; // "GET", "/api/v1/node".
    const char *accept;        // NULL: application/json.
    const char *body;          // NULL: none.
    const char *body_type;     // NULL: application/json.
    size_t body_length;
    const struct weft_client_upload *upload; // Instead of `body`, and only with weft_client_ask.
    uint32_t timeout_ms; // To connect and for the answer; of a stream, until its headers. 0: 10 s.
};

struct weft_client_answer {
    unsigned status;
    char media_type[64];
    char *body; // Zero-terminated; released by weft_client_answer_destroy.
    size_t length;
};

int weft_client_ask(const struct weft_client_target *target, const struct weft_client_call *call,
                    struct weft_client_answer *answer, struct weft_error *error);
void weft_client_answer_destroy(struct weft_client_answer *answer);

// Asks for JSON and parses it: the document, or NULL with `error` filled also from a problem, and
// *status (0: not reached). `json` (may be NULL) is the body.
json_t *weft_client_json(const struct weft_client_target *target, const char *method,
                         const char *path, const json_t *json, uint32_t timeout_ms,
                         unsigned *status, struct weft_error *error);

// The same, but an answer that is a problem is returned too (status 400 and above), for callers
// that want more of it than its text. NULL only if there was no answer, or none in JSON.
json_t *weft_client_exchange(const struct weft_client_target *target, const char *method,
                             const char *path, const json_t *json, uint32_t timeout_ms,
                             unsigned *status, struct weft_error *error);

// Hands body bytes to `take` as they come, until the other side ends it (0), `take` returns a
// negative (0), or SIGINT etc. make a read fail with EINTR and `stopped` (may be NULL) says so (0).
int weft_client_stream(const struct weft_client_target *target, const struct weft_client_call *call,
                       int (*take)(void *self, const char *bytes, size_t length), void *self,
                       const volatile int *stopped, struct weft_error *error);

// A stream whose descriptor the caller waits for among others: open connects, asks and returns it;
// read takes what is there: 1 more to come, 0 ended, -1 with `error`.
struct weft_client_stream;
struct weft_client_stream *weft_client_stream_open(const struct weft_client_target *target,
                                                   const struct weft_client_call *call,
                                                   int (*take)(void *self, const char *bytes,
                                                               size_t length),
                                                   void *self, struct weft_error *error);
int weft_client_stream_fd(const struct weft_client_stream *stream);
int weft_client_stream_read(struct weft_client_stream *stream, struct weft_error *error);
void weft_client_stream_close(struct weft_client_stream *stream);

// What a problem document says; a generic W0501/W0503 if it is none.
void weft_client_problem(unsigned status, const json_t *problem, struct weft_error *error);

// Server-sent events out of a stream's bytes: `event` gets each data line whole. Embed and zero it.
struct weft_client_sse {
    void (*event)(void *self, const char *data, size_t length);
    void *self;
    char line[8192];
    size_t line_length;
    int cut; // The line is longer than that and is left out.
};
int weft_client_sse_take(void *sse, const char *bytes, size_t length); // For `take`.

#endif // WEFT_ADMIN_CLIENT_H
