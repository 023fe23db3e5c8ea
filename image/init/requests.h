// requests.h: what is asked of init on its socket (init_socket.h), done.
#ifndef WEFT_IMAGE_REQUESTS_H
#define WEFT_IMAGE_REQUESTS_H

#include "image/init/boot.h"

// Opens /run/weft/init.sock. Returns 0 or a negative errno.
int weft_requests_open(struct weft_boot *boot);

#endif // WEFT_IMAGE_REQUESTS_H
