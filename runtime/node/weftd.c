// weftd: one node. Reads its configuration, opens its devices, turns its cores until it is told to
// stop.
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "runtime/admin/appliance.h"
#include "runtime/admin/owner.h"
#include "runtime/admin/server.h"
#include "runtime/node/control_actor.h"
#include "runtime/node/machine.h"

enum { EXIT_DONE = 0, EXIT_USAGE = 64, EXIT_INTERNAL = 70, EXIT_CONFIG = 78 };

#define DRAIN_NS (2 * WEFT_NS_PER_S) // How long a stop waits for answers, and for the journal.

struct options {
    const char *config_path;
    int listen_fd; // -1: as configured.
    int ready_fd;  // -1: nobody waits.
};

struct daemon {
    struct weft_config config;
    struct weft_machine machine;
    struct weft_control control;
    struct weft_admin_server *server;
    struct weft_appliance appliance;
    char init_socket[320], boot_file[320]; // Of the image's first process.
    struct weft_owner owner; // With admin.owner_token or owner_key: its TLS, and whom it answers.
    int signal_fd;
    bool stop;
};

static const char usage_text[] =
    "usage: weftd --config FILE [--listen-fd N] [--ready-fd N]\n"
    "\n"
    "Runs one Weft node until SIGTERM or SIGINT.\n"
    "\n"
    "  --config FILE    its TOML file (weft.toml(5); `weft config check FILE` checks it)\n"
    "  --listen-fd N    an inherited, listening TCP socket for the admin port\n"
    "  --ready-fd N     write \"ready\" to this descriptor once /readyz answers yes\n"
    "  --version, --help\n"
    "\n"
    "exit codes: 0 stopped as asked, 64 usage, 70 it could not start, 78 bad configuration\n";

static int to_fd(const char *text)
{
    char *end;
    const long value = strtol(text, &end, 10);
    return *text != '\0' && *end == '\0' && value >= 0 && value < 65536 ? (int)value : -1;
}

static int read_options(struct options *options, int argc, char **argv)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'},   {"listen-fd", required_argument, NULL, 'l'},
        {"ready-fd", required_argument, NULL, 'r'}, {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0}};
    int letter;
    *options = (struct options){.listen_fd = -1, .ready_fd = -1};
    while ((letter = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
        switch (letter) {
        case 'c': options->config_path = optarg; break;
        case 'l':
            if ((options->listen_fd = to_fd(optarg)) < 0) return EXIT_USAGE;
            break;
        case 'r':
            if ((options->ready_fd = to_fd(optarg)) < 0) return EXIT_USAGE;
            break;
        case 'v': printf("weftd %s\n", WEFT_VERSION); exit(EXIT_DONE);
        case 'h': fputs(usage_text, stdout); exit(EXIT_DONE);
        default: return EXIT_USAGE;
        }
    }
    return options->config_path != NULL && optind == argc ? 0 : EXIT_USAGE;
}

static int print_error(const struct weft_error *error)
{
    fprintf(stderr, "weftd: error[W%04u] %s\n", error->code, error->text);
    if (error->hint[0] != '\0') fprintf(stderr, "hint: %s\n", error->hint);
    fprintf(stderr, "more: weft help W%04u\n", error->code);
    // A key that cannot be used (W0301) is a configuration that is no good, too.
    return error->code < 200 || error->code == 301 ? EXIT_CONFIG : EXIT_INTERNAL;
}

static int load_config(struct daemon *daemon, const char *path)
{
    struct weft_config_report report = {0};
    const int result = weft_config_load(&daemon->config, path, &report);
    if (result != 0) weft_config_report_print(&report, stderr, isatty(2));
    weft_config_report_free(&report);
    return result == 0 ? 0 : EXIT_CONFIG;
}

// ---- Signals, as a poller of the control core.

static uint32_t poll_signals(void *self, uint64_t now_ns)
{
    struct daemon *daemon = self;
    struct signalfd_siginfo info;
    (void)now_ns;
    if (read(daemon->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info)) return 0;
    daemon->stop = true;
    return 1;
}

static int signal_doorbell(void *self)
{
    return ((struct daemon *)self)->signal_fd;
}

static int watch_signals(struct daemon *daemon)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    daemon->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return daemon->signal_fd < 0 ? -errno : 0;
}

// ---- The admin port.

static void show(const struct daemon *daemon, const char *name, const char *text)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", daemon->config.node.run_dir, name);
    unlink(path); // Of the start before.
    FILE *file = text[0] != '\0' ? fopen(path, "we") : NULL;
    if (file == NULL) return; // It is in the log as well.
    fprintf(file, "%s\n", text);
    fclose(file);
}

// For who shows it where the owner can see it: the image's first process, on console and drive.
static void show_fingerprint(const struct daemon *daemon)
{
    show(daemon, "fingerprint", daemon->owner.fingerprint);
    show(daemon, "fingerprint.why", daemon->owner.renewed.text); // It is another one than before.
}

// With an owner, the port is TLS and may stand at any address; without one, see below.
static int listen_owner(struct daemon *daemon, int fd, struct weft_error *error)
{
    const struct weft_config *config = &daemon->config;
    char key_path[4096];
    weft_machine_secret_path(config->node.data_dir, "admin.pem", key_path, sizeof(key_path));
    const struct weft_owner_files files = {
        .token = config->admin.owner_token, .key = config->admin.owner_key, .node_key = key_path};
    if (weft_owner_open(&daemon->owner, &files, error) != 0) return -1;
    if (daemon->owner.left_out.code != 0)
        weft_log(&daemon->machine.node.control.log, WEFT_LOG_ERROR, "admin",
                 "%s; the port is opened without it", daemon->owner.left_out.text);
    if (daemon->owner.renewed.code != 0)
        weft_log(&daemon->machine.node.control.log, WEFT_LOG_ERROR, "admin", "%s",
                 daemon->owner.renewed.text);
    if (fd < 0)
        fd = weft_admin_open_at(config->admin.listen_endpoint.ip,
                                (uint16_t)config->admin.listen_endpoint.port, error);
    if (fd < 0 || weft_admin_serve_owner(daemon->server, fd, &daemon->owner, error) != 0) return -1;
    weft_log(&daemon->machine.node.control.log, WEFT_LOG_INFO, "admin",
             "https at %s for its owner, certificate sha256:%s", config->admin.listen,
             daemon->owner.fingerprint);
    show_fingerprint(daemon);
    return 0;
}

static int listen_tcp(struct daemon *daemon, int fd, struct weft_error *error)
{
    const struct weft_config *config = &daemon->config;
    if (fd < 0) fd = config->admin.listen_fd;
    const bool has_owner =
        config->admin.owner_token[0] != '\0' || config->admin.owner_key[0] != '\0';
    if (has_owner && (fd >= 0 || config->admin.listen[0] != '\0'))
        return listen_owner(daemon, fd, error);
    if (fd >= 0) return weft_admin_serve_fd(daemon->server, fd, error);
    if (config->admin.listen[0] == '\0') return 0;
    if (config->admin.listen_endpoint.ip >> 24 != 127) {
        weft_error_set(error, 106, "admin.listen %s is not on loopback", config->admin.listen);
        weft_error_hint(
            error,
            "without admin.owner_token or admin.owner_key the admin port stays on 127.0.0.1");
        return -1;
    }
    return weft_admin_listen_tcp(daemon->server, (uint16_t)config->admin.listen_endpoint.port,
                                 error);
}

// On a node that does not run from an image it only says so.
static int start_appliance(struct daemon *daemon, const char *config_path)
{
    const char *run_dir = daemon->config.node.run_dir;
    snprintf(daemon->init_socket, sizeof(daemon->init_socket), "%s/init.sock", run_dir);
    snprintf(daemon->boot_file, sizeof(daemon->boot_file), "%s/boot.json", run_dir);
    weft_appliance_init(&daemon->appliance, &(struct weft_appliance_options){
                                                .program = "/usr/bin/weft",
                                                .init_socket = daemon->init_socket,
                                                .boot_file = daemon->boot_file,
                                                .log_dir = "/data/log",
                                                .data_dir = daemon->config.node.data_dir,
                                                .try_file = "/data/state/try.toml",
                                                .config_file = config_path,
                                                .clock = daemon->machine.node.options.clock,
                                                .events = &daemon->control.events});
    const struct weft_poller poller = weft_appliance_poller(&daemon->appliance);
    return weft_core_add_poller(&daemon->machine.node.control, &poller);
}

static int start_admin(struct daemon *daemon, int listen_fd, struct weft_error *error)
{
    const struct weft_admin_options options = {.source = &daemon->control.source,
                                               .clock = daemon->machine.node.options.clock,
                                               .routes = weft_appliance_routes,
                                               .route_self = &daemon->appliance};
    if (start_appliance(daemon, daemon->control.config_path) != 0)
        return weft_error_set(error, 203, "no room on the control core");
    daemon->server = weft_admin_server_create(&options);
    if (daemon->server == NULL) return weft_error_set(error, 203, "no memory for the admin port");
    if (weft_admin_listen_unix(daemon->server, daemon->config.admin.socket, error) != 0) return -1;
    if (listen_tcp(daemon, listen_fd, error) != 0) return -1;
    const struct weft_poller poller = weft_admin_server_poller(daemon->server);
    return weft_core_add_poller(&daemon->machine.node.control, &poller);
}

// ---- The life of the control core.

static bool is_sealed(const struct daemon *daemon)
{
    const struct weft_journal_keeper *journal = daemon->machine.node.journal;
    if (journal == NULL) return true;
    const struct weft_journal_view *view = weft_journal_keeper_view(journal);
    return weft_counter_get(&view->sealed) != 0 || weft_counter_get(&view->failed) != 0;
}

static bool has_answered(const struct daemon *daemon)
{
    return daemon->control.command_count == 0 && !weft_appliance_is_asking(&daemon->appliance);
}

static void turn_until(struct daemon *daemon, bool (*is_done)(const struct daemon *daemon))
{
    struct weft_core *core = &daemon->machine.node.control;
    const uint64_t stop_by_ns = core->now_ns + DRAIN_NS;
    while (!is_done(daemon) && core->now_ns < stop_by_ns) {
        if (!weft_core_turn(core)) weft_core_idle(core);
    }
}

static void turn(struct daemon *daemon)
{
    struct weft_core *core = &daemon->machine.node.control;
    while (!daemon->stop) {
        if (!weft_core_turn(core)) weft_core_idle(core);
    }
    daemon->control.draining = true; // No new work; what was promised is finished.
    weft_log(&core->log, WEFT_LOG_INFO, "node", "%s: stopping", daemon->config.node.name);
    turn_until(daemon, has_answered);
    if (daemon->machine.node.journal != NULL)
        weft_journal_keeper_seal(daemon->machine.node.journal);
    turn_until(daemon, is_sealed);
}

static int start(struct daemon *daemon, const struct options *options, struct weft_error *error)
{
    if (mkdir(daemon->config.node.run_dir, 0700) < 0 && errno != EEXIST)
        return weft_error_set(error, 107, "node.run_dir %s: %s", daemon->config.node.run_dir,
                              strerror(errno));
    if (weft_machine_open(&daemon->machine, &daemon->config, error) != 0) return -1;
    struct weft_core *core = &daemon->machine.node.control;
    const struct weft_control_machine machine = weft_machine_control(&daemon->machine);
    if (weft_control_init(&daemon->control, &daemon->machine.node, &daemon->config,
                          options->config_path, &machine) != 0)
        return weft_error_set(error, 203, "no memory for the control core");
    daemon->control.print_logs = true;
    daemon->control.ready_fd = options->ready_fd;
    const struct weft_poller signals = {
        .name = "signals", .poll = poll_signals, .doorbell_fd = signal_doorbell, .self = daemon};
    weft_core_add_poller(core, &signals);
    if (start_admin(daemon, options->listen_fd, error) != 0) return -1;
    if (weft_machine_start(&daemon->machine, error) != 0) return -1;
    weft_machine_log(&daemon->machine);
    weft_control_start_units(&daemon->control);
    weft_control_start_actors(&daemon->control);
    return 0;
}

int main(int argc, char **argv)
{
    static struct daemon daemon; // Rings and tables: too large for the stack.
    struct options options;
    struct weft_error error = {0};
    int status = read_options(&options, argc, argv);
    if (status != 0) {
        fputs(usage_text, stderr);
        return status;
    }
    status = load_config(&daemon, options.config_path);
    if (status != 0) return status;
    watch_signals(&daemon);
    if (start(&daemon, &options, &error) == 0)
        turn(&daemon);
    else
        status = print_error(&error);
    if (daemon.machine.config != NULL) weft_machine_stop(&daemon.machine);
    if (daemon.server != NULL) {
        weft_appliance_destroy(&daemon.appliance);
        weft_admin_server_free(daemon.server);
    }
    weft_control_destroy(&daemon.control);
    if (daemon.machine.config != NULL) weft_machine_close(&daemon.machine);
    weft_config_free(&daemon.config);
    close(daemon.signal_fd);
    return status;
}
