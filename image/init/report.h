// report.h: status.txt on the FAT drive and /run/weft/boot.json, written when something has
// changed.
#ifndef WEFT_IMAGE_REPORT_H
#define WEFT_IMAGE_REPORT_H

#include <stdio.h>

#include "image/init/boot.h"

void weft_report_init(struct weft_boot *boot);

// Has both written soon: what happens together is written once, and a drive lives longer.
void weft_report_soon(struct weft_boot *boot);
// Writes both now.
void weft_report_now(struct weft_boot *boot);

// What boot.json holds.
void weft_report_json(const struct weft_boot *boot, FILE *out);

#endif // WEFT_IMAGE_REPORT_H
