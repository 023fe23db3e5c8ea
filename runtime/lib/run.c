// weft-run: a module without a node, in this process: what `weft actor run` starts. Its actors say
// what they say on standard error.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/weft.h>

#include "runtime/module/module_file.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 64, EXIT_INPUT = 65, EXIT_INTERNAL = 70 };

static const char usage_text[] =
    "usage: weft-run [--workers N] [--checked] FILE.so [-- ARG...]\n"
    "\n"
    "Runs a module of Weft in this process until its first actor ends.\n"
    "\n"
    "  --workers N    threads that run actors; one for each CPU if absent\n"
    "  --checked      as on a kernel without guard pages for a million stacks\n"
    "  --version, --help\n"
    "\n"
    "exit codes: 0 it ended as it should, 1 it failed, 64 usage, 65 the file is no module\n";

struct options {
    const char *file;
    uint16_t workers;
    bool checked;
    int argc; // Of the module: argv[0] is its name.
    char **argv;
};

static int read_options(struct options *options, int argc, char **argv)
{
    static const struct option longs[] = {{"workers", required_argument, NULL, 'w'},
                                          {"checked", no_argument, NULL, 'c'},
                                          {"version", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int letter;
    *options = (struct options){0};
    while ((letter = getopt_long(argc, argv, "+w:h", longs, NULL)) != -1) {
        switch (letter) {
        case 'w':
            if (atoi(optarg) < 1 || atoi(optarg) > 63) return EXIT_USAGE;
            options->workers = (uint16_t)atoi(optarg);
            break;
        case 'c': options->checked = true; break;
        case 'v': printf("weft-run %s\n", WEFT_VERSION); exit(0);
        case 'h': fputs(usage_text, stdout); exit(0);
        default: return EXIT_USAGE;
        }
    }
    if (optind == argc) return EXIT_USAGE;
    options->file = argv[optind];
    if (optind + 1 < argc && strcmp(argv[optind + 1], "--") == 0) {
        argv[optind + 1] = argv[optind];
        optind++;
    }
    options->argv = argv + optind;
    options->argc = argc - optind;
    return 0;
}

static int check_file(const char *path, struct weft_module_file *file)
{
    struct weft_error error = {0};
    struct stat about;
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    void *bytes = MAP_FAILED;
    int result = -1;
    if (fd < 0 || fstat(fd, &about) < 0)
        weft_error_set(&error, 802, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(about.st_mode) || about.st_size == 0)
        weft_error_set(&error, 802, "%s: is no file with anything in it", path);
    else if ((bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0)) ==
             MAP_FAILED)
        weft_error_set(&error, 802, "%s: %s", path, strerror(errno));
    else
        result = weft_module_file_check(bytes, (size_t)about.st_size, name, file, &error);
    if (bytes != MAP_FAILED) munmap(bytes, (size_t)about.st_size);
    if (fd >= 0) close(fd);
    if (result == 0) return 0;
    fprintf(stderr, "error[W%04u] %s\n", error.code, error.text);
    if (error.hint[0] != '\0') fprintf(stderr, "hint: %s\n", error.hint);
    return result;
}

static const struct weft_module *load(const char *path)
{
    char absolute[PATH_MAX];
    if (realpath(path, absolute) == NULL) return NULL; // Was there a moment ago.
    void *handle = dlopen(absolute, RTLD_NOW | RTLD_LOCAL);
    const struct weft_module *module = handle != NULL ? dlsym(handle, "weft_module") : NULL;
    if (module != NULL && module->main != NULL) return module;
    fprintf(stderr, "error[W0802] %s: %s\n", path,
            handle == NULL ? dlerror() : "it does not say what to run");
    return NULL;
}

struct run {
    const struct weft_module *module;
    const struct options *options;
};

static void run_main(struct weft_actor *self, void *state)
{
    const struct run *run = state;
    run->module->main(self, run->options->argc, run->options->argv);
}

// "path/counter.so" to "counter".
static void name_of(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash != NULL) memmove(path, slash + 1, strlen(slash + 1) + 1);
    char *dot = strrchr(path, '.');
    if (dot != NULL && dot != path) *dot = '\0';
}

int main(int argc, char **argv)
{
    struct options options;
    struct weft_module_file file;
    uint16_t reason = WEFT_EXIT_NORMAL;
    int error = read_options(&options, argc, argv);
    if (error != 0) {
        fputs(usage_text, stderr);
        return error;
    }
    if (check_file(options.file, &file) != 0) return EXIT_INPUT;
    struct run run = {.module = load(options.file), .options = &options};
    if (run.module == NULL) return EXIT_INPUT;
    options.argv[0] = strdup(options.file);
    if (options.argv[0] != NULL) name_of(options.argv[0]);
    const struct weft_runtime_options runtime_options = {.worker_count = options.workers,
                                                         .checked_stacks = options.checked,
                                                         .log_level = WEFT_LEVEL_INFO};
    struct weft_runtime *runtime = weft_runtime_create(&runtime_options, &error);
    if (runtime == NULL) {
        fprintf(stderr, "weft-run: the runtime does not start: %s\n", strerror(-error));
        return EXIT_INTERNAL;
    }
    if (options.checked && !file.is_checked)
        fprintf(stderr,
                "warn: %s was not built with the flags of pkg-config --cflags weft: it "
                "does not check its stack\n",
                options.file);
    static const struct weft_actor_kind kind = {.name = "main", .main = run_main};
    const struct weft_spawn first = {.kind = &kind, .state = &run, .label = options.argv[0]};
    error = weft_runtime_run(runtime, &first, &reason);
    weft_runtime_free(runtime);
    free(options.argv[0]);
    if (error != 0) fprintf(stderr, "weft-run: %s\n", strerror(-error));
    if (error != 0) return EXIT_INTERNAL;
    if (!weft_exit_is_failure(reason)) return 0;
    fprintf(stderr, "weft-run: %s ended: %s\n", options.file, weft_exit_name(reason));
    return EXIT_FAILED;
}
