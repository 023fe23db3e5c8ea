// Modules: those that the admin port brings, and those of the configuration.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/node/control_actor.h"
#include "runtime/node/module.h"

struct load_order {
    struct weft_module_load load;
    struct weft_control *control;
    struct weft_admin_command *command; // NULL: of the configuration.
};

static void copies_of(const struct weft_control *control, char directory[512])
{
    snprintf(directory, 512, "%s/modules", control->config->node.run_dir);
}

static void say_failed(struct weft_control *control, const char *name,
                       const struct weft_error *error)
{
    control->actors_failed++;
    weft_control_event(control, "actor.failed", name, "%.150s", error->text);
    weft_log(&control->node->control.log, WEFT_LOG_ERROR, "actor", "%s: W%04u %s", name,
             error->code, error->text);
}

static void loaded(struct weft_order *order)
{
    struct weft_module_load *load = WEFT_CONTAINER_OF(order, struct weft_module_load, order);
    struct load_order *own = WEFT_CONTAINER_OF(load, struct load_order, load);
    struct weft_control *control = own->control;
    struct weft_error error = {0};
    if (order->result == -EEXIST)
        weft_error_set(&error, 803, "an actor named '%s' runs here already", load->name);
    else if (order->result != 0)
        weft_error_set(&error, 203, "'%s' did not start on core %u: %s", load->name, order->core,
                       strerror(-order->result));
    control->command_count--;
    if (own->command == NULL) control->actors_starting--;
    if (order->result == 0)
        weft_control_event(control, "actor.loaded", load->name, "on core %u, %016llx", order->core,
                           (unsigned long long)load->started);
    if (own->command != NULL && order->result == 0)
        weft_admin_complete_load(own->command, load->started);
    else if (own->command != NULL)
        weft_admin_fail(own->command, &error);
    else if (order->result != 0)
        say_failed(control, load->name, &error);
    free(own);
}

static uint64_t actors_on(const struct weft_control *control, uint16_t core)
{
    return weft_actor_count(&control->node->workers[core - 1].actors.stats);
}

// The least busy worker, and of those that are alike the one with the fewest actors; not one that
// something holds, if there is another.
static uint16_t choose_core(const struct weft_control *control)
{
    uint16_t best = 0;
    for (uint16_t core = 1; core <= control->node->options.worker_count; core++) {
        if (weft_control_is_held(control, core)) continue;
        const double more =
            best == 0 ? -1 : control->watches[core].busy_ratio - control->watches[best].busy_ratio;
        if (more < -0.05 || (more < 0.05 && actors_on(control, core) < actors_on(control, best)))
            best = core;
    }
    return best != 0 ? best : 1;
}

static int load(struct weft_control *control, struct weft_admin_command *command, const char *name,
                const char *path, const char *args, size_t args_bytes, struct weft_error *error)
{
    struct load_order *own = malloc(sizeof(*own));
    char directory[512];
    if (own == NULL) return weft_error_set(error, 203, "no memory for '%s'", name);
    memset(own, 0, sizeof(*own) - sizeof(own->load.args));
    copies_of(control, directory);
    own->control = control;
    own->command = command;
    own->load.order.core = choose_core(control);
    own->load.order.done = loaded;
    snprintf(own->load.name, sizeof(own->load.name), "%s", name);
    if (weft_module_load(&own->load, control->node, directory, path, args, args_bytes, error) ==
        0) {
        control->command_count++;
        return 0;
    }
    free(own);
    return -1;
}

int weft_control_load_module(struct weft_control *control, struct weft_admin_command *command,
                             struct weft_error *error)
{
    return load(control, command, command->unit, command->path, command->text, command->text_length,
                error);
}

static void start_configured(struct weft_control *control, const struct weft_config_actor *actor)
{
    struct weft_error error = {0};
    char args[WEFT_MODULE_ARGS_BYTES + 1];
    size_t used = 0;
    for (size_t i = 0; i < actor->args.count; i++) {
        const size_t length = strlen(actor->args.items[i]) + 1;
        if (used + length <= sizeof(args)) memcpy(args + used, actor->args.items[i], length);
        used += length; // Too long is refused by its length.
    }
    if (load(control, NULL, actor->name, actor->file, args, used, &error) == 0)
        control->actors_starting++;
    else
        say_failed(control, actor->name, &error);
}

void weft_control_clean_modules(const struct weft_control *control)
{
    char directory[512];
    copies_of(control, directory);
    weft_module_clean(directory);
}

void weft_control_start_actors(struct weft_control *control)
{
    weft_control_clean_modules(control);
    for (size_t i = 0; i < control->config->actor_count; i++)
        start_configured(control, &control->config->actor[i]);
}
