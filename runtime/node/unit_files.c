#include "runtime/node/unit_files.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forth/beneath.h"
#include "runtime/node/unit_limits.h"
#include "runtime/node/unit_sockets.h"
#include "runtime/sched/offload.h"

enum {
    FILES_MAX = 32,    // As forth/state.h has it.
    CHUNK_BYTES = 4096 // Of one read or write.
};

enum what {
    JOB_OPEN,
    JOB_READ,
    JOB_WRITE,
    JOB_FLUSH,
    JOB_RESIZE,
    JOB_DELETE,
    JOB_RENAME,
    JOB_STATUS
};

struct open_file {
    struct weft_io_handle handle;
    uint32_t busy; // Jobs under way.
    bool is_closed;
};

struct job {
    struct weft_list link;        // In unit->files->jobs.
    struct weft_unit_actor *unit; // NULL: nobody waits for it.
    struct weft_node_worker *worker;
    uint32_t level; // Of the text that waits.
    enum what what;
    bool is_done;
    int64_t result; // Bytes, a number, a mode; or an ior.
    struct open_file *file;
    uint64_t size; // Of RESIZE.
    struct weft_io_op op;
    struct iovec span;
    struct open_how how;
    union {
        char name[2][WEFT_BENEATH_NAME_BYTES];
        uint8_t bytes[CHUNK_BYTES];
    };
};

struct weft_unit_files { // From the worker's arena, at the first file.
    struct open_file *open[FILES_MAX];
    uint32_t open_count;
    struct weft_list jobs;
};

static struct weft_unit_files *files_of(struct weft_unit_actor *unit)
{
    if (unit->files != NULL) return unit->files;
    unit->files = weft_arena_alloc_zeroed(unit->worker->arena, sizeof(*unit->files));
    if (unit->files != NULL) weft_list_init(&unit->files->jobs);
    return unit->files;
}

// ---- Open files.

static void release_file(struct weft_node_worker *worker, struct open_file *file)
{
    if (!file->is_closed || file->busy > 0) return;
    const struct weft_io *io = weft_ports_io(&worker->ports);
    if (io != NULL) io->close(io->self, &file->handle, false);
    weft_arena_release(worker->arena, file, sizeof(*file));
}

static struct open_file *file_at(const struct weft_unit_actor *unit, int32_t number)
{
    return unit->files != NULL && number >= 0 && number < FILES_MAX ? unit->files->open[number]
                                                                    : NULL;
}

// The descriptor `fd` as a file of the unit: its number, or an ior.
static int32_t take_file(struct weft_unit_actor *unit, int32_t fd)
{
    struct weft_unit_files *files = unit->files;
    const struct weft_io *io = weft_ports_io(&unit->worker->ports);
    int32_t number = 0, code = weft_beneath_check(fd);
    while (number < FILES_MAX && files->open[number] != NULL)
        number++;
    if (code == 0 && number == FILES_MAX) code = WEFT_UNIT_FILE_TOO_MANY;
    struct open_file *file =
        code == 0 ? weft_arena_alloc_zeroed(unit->worker->arena, sizeof(*file)) : NULL;
    if (file == NULL) {
        io->discard(io->self, fd);
        return code != 0 ? code : WEFT_THROW_ALLOCATE;
    }
    if (io->adopt(io->self, &file->handle, fd) != 0) {
        weft_arena_release(unit->worker->arena, file, sizeof(*file));
        return WEFT_UNIT_FILE_TOO_MANY;
    }
    files->open[number] = file;
    files->open_count++;
    return number;
}

static int32_t file_close(void *self, int32_t number)
{
    struct weft_unit_actor *unit = self;
    struct open_file *file = file_at(unit, number);
    if (file == NULL) return WEFT_THROW_BAD_FILE;
    unit->files->open[number] = NULL;
    unit->files->open_count--;
    file->is_closed = true;
    release_file(unit->worker, file);
    return 0;
}

// What is known of an open file is in memory: no job.
static int64_t file_size(void *self, int32_t number)
{
    struct stat stat;
    const struct open_file *file = file_at(self, number);
    if (file == NULL) return WEFT_THROW_BAD_FILE;
    return fstat(file->handle.number, &stat) == 0 ? (int64_t)stat.st_size : weft_beneath_ior(errno);
}

// ---- Jobs.

static void free_job(struct job *job)
{
    struct weft_node_worker *worker = job->worker;
    const struct weft_io *io = weft_ports_io(&worker->ports);
    // A file that nobody waits for any more.
    if (job->what == JOB_OPEN && job->is_done && job->result >= 0 && io != NULL)
        io->discard(io->self, (int32_t)job->result);
    if (job->file != NULL) release_file(worker, job->file);
    weft_arena_release(worker->arena, job, sizeof(*job));
}

// It goes, or will when it is done.
static void forsake(struct job *job)
{
    weft_list_remove(&job->link);
    job->unit = NULL;
    if (job->is_done) free_job(job);
}

static void is_done(struct job *job, int64_t result)
{
    if (job->file != NULL) job->file->busy--;
    job->is_done = true;
    job->result = result;
    if (job->unit == NULL)
        free_job(job);
    else
        weft_actor_wake(job->unit->actor);
}

static void io_done(struct weft_io_op *op, int32_t result)
{
    struct job *job = WEFT_CONTAINER_OF(op, struct job, op);
    if (job->worker->ports.is_over) return; // All of it goes with the arena.
    is_done(job, result >= 0 ? result : weft_beneath_ior(-result));
}

static void run_blocking(void *self) // On a thread of the pool.
{
    struct job *job = self;
    const int root = job->worker->node->options.unit_files_root;
    switch (job->what) {
    case JOB_RESIZE:
        job->result = ftruncate(job->file->handle.number, (off_t)job->size) == 0
                          ? 0
                          : weft_beneath_ior(errno);
        break;
    case JOB_DELETE: job->result = weft_beneath_delete(root, job->name[0]); break;
    case JOB_RENAME: job->result = weft_beneath_rename(root, job->name[0], job->name[1]); break;
    default: job->result = weft_beneath_status(root, job->name[0]); break;
    }
}

static void blocking_done(struct weft_core *core, void *self, uint64_t argument)
{
    struct job *job = self;
    (void)core;
    (void)argument;
    is_done(job, job->result);
}

static uint32_t level_of(const struct weft_unit_actor *unit)
{
    struct weft_unit_info info;
    weft_unit_inspect(unit->unit, &info);
    return info.levels - 1;
}

static struct job *job_at(struct weft_unit_actor *unit, uint32_t level)
{
    if (unit->files == NULL) return NULL;
    for (struct weft_list *link = unit->files->jobs.next; link != &unit->files->jobs;
         link = link->next) {
        struct job *job = WEFT_CONTAINER_OF(link, struct job, link);
        if (job->level == level) return job;
    }
    return NULL;
}

// The job that the text has asked for, done or not. NULL: none yet.
static struct job *asked(struct weft_unit_actor *unit, enum what what)
{
    struct job *job = job_at(unit, level_of(unit));
    if (job == NULL || job->what == what) return job;
    forsake(job); // Of a text that is not there any more.
    return NULL;
}

static struct job *new_job(struct weft_unit_actor *unit, enum what what, int32_t number)
{
    if (files_of(unit) == NULL) return NULL;
    struct job *job = weft_arena_alloc_zeroed(unit->worker->arena, sizeof(*job));
    if (job == NULL) return NULL;
    job->unit = unit;
    job->worker = unit->worker;
    job->level = level_of(unit);
    job->what = what;
    job->file = file_at(unit, number);
    weft_list_append(&unit->files->jobs, &job->link);
    return job;
}

// Its answer; the job goes.
static int64_t answer_of(struct job *job)
{
    const int64_t result = job->result;
    job->result = WEFT_THROW_BAD_FILE; // What it has opened is the caller's.
    forsake(job);
    return result;
}

static int32_t start_io(struct job *job, enum weft_io_kind kind)
{
    const struct weft_io *io = weft_ports_io(&job->worker->ports);
    job->op.kind = (uint8_t)kind;
    job->op.done = io_done;
    if (job->file != NULL) {
        job->op.handle = &job->file->handle;
        job->file->busy++;
    }
    io->start(io->self, &job->op);
    return WEFT_UNIT_FILE_LATER;
}

static int32_t start_blocking(struct job *job)
{
    const struct weft_offload_work work = {
        .run = run_blocking, .done = blocking_done, .core = &job->worker->core, .self = job};
    struct weft_offload *pool = job->worker->node->actors.pool;
    if (job->file != NULL) job->file->busy++;
    if (pool != NULL && weft_offload_submit(pool, &work) == 0) return WEFT_UNIT_FILE_LATER;
    if (job->file != NULL) job->file->busy--;
    job->is_done = true;
    job->result = pool != NULL ? WEFT_THROW_FULL : WEFT_THROW_UNSUPPORTED;
    return (int32_t)answer_of(job);
}

// ---- What units ask.

static int32_t file_open(void *self, const char *name, size_t length, uint32_t mode)
{
    struct weft_unit_actor *unit = self;
    struct job *job = asked(unit, JOB_OPEN);
    if (job != NULL && !job->is_done) return WEFT_UNIT_FILE_LATER;
    if (weft_ports_io(&unit->worker->ports) == NULL) return WEFT_THROW_UNSUPPORTED;
    if (job != NULL) {
        const int64_t fd = answer_of(job);
        return fd >= 0 ? take_file(unit, (int32_t)fd) : (int32_t)fd;
    }
    if (weft_unit_files_count(unit) >= weft_unit_limit(unit, WEFT_QUOTA_FILES))
        return WEFT_THROW_FILES;
    job = new_job(unit, JOB_OPEN, -1);
    if (job == NULL) return WEFT_THROW_ALLOCATE;
    if (!weft_beneath_name(job->name[0], name, length)) {
        job->is_done = true;
        job->result = WEFT_THROW_NO_FILE;
        return (int32_t)answer_of(job);
    }
    job->how = weft_beneath_how(mode);
    job->op.how = &job->how;
    job->op.root = unit->worker->node->options.unit_files_root;
    job->op.path = job->name[0];
    return start_io(job, WEFT_IO_OPEN);
}

// The job for an open file: to be started, or done. NULL: *ior says what to answer.
static struct job *on_file(struct weft_unit_actor *unit, enum what what, int32_t number,
                           int32_t *ior)
{
    struct job *job = asked(unit, what);
    *ior = WEFT_UNIT_FILE_LATER;
    if (job != NULL) return job->is_done ? job : NULL;
    *ior = WEFT_THROW_BAD_FILE;
    if (file_at(unit, number) == NULL || weft_ports_io(&unit->worker->ports) == NULL) return NULL;
    *ior = WEFT_THROW_ALLOCATE;
    return new_job(unit, what, number);
}

static int64_t file_read(void *self, int32_t number, uint64_t position, void *to, size_t size)
{
    int32_t ior;
    if (position > INT64_MAX) return -36;
    struct job *job = on_file(self, JOB_READ, number, &ior);
    if (job == NULL) return ior;
    if (job->is_done) {
        if (job->result > (int64_t)size) job->result = (int64_t)size;
        if (job->result > 0) memcpy(to, job->bytes, (size_t)job->result);
        return answer_of(job);
    }
    job->op.to = job->bytes;
    job->op.count = (uint32_t)(size < CHUNK_BYTES ? size : CHUNK_BYTES);
    job->op.offset = position;
    return start_io(job, WEFT_IO_READ);
}

static int64_t file_write(void *self, int32_t number, uint64_t position, const void *from,
                          size_t size)
{
    int32_t ior;
    if (position > INT64_MAX) return -36;
    struct job *job = on_file(self, JOB_WRITE, number, &ior);
    if (job == NULL) return ior;
    if (job->is_done) return answer_of(job);
    const size_t length = size < CHUNK_BYTES ? size : CHUNK_BYTES;
    memcpy(job->bytes, from, length);
    job->span = (struct iovec){.iov_base = job->bytes, .iov_len = length};
    job->op.spans = &job->span;
    job->op.count = 1;
    job->op.offset = position;
    return start_io(job, WEFT_IO_WRITE);
}

static int32_t file_flush(void *self, int32_t number)
{
    int32_t ior;
    struct job *job = on_file(self, JOB_FLUSH, number, &ior);
    if (job == NULL) return ior;
    return job->is_done ? (int32_t)answer_of(job) : start_io(job, WEFT_IO_SYNC);
}

static int32_t file_resize(void *self, int32_t number, uint64_t size)
{
    int32_t ior;
    if (size > INT64_MAX) return -36;
    struct job *job = on_file(self, JOB_RESIZE, number, &ior);
    if (job == NULL) return ior;
    if (job->is_done) return (int32_t)answer_of(job);
    job->size = size;
    return start_blocking(job);
}

// A job on one name or two.
static int64_t on_names(struct weft_unit_actor *unit, enum what what, const char *first,
                        size_t first_length, const char *second, size_t second_length)
{
    struct job *job = asked(unit, what);
    if (job != NULL) return job->is_done ? answer_of(job) : WEFT_UNIT_FILE_LATER;
    job = new_job(unit, what, -1);
    if (job == NULL) return WEFT_THROW_ALLOCATE;
    if (weft_beneath_name(job->name[0], first, first_length) &&
        (second == NULL || weft_beneath_name(job->name[1], second, second_length)))
        return start_blocking(job);
    job->is_done = true;
    job->result = WEFT_THROW_NO_FILE;
    return answer_of(job);
}

static int32_t file_delete(void *self, const char *name, size_t length)
{
    return (int32_t)on_names(self, JOB_DELETE, name, length, NULL, 0);
}

static int32_t file_rename(void *self, const char *from, size_t from_length, const char *to,
                           size_t to_length)
{
    return (int32_t)on_names(self, JOB_RENAME, from, from_length, to, to_length);
}

static int64_t file_status(void *self, const char *name, size_t length)
{
    return on_names(self, JOB_STATUS, name, length, NULL, 0);
}

#define FILES                                                                                      \
    .file_open = file_open, .file_close = file_close, .file_read = file_read,                      \
    .file_write = file_write, .file_size = file_size, .file_resize = file_resize,                  \
    .file_flush = file_flush, .file_delete = file_delete, .file_rename = file_rename,              \
    .file_status = file_status
#define NO_FILES .no_files = WEFT_THROW_NO_FILES
#define NET                                                                                        \
    .tcp_open = weft_unit_sockets_open, .tcp_read = weft_unit_sockets_read,                        \
    .tcp_write = weft_unit_sockets_write, .tcp_close = weft_unit_sockets_close
#define NO_NET .no_net = WEFT_THROW_NO_NET

const struct weft_unit_machine *weft_unit_files_machine(const struct weft_node *node)
{
    static const struct weft_unit_machine machines[2][2] = {{{NO_FILES, NO_NET}, {NO_FILES, NET}},
                                                            {{FILES, NO_NET}, {FILES, NET}}};
    return &machines[node->options.unit_files_root > 0][node->options.unit_net_count > 0];
}

void weft_unit_files_abandon(struct weft_unit_actor *unit, uint32_t level)
{
    struct job *job = job_at(unit, level);
    if (job != NULL) forsake(job);
}

uint32_t weft_unit_files_count(const struct weft_unit_actor *unit)
{
    if (unit->files == NULL) return 0;
    uint32_t count = unit->files->open_count;
    const struct weft_list *jobs = &unit->files->jobs;
    for (const struct weft_list *link = jobs->next; link != jobs; link = link->next)
        count += WEFT_CONTAINER_OF(link, struct job, link)->what == JOB_OPEN;
    return count;
}

void weft_unit_files_end(struct weft_unit_actor *unit)
{
    if (unit->files == NULL) return;
    while (!weft_list_empty(&unit->files->jobs))
        forsake(WEFT_CONTAINER_OF(unit->files->jobs.next, struct job, link));
    weft_arena_release(unit->worker->arena, unit->files, sizeof(*unit->files));
    unit->files = NULL;
}
