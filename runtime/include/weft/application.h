// application.h: a supervision tree with a name, arguments and settings, that is started and
// stopped as one (OTP's application). What a module is that is more than one actor.
//
//     static int start(struct weft_actor *self, const struct weft_application_args *args,
//                      weft_pid *top)
//     {
//         return weft_supervisor_start_link(self, &tree, top);
//     }
//     static const struct weft_application shop = {.name = "shop", .start = start};
//     WEFT_MODULE_APPLICATION(shop) // Or, in one's own time:
//
//     weft_application_start(self, &shop, argc, argv, settings, &pid);
//
// An application is an actor of its own, its master, registered as "application:NAME". `start` and
// `stop` run in it: it is the parent of the tree's top. It ends when the top does, with the same
// reason, and when it is stopped. It is not linked to who started it.
//
// Messages: those of server.h; ENV, a CALL with the name of a setting.
// Errors: 0 or a negative errno.
#ifndef WEFT_APPLICATION_H
#define WEFT_APPLICATION_H

#include <weft/module.h>
#include <weft/server.h>

enum { WEFT_APPLICATION_ENV = 0xff50 };

#define WEFT_APPLICATION_NAME_MAX 47 // Bytes; as a name in weft/registry.h.

struct weft_application;

struct weft_application_args { // Of one start. The strings are the master's, as long as it lives.
    const struct weft_application *application;
    int argc;          // As to `main`, but without a name of the program in front.
    char *const *argv; // argv[argc] is NULL.
    size_t env_count;
    const char *const *env; // "KEY=VALUE"; env[env_count] is NULL.
};
// The value of a setting; NULL: it is not set. The last of several counts.
const char *weft_application_setting(const struct weft_application_args *args, const char *key);

// A constant table that outlives the application.
struct weft_application {
    const char *name;
    // Applications that have to run before: they are started first, without arguments, if they do
    // not run yet. Ends with NULL; may be NULL.
    const struct weft_application *const *needs;
    // Builds the tree: 0 and *top (linked; 0 if there is no tree). A negative errno: it does not
    // start.
    int (*start)(struct weft_actor *self, const struct weft_application_args *args, weft_pid *top);
    // After the tree has ended; may wait. Not if the master is killed. May be NULL.
    void (*stop)(struct weft_actor *self, const struct weft_application_args *args);
};

// Starts an application, what it needs first. `env` ends with NULL, and may be NULL. 0 and *master;
// what a `start` has returned; -EALREADY: it runs, as *master; -ELOOP: it needs itself; -EINVAL: a
// bad name, or a setting without "=". Those that it needs go on if it does not start.
int weft_application_start(struct weft_actor *self, const struct weft_application *application,
                           int argc, char *const *argv, const char *const *env, weft_pid *master);
// Ends the tree in order (SHUTDOWN, for as long as its supervisors allow), then `stop`. 0; -ESRCH:
// it does not run; -ETIMEDOUT: it is still about it.
int weft_application_stop(struct weft_actor *self, const char *name, uint64_t timeout_ns);
weft_pid weft_application_find(const struct weft_actor *self, const char *name); // 0: none runs.

// Copies a setting of a running application, with its zero. 0; -ESRCH; -ENOENT: it is not set;
// -ENOBUFS: it has more than `limit` bytes; -EDEADLK: it is being started, by the caller's doing:
// then `start` hands on what is wanted.
int weft_application_env(struct weft_actor *self, const char *name, const char *key, char *value,
                         size_t limit);

// ---- As a module.

// The life of a module's first actor whose module is an application: starts it, linked, and ends
// with it and its reason; FAULT, with a line in the log, if it does not start. argv[0] is left out;
// then come settings, as long as words have a "=" in them, then arguments: `weft actor load shop.so
// -- town=Ulm apples`. An exit signal ends the application in order, and a kill of the first actor
// does, too; its other messages are not received.
_Noreturn void weft_application_run(struct weft_actor *self,
                                    const struct weft_application *application, int argc,
                                    char *const *argv);

// In place of WEFT_MODULE: this file's module is the constant `application`.
#define WEFT_MODULE_APPLICATION(application)                                                       \
    static void weft_module_main(struct weft_actor *self, int argc, char *const *argv)             \
    {                                                                                              \
        weft_application_run(self, &(application), argc, argv);                                    \
    }                                                                                              \
    WEFT_MODULE(weft_module_main)

#endif // WEFT_APPLICATION_H
