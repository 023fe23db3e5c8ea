// Supervisor tree: a worker that crashes over one of its jobs is started again and goes on, because
// what it has done is kept by somebody else. The module is an application: a tree with a name,
// which ends when its work is done.
#include <string.h>

#include <weft/weft.h>

enum { JOBS = 5, BAD_JOB = 3, NEXT = 1 };

// What has to outlive a crash stands in an actor so simple that it does not crash.
struct progress {
    uint32_t job;
};

static void progress_call(struct weft_actor *self, void *state, struct weft_message *call)
{
    struct progress *progress = state;
    progress->job++; // Taken before it is tried: a job that kills its worker does so once.
    weft_reply(self, call, NEXT, &progress->job, sizeof(progress->job));
}

static const struct weft_server progress_server = {WEFT_SERVER("progress", struct progress),
                                                   .call = progress_call};

static void worker(struct weft_actor *self, void *state)
{
    struct weft_message *reply;
    uint32_t job;
    (void)state;
    // By name: after a restart a pid would be that of somebody who is gone.
    while (weft_call(self, weft_whereis(self, "progress"), NEXT, NULL, 0, WEFT_FOREVER, &reply) ==
           0) {
        memcpy(&job, reply->payload, sizeof(job));
        if (job > JOBS) return; // Done: TRANSIENT, so it is not started again.
        // A null pointer or a runaway recursion would end it just so, with a report in the log.
        if (job == BAD_JOB) weft_exit(self, WEFT_EXIT_FAULT);
        weft_say(self, WEFT_LEVEL_INFO, "job %u is done", job);
    }
    weft_exit(self, WEFT_EXIT_FAULT);
}
static const struct weft_actor_kind worker_kind = {.name = "worker", .main = worker};

// In order of start. Whoever is needed stands before those who need it.
static const struct weft_child children[] = {
    {.id = "progress", .server = &progress_server, .name = "progress"},
    {.id = "worker",
     .kind = &worker_kind,
     .restart = WEFT_RESTART_TRANSIENT, // After a crash, but not after its own end.
     .significant = true},
};
static const struct weft_supervisor_spec tree = {
    .strategy = WEFT_REST_FOR_ONE,  // If "progress" crashed the worker would be started again, too;
    .auto_shutdown = WEFT_AUTO_ANY, // and when the significant child is done all of it ends.
    .children = children,
    .child_count = 2,
    .restart_max = 3, // More crashes than that in a second: give up, and let who started us decide.
    .period_ns = 1000000000,
};

static int start(struct weft_actor *self, const struct weft_application_args *args, weft_pid *top)
{
    (void)args;
    return weft_supervisor_start_link(self, &tree, top);
}

static const struct weft_application jobs = {.name = "jobs", .start = start};
WEFT_MODULE_APPLICATION(jobs)
