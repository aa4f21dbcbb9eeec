/* SPDX-License-Identifier: Apache-2.0
 *
 * PNG pictures in and out.
 */
#ifndef CS_SUPPORT_PICTURE_H
#define CS_SUPPORT_PICTURE_H

#include "tensor.h"

/* Reads a PNG file as a new tensor [C, H, W] of values in 0..1: C = 3 for a colour picture, 1 for a gray one.
 * Transparency is laid over black. */
bool cs_picture_read(const char *path, cs_tensor *tensor, cs_message *message);

/* Writes `map` [height, width] as an 8-bit gray PNG, its least value black and its greatest white, whole or not at all.
 * Values that are no numbers are black. */
bool cs_picture_write_map(const char *path, const float *map, int64_t height, int64_t width, cs_message *message);

#endif
