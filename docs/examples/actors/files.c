// Files: a file is a port as well. Its actor waits for the disk, and nobody else does.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft/weft.h>

static void fail(struct weft_actor *self, const char *what, int error)
{
    weft_say(self, WEFT_LEVEL_ERROR, "%s: %s", what, strerror(-error));
    weft_exit(self, WEFT_EXIT_FAULT);
}

static void write_it(struct weft_actor *self, const char *path)
{
    weft_pid file;
    int error = weft_file_open(self, path, O_WRONLY | O_CREAT | O_TRUNC, 0600, NULL, &file);
    if (error != 0) fail(self, path, error);
    weft_port_write(self, file, "warp\nweft\n", 10, WEFT_FOREVER); // One after the other.
    weft_port_write(self, file, "cloth\n", 6, WEFT_FOREVER);
    error = weft_file_sync(self, file); // Says what has become of all of it.
    if (error != 0) fail(self, "sync", error);
    weft_port_close(self, file);
}

static void read_lines(struct weft_actor *self, const char *path)
{
    const struct weft_port_options by_line = {.framing = WEFT_FRAMING_LINE};
    weft_pid file;
    int error = weft_file_open(self, path, O_RDONLY, 0, &by_line, &file);
    if (error != 0) fail(self, path, error);
    weft_port_mode(self, file, WEFT_PORT_MODE_ACTIVE, 0); // From now on they come by themselves.
    for (;;) {
        const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
        if (message->type == WEFT_PORT_CLOSED) fail(self, path, weft_port_status(message));
        if (message->type == WEFT_PORT_END) break;
        weft_say(self, WEFT_LEVEL_INFO, "line: %.*s", (int)message->length - 1,
                 (const char *)message->payload);
    }
    weft_port_close(self, file);
}

static void read_somewhere(struct weft_actor *self, const char *path)
{
    char word[8];
    weft_pid file;
    const int error = weft_file_open(self, path, O_RDONLY, 0, NULL, &file);
    if (error != 0) fail(self, path, error);
    const int64_t count = weft_file_read(self, file, 5, word, 4);
    if (count == 4) weft_say(self, WEFT_LEVEL_INFO, "at 5: %.4s", word);
    weft_port_close(self, file);
}

static void files(struct weft_actor *self, int argc, char *const *argv)
{
    char made[] = "/tmp/weft-files-XXXXXX";
    const char *path = argc > 1 ? argv[1] : made;
    if (argc < 2) close(mkstemp(made));
    write_it(self, path);
    read_lines(self, path);
    read_somewhere(self, path);
    if (argc < 2) unlink(made);
}
WEFT_MODULE(files)
