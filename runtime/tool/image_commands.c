// The table of commands about the image: releases as files, and the life of a node that runs one.
#include "runtime/tool/command.h"
#include "runtime/tool/handlers.h"

const struct weft_tool_command weft_image_commands[] = {
    {.group = "Image",
     .noun = "image",
     .verb = "verify",
     .args = "FILE",
     .arg_min = 1,
     .arg_max = 1,
     .complete = "file",
     .summary = "Is a release whole, and signed by a key that is trusted?",
     .details = "An update bundle bears its own signature; every other file must be listed in "
                "SHA256SUMS beside it, which SHA256SUMS.sig signs. The key is --key, else "
                "/etc/weft/update.pub, else update.pub in $XDG_CONFIG_HOME/weft (~/.config/weft).",
     .examples = "weft image verify weft-0.1.0-arm64.img.zst --key update.pub\n"
                 "weft image verify weft-0.1.0-arm64.update -o json\n",
     .exits = "65 it is damaged, or not signed by this key",
     .options = {{"key", 'k', "FILE", "the public key (Ed25519, PEM)"}},
     .run = weft_run_image_verify},
    {.group = "Image",
     .noun = "image",
     .verb = "bundle",
     .args = "ROOT VERITY UKI-A UKI-B",
     .arg_min = 4,
     .arg_max = 4,
     .complete = "file",
     .summary = "Makes an update bundle, signed, of the four parts of a release.",
     .details = "Prints the manifest that was signed. ./do image calls this.",
     .examples = "weft image bundle --version 0.2.0 --arch arm64 --epoch 1764201600 "
                 "--sign update.key -w weft-0.2.0-arm64.update root.erofs root.verity uki-a.efi "
                 "uki-b.efi\n",
     .exits = "65 the key or a value cannot be used",
     .options = {{"version", 0, "VERSION", "of the release: 0.2.0, 0.3.0~rc1"},
                 {"arch", 0, "ARCH", "arm64 or amd64"},
                 {"floor", 0, "VERSION", "no older release after it; its own version if absent"},
                 {"epoch", 0, "SECONDS", "when it was built (SOURCE_DATE_EPOCH)"},
                 {"sign", 0, "KEY", "the private key (Ed25519, PEM)"},
                 {"write", 'w', "FILE", "where to"}},
     .run = weft_run_image_bundle},
    {.group = "Image",
     .noun = "image",
     .verb = "sign",
     .args = "FILE",
     .arg_min = 1,
     .arg_max = 1,
     .complete = "file",
     .summary = "Signs a file, as SHA256SUMS: 64 bytes of Ed25519 in FILE.sig.",
     .examples = "weft image sign --sign update.key SHA256SUMS\n",
     .exits = "65 the key cannot be used",
     .options = {{"sign", 0, "KEY", "the private key (Ed25519, PEM)"}},
     .run = weft_run_image_sign},
    {.noun = NULL},
};
