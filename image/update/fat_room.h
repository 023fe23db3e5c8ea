// fat_room.h: room for names at the end of a directory, so that nobody else makes the directory
// grow.
//
// The loader counts tries in the names of kernels, by the firmware's driver. EDK II (FatPkg,
// DirectoryManage.c) enters each new name behind the last place that was ever used, and lets the
// directory grow when there is none, without a thought for the power: between its writes the
// directory ends in a free cluster, and then a firmware finds no kernel in it at all.
//
// So the places behind the last name are made as new again, which is where the next one goes, and
// clusters are added while few are left. Each write leaves a directory that can be read:
//
//   1  the new cluster is zeros
//   2  in the tables it is the end of a chain, and nobody's
//   3  the directory's last cluster leads to it
//
// Core: any thread that may block. Memory: malloc, for the directory. Nobody has mounted it.
#ifndef WEFT_UPDATE_FAT_ROOM_H
#define WEFT_UPDATE_FAT_ROOM_H

#include "image/update/gpt.h"

// Makes places for `count` entries at the end of `directory` ("EFI/Linux"). Returns how many
// sectors were written, 0 if it was so; -ENOENT; -ENOSPC: there is no free cluster, or it is a
// directory that cannot grow; -EOPNOTSUPP: no file system that is known here (fat_volume.h);
// -EINVAL: it is damaged, and so does not grow (fat_lost.h); -ENOMEM; or what reading or writing
// failed with.
int weft_fat_room_make(const struct weft_gpt_disk *disk, const char *directory, uint32_t count);

#endif // WEFT_UPDATE_FAT_ROOM_H
