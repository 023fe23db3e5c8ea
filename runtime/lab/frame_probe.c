#include "runtime/lab/frame_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int weft_lab_frame_udp(const json_t *lab, struct weft_lab_udp *udp, struct weft_error *error)
{
    (void)lab;
    (void)udp;
    return weft_error_set(error, 603, "no switch");
}

int weft_lab_frame_ping(const json_t *lab, struct weft_lab_udp *udp, struct weft_error *error)
{
    (void)lab;
    (void)udp;
    return weft_error_set(error, 603, "no switch");
}
