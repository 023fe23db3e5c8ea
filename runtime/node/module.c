#include "runtime/node/module.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/module/module_file.h"

// A module that has been loaded. Never freed: its actors' kind lies in it, and its code stays.
struct weft_loaded {
    struct weft_node_block block; // First.
    struct weft_actor_kind kind;
    const struct weft_module *module;
    char file[64]; // What the kind is called.
};

// ---- On the worker: the first actor.

// Its arguments are its first message.
static void run_main(struct weft_actor *self, void *state)
{
    const struct weft_loaded *loaded = state;
    char *argv[WEFT_MODULE_ARGS_MAX + 2];
    int argc = 0;
    struct weft_message *message = weft_receive(self, WEFT_FOREVER);
    if (message == NULL || weft_keep(self, message) != 0) {
        weft_say(self, WEFT_LEVEL_ERROR, "no memory for its arguments");
        weft_exit(self, WEFT_EXIT_QUOTA);
    }
    for (char *at = (char *)message->payload, *end = at + message->length;
         at < end && argc <= WEFT_MODULE_ARGS_MAX;) {
        argv[argc++] = at;
        at += strlen(at) + 1;
    }
    argv[argc] = NULL;
    loaded->module->main(self, argc, argv);
}

static int send_args(struct weft_actor_system *system, const struct weft_module_load *load)
{
    const size_t name_bytes = strlen(load->name) + 1;
    struct weft_message *message =
        weft_message_alloc(system, (uint32_t)(name_bytes + load->args_bytes));
    if (message == NULL) return -ENOMEM;
    message->to = load->started;
    message->tag = WEFT_MESSAGE_PORT;
    memcpy(message->payload, load->name, name_bytes);
    memcpy(message->payload + name_bytes, load->args, load->args_bytes);
    return weft_actor_send(system, message);
}

static enum weft_order_step start(struct weft_order *order, struct weft_node_worker *worker,
                                  struct weft_actor *actor)
{
    struct weft_module_load *load = WEFT_CONTAINER_OF(order, struct weft_module_load, order);
    const struct weft_spawn spawn = {
        .kind = &load->loaded->kind, .state = load->loaded, .label = load->name};
    (void)actor;
    order->result = weft_actor_spawn(&worker->actors, &spawn, 0, &load->started);
    if (order->result != 0) return WEFT_ORDER_DONE;
    order->result = send_args(&worker->actors, load);
    if (order->result == 0)
        order->result = weft_actor_register(&worker->actors, load->name, load->started);
    if (order->result != 0)
        weft_actor_kill(&worker->actors, load->started, WEFT_EXIT_NORMAL); // It has not begun.
    return WEFT_ORDER_DONE;
}

// ---- On the control core: the file.

struct contents {
    uint8_t *bytes;
    size_t length;
};

// Read and not mapped: a linker that cuts the file short would end us by a SIGBUS.
static int read_all(int fd, struct contents *contents)
{
    contents->bytes =
        mmap(NULL, contents->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (contents->bytes == MAP_FAILED) return -1;
    for (size_t done = 0; done < contents->length;) {
        const ssize_t got = read(fd, contents->bytes + done, contents->length - done);
        if (got < 0 && errno == EINTR) continue;
        if (got > 0) {
            done += (size_t)got;
            continue;
        }
        const int why = got < 0 ? errno : EBUSY; // It has become shorter: somebody writes it.
        munmap(contents->bytes, contents->length);
        errno = why;
        return -1;
    }
    return 0;
}

static int read_module(const char *path, struct contents *contents, struct weft_error *error)
{
    struct stat about;
    const int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // A pipe is refused, not waited for.
    int result = -1;
    if (fd < 0 || fstat(fd, &about) < 0) {
        weft_error_set(error, 802, "%s: %s", path, strerror(errno));
    } else if (!S_ISREG(about.st_mode) || about.st_size == 0) {
        weft_error_set(error, 802, "%s: is no file with anything in it", path);
    } else {
        contents->length = (size_t)about.st_size;
        result = read_all(fd, contents);
        if (result != 0) weft_error_set(error, 802, "%s: %s", path, strerror(errno));
    }
    if (fd >= 0) close(fd);
    return result;
}

// Writes a copy that nobody else changes: the linker, writing the next build over the file, would
// change the code under the actors that run it.
static int write_copy(const struct contents *contents, const char *path, struct weft_error *error)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0500);
    size_t done = 0;
    while (fd >= 0 && done < contents->length) {
        const ssize_t put = write(fd, contents->bytes + done, contents->length - done);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) break;
        done += (size_t)put;
    }
    const int why = errno;
    if (fd >= 0) close(fd);
    if (fd >= 0 && done == contents->length) return 0;
    if (fd >= 0) unlink(path);
    return weft_error_set(error, 107, "%s: %s", path, strerror(why));
}

// DIRECTORY/NUMBER/FILE: so that a crash report names the file as its user does.
static int place_copy(const char *directory, uint32_t number, const char *path, char *copy,
                      size_t size, struct weft_error *error)
{
    const char *slash = strrchr(path, '/');
    snprintf(copy, size, "%s/%u", directory, number);
    if (mkdir(copy, 0700) < 0) return weft_error_set(error, 107, "%s: %s", copy, strerror(errno));
    const size_t used = strlen(copy);
    snprintf(copy + used, size - used, "/%s", slash != NULL ? slash + 1 : path);
    return 0;
}

static struct weft_loaded *load_copy(struct weft_node *node, const char *copy, const char *path,
                                     struct weft_error *error)
{
    const char *slash = strrchr(path, '/'), *file = slash != NULL ? slash + 1 : path;
    struct weft_loaded *loaded = calloc(1, sizeof(*loaded));
    void *handle = dlopen(copy, RTLD_NOW | RTLD_LOCAL);
    const struct weft_module *module = handle != NULL ? dlsym(handle, "weft_module") : NULL;
    if (loaded != NULL && module != NULL && module->main != NULL) {
        snprintf(loaded->file, sizeof(loaded->file), "%s", file);
        loaded->module = module;
        loaded->kind = (struct weft_actor_kind){.name = loaded->file, .main = run_main};
        loaded->block.next = node->blocks;
        node->blocks = &loaded->block;
        return loaded;
    }
    const char *why = handle == NULL ? dlerror() : "it does not say what to run";
    // The loader names the copy, which means nothing to anybody.
    const size_t length = strlen(copy);
    if (strncmp(why, copy, length) == 0 && why[length] == ':') why += length + 2;
    weft_error_set(error, 802, "%s: %s", file, why);
    if (handle == NULL)
        weft_error_hint(error, "a node gives what weft/weft.h declares; other libraries have to be "
                               "named when it is linked");
    if (handle != NULL) dlclose(handle);
    free(loaded);
    unlink(copy);
    return NULL;
}

static struct weft_loaded *load_file(struct weft_node *node, const char *directory,
                                     const char *path, const char *name, struct weft_error *error)
{
    const char *slash = strrchr(path, '/');
    struct contents contents;
    struct weft_module_file about;
    struct weft_loaded *loaded = NULL;
    char copy[512];
    if (read_module(path, &contents, error) != 0) return NULL;
    if (mkdir(directory, 0700) < 0 && errno != EEXIST) {
        weft_error_set(error, 107, "%s: %s", directory, strerror(errno));
    } else if (weft_module_file_check(contents.bytes, contents.length,
                                      slash != NULL ? slash + 1 : path, &about, error) == 0) {
        if (place_copy(directory, ++node->module_count, path, copy, sizeof(copy), error) == 0 &&
            write_copy(&contents, copy, error) == 0)
            loaded = load_copy(node, copy, path, error);
        const struct weft_stacks_view stacks = weft_stacks_view(node->workers[0].actors.stacks);
        if (loaded != NULL && !about.is_checked && stacks.guard == WEFT_STACK_CHECKS)
            weft_log(&node->control.log, WEFT_LOG_WARN, "actor",
                     "%s: %s does not check its stack, and this kernel has no guard pages: build "
                     "it with the flags of pkg-config --cflags weft",
                     name, loaded->file);
    }
    munmap(contents.bytes, contents.length);
    return loaded;
}

int weft_module_load(struct weft_module_load *load, struct weft_node *node, const char *directory,
                     const char *path, const char *args, size_t args_bytes,
                     struct weft_error *error)
{
    if (weft_actor_whereis(&node->actors, load->name) != 0)
        return weft_error_set(error, 803, "an actor named '%s' runs here already", load->name);
    if (args_bytes > sizeof(load->args))
        return weft_error_set(error, 504, "the arguments of '%s' are longer than %zu bytes",
                              load->name, sizeof(load->args));
    if (args_bytes > 0) memcpy(load->args, args, args_bytes);
    load->args_bytes = args_bytes;
    load->loaded = load_file(node, directory, path, load->name, error);
    if (load->loaded == NULL) return -1;
    load->order.node = node;
    load->order.pid = 0;
    load->order.step = start;
    if (weft_order_send(&load->order, WEFT_PRIORITY_HIGH) == 0) return 0;
    return weft_error_set(error, 505, "core %u takes no orders at the moment", load->order.core);
}

static void remove_copy(int directory, const char *number)
{
    const int fd = openat(directory, number, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
    if (entries == NULL) {
        if (fd >= 0) close(fd);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (entry->d_name[0] != '.') unlinkat(fd, entry->d_name, 0);
    closedir(entries);
    unlinkat(directory, number, AT_REMOVEDIR);
}

void weft_module_clean(const char *directory)
{
    DIR *entries = opendir(directory);
    if (entries == NULL) return;
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
            remove_copy(dirfd(entries), entry->d_name);
    closedir(entries);
    rmdir(directory);
}
