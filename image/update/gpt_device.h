// gpt_device.h: an open disk, or the image of one in a file, as gpt.h wants it.
#ifndef WEFT_UPDATE_GPT_DEVICE_H
#define WEFT_UPDATE_GPT_DEVICE_H

#include "image/update/gpt.h"

// Of `bytes`. `fd` is the caller's and outlives what is returned.
struct weft_gpt_disk weft_gpt_device(const int *fd, uint64_t bytes);

// 0, or -EOPNOTSUPP when the device has sectors of another size than tables of ours count in.
int weft_gpt_device_check(int fd);

#endif // WEFT_UPDATE_GPT_DEVICE_H
