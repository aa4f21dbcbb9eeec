/* SPDX-License-Identifier: Apache-2.0
 *
 * NumPy's .npy files (format versions 1, 2 and 3) of little-endian float32 and float16 in C order. There is no type for
 * bfloat16 in them.
 */
#ifndef CS_SUPPORT_NPY_H
#define CS_SUPPORT_NPY_H

#include "tensor.h"

/* Reads a file into a new tensor, the caller's to destroy. Anything but a sound file of this kind is refused with its
 * path and what would be right; the tensor is zeroed then. */
bool cs_npy_read(const char *path, cs_tensor *tensor, cs_message *message);

/* Writes a version 1 file, whole or not at all. A bf16 tensor is refused. */
bool cs_npy_write(const char *path, const cs_tensor *tensor, cs_message *message);

#endif
