#include "image/init/entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "image/init/text_file.h"
#include "runtime/base/file.h"

#define SEED_BYTES 64
#define SEED_BITS  256 // That it counts for: twice the strength of what is made from it.

static int give(const char *bytes, bool own)
{
    union { // The seed lies behind the head.
        struct rand_pool_info head;
        char whole[sizeof(struct rand_pool_info) + SEED_BYTES];
    } seed = {.head = {.entropy_count = own ? SEED_BITS : 0, .buf_size = SEED_BYTES}};
    memcpy(seed.whole + offsetof(struct rand_pool_info, buf), bytes, SEED_BYTES);
    const int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    const int result = ioctl(fd, RNDADDENTROPY, &seed) == 0 ? 0 : -errno;
    close(fd);
    explicit_bzero(&seed, sizeof(seed));
    return result;
}

int weft_entropy_load(const char *path, bool own)
{
    char bytes[SEED_BYTES + 1];
    const ssize_t length = weft_text_file_read(path, bytes, sizeof(bytes));
    if (length < 0) return (int)length;
    // Gone from the disk first, so that a power failure from here on cannot bring it back.
    if (unlink(path) != 0) return -errno;
    int result = weft_file_sync_directory(path);
    if (result == 0) result = length == SEED_BYTES ? give(bytes, own) : -EINVAL;
    explicit_bzero(bytes, sizeof(bytes));
    if (result == 0 && weft_entropy_save(path) == -EAGAIN)
        return 0; // At the end of this boot then.
    return result;
}

int weft_entropy_save(const char *path)
{
    char bytes[SEED_BYTES];
    const ssize_t length = getrandom(bytes, sizeof(bytes), GRND_NONBLOCK);
    if (length != (ssize_t)sizeof(bytes)) return length < 0 ? -errno : -EAGAIN;
    const int result = weft_file_replace(path, bytes, sizeof(bytes), 0600);
    explicit_bzero(bytes, sizeof(bytes));
    return result;
}
