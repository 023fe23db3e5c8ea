#include "runtime/lab/node_config.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/env/entropy.h"
#include "runtime/lab/programs.h"
#include "runtime/mesh/key.h"

enum { SEEDS_OF_A_NODE = 1000 }; // More than a node has cores.

void weft_lab_node_name(uint32_t index, char name[16])
{
    snprintf(name, 16, "n%u", index + 1);
}

void weft_lab_node_address(uint32_t index, char address[16])
{
    snprintf(address, 16, "10.77.0.%u", (11 + index) & 255);
}

static int fail(struct weft_error *error, const char *path)
{
    return weft_error_set(error, 604, "%s: %s", path, strerror(errno));
}

static int copy_file(const char *from, const char *to, struct weft_error *error)
{
    char bytes[4096];
    size_t length;
    FILE *in = fopen(from, "re"), *out = fopen(to, "we");

    if (in == NULL || out == NULL) {
        const int result = fail(error, in == NULL ? from : to);
        if (in != NULL) fclose(in);
        if (out != NULL) fclose(out);
        return result;
    }
    while ((length = fread(bytes, 1, sizeof(bytes), in)) > 0) {
        if (fwrite(bytes, 1, length, out) != length) break;
    }
    const bool bad = ferror(in) != 0 || ferror(out) != 0;
    fclose(in);
    if (fclose(out) != 0 || bad) return fail(error, to);
    return 0;
}

int weft_lab_common_files(const char *run, struct weft_error *error)
{
    const struct weft_entropy entropy = weft_entropy_linux();
    char path[WEFT_PLACE_BYTES + 32], example[WEFT_LAB_PATH_BYTES];

    snprintf(path, sizeof(path), "%s/cluster.key", run);
    if (weft_mesh_key_generate(path, &entropy, error) < 0) return -1;
    if (weft_lab_example_find("udp-calc.fth", example, error) < 0) return -1;
    snprintf(path, sizeof(path), "%s/udp-calc.fth", run);
    return copy_file(example, path, error);
}

// A TOML basic string.
static void put_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void put_path(FILE *out, const char *key, const char *directory, const char *rest)
{
    char path[2 * WEFT_PLACE_BYTES];

    snprintf(path, sizeof(path), "%s/%s", directory, rest);
    fprintf(out, "%s = ", key);
    put_string(out, path);
    fputc('\n', out);
}

// CPUs of its own for each worker where the machine has enough of them, else none: threads that
// share a CPU are better moved by the kernel.
static void put_pin(FILE *out, const struct weft_lab_node_config *config)
{
    const uint32_t first = config->index * config->worker_count;
    cpu_set_t set;
    uint32_t seen = 0, put = 0;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) < 0 ||
        (uint32_t)CPU_COUNT(&set) < config->node_count * config->worker_count + 1) {
        fputs("pin = \"off\"\n", out);
        return;
    }
    fputs("pin = [", out);
    for (int cpu = 0; cpu < CPU_SETSIZE && put < config->worker_count; cpu++) {
        // The first one is left to everybody else.
        if (!CPU_ISSET(cpu, &set) || seen++ < first + 1) continue;
        fprintf(out, "%s%d", put++ > 0 ? ", " : "", cpu);
    }
    fputs("]\n", out);
}

static void put_mesh(FILE *out, const struct weft_lab_node_config *config)
{
    bool first = true;

    fprintf(out, "\n[mesh]\nport = %d\n", WEFT_LAB_MESH_PORT);
    put_path(out, "key_file", config->run, "cluster.key");
    fputs("seeds = [", out);
    for (uint32_t i = 0; i < config->node_count; i++) {
        char address[16];
        if (i == config->index) continue;
        weft_lab_node_address(i, address);
        fprintf(out, "%s\"%s:%d\"", first ? "" : ", ", address, WEFT_LAB_MESH_PORT);
        first = false;
    }
    fputs("]\n", out);
}

static void put_port(FILE *out, const struct weft_lab_node_config *config, const char *name)
{
    char address[16], rest[32];

    weft_lab_node_address(config->index, address);
    fputs("\n[ports.p0]\n", out);
    if (config->link == WEFT_LAB_VETH) {
        fputs("device = \"af_packet:eth0\"\n", out);
    } else {
        char device[2 * WEFT_PLACE_BYTES];
        snprintf(rest, sizeof(rest), "switch/%s.sock", name);
        snprintf(device, sizeof(device), "virtio_user:%s", config->run);
        put_path(out, "device", device, rest);
        fprintf(out, "mac = \"02:77:00:00:00:%02x\"\n", (11 + config->index) & 255);
    }
    fprintf(out, "address = \"%s/24\"\n", address);
    // Else all nodes would lose the same of their frames. Each core adds its number.
    fprintf(out, "\n[ports.p0.fault]\nseed = %u\n", config->index * SEEDS_OF_A_NODE);
}

static void put_config(FILE *out, const struct weft_lab_node_config *config)
{
    char name[16], directory[WEFT_PLACE_BYTES + 16];

    weft_lab_node_name(config->index, name);
    snprintf(directory, sizeof(directory), "%s/%s", config->run, name);
    fprintf(out, "# Node %s of the lab: written by `weft lab up`, removed with it.\n\n[node]\n",
            name);
    fprintf(out, "name = \"%s\"\n", name);
    put_path(out, "data_dir", directory, "data");
    put_path(out, "run_dir", config->run, name);
    fprintf(out, "\n[cores]\nworkers = %u\n", config->worker_count);
    put_pin(out, config);
    // Three nodes share a laptop: room for thousands of units, not for millions.
    fputs("\n[memory]\narena_per_core = \"32MiB\"\nmbufs = 2047\n", out);
    put_mesh(out, config);
    fputs("\n[admin]\nlisten = \"\" # The lab hands in a socket that listens on the host.\n", out);
    put_port(out, config, name);
    if (config->index > 0) return;
    fputs("\n[[unit]]\nname = \"udp-calc\"\n", out);
    put_path(out, "file", config->run, "udp-calc.fth");
    fputs("recovery = \"none\"\n", out);
}

int weft_lab_node_files(const struct weft_lab_node_config *config, struct weft_error *error)
{
    char name[16], path[WEFT_PLACE_BYTES + 32];

    weft_lab_node_name(config->index, name);
    if (weft_place_make(config->run, name, error) < 0) return -1;
    snprintf(path, sizeof(path), "%s/%s/data", config->run, name);
    if (mkdir(path, 0700) < 0 && errno != EEXIST) return fail(error, path);
    snprintf(path, sizeof(path), "%s/%s/weft.toml", config->run, name);
    FILE *out = fopen(path, "we");
    if (out == NULL) return fail(error, path);
    put_config(out, config);
    const bool bad = ferror(out) != 0;
    if (fclose(out) != 0 || bad) return fail(error, path);
    return 0;
}
