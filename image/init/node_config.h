// node_config.h: the file that weftd is started with, /run/weft/weft.toml: the configuration that
// was chosen, with what only the image knows put in.
#ifndef WEFT_IMAGE_NODE_CONFIG_H
#define WEFT_IMAGE_NODE_CONFIG_H

#include <stdbool.h>

#include "config/config.h"

struct weft_node_places {
    const char *data_dir,
        *run_dir; // In the place of the configured ones: the image has one layout.
};

// Writes `config` to `path`. Paths in it are absolute by now (config/config.c), so that they mean
// the same from there. Returns 0 or a negative errno.
int weft_node_config_write(const struct weft_config *config, const struct weft_node_places *places,
                           const char *path);

// Writes what a node in maintenance runs with: no port, no mesh, no journal; the admin port on its
// socket and on loopback, and on every address for the owner, whose token or public key is in these
// files (NULL: there is none). Returns 0 or a negative errno.
int weft_node_config_maintenance(const struct weft_node_places *places, const char *owner_token,
                                 const char *owner_key, const char *path);

// Copies the configuration at `from`, and the files beside it that it names, into the directory
// `to`: enough to start without the drive. weft.toml comes last, so that it never names what is not
// there. Files of the node's own state there are never overwritten. Returns 0 or a negative errno.
int weft_node_config_keep(const struct weft_config *config, const char *from, const char *to);

#endif // WEFT_IMAGE_NODE_CONFIG_H
