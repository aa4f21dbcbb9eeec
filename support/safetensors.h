/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads .safetensors files: an eight-byte header length, a JSON header, then the tensors' bytes.
 */
#ifndef CS_SUPPORT_SAFETENSORS_H
#define CS_SUPPORT_SAFETENSORS_H

#include "tensor.h"

typedef struct cs_safetensors cs_safetensors;

/* Opens a file and checks all of its header: every tensor's name, type, shape and place, and that together they cover
 * the data without overlap or gap. NULL, with the path and what is wrong, otherwise. */
cs_safetensors *cs_safetensors_open(const char *path, cs_message *message);

/* Closes a file; NULL is allowed. */
void cs_safetensors_close(cs_safetensors *file);

bool cs_safetensors_has(const cs_safetensors *file, const char *name);

/* Reads one tensor of type F32, F16 or BF16, the caller's to destroy; zeroed on failure: no such name (the message
 * lists those there are), another type, a read error. */
bool cs_safetensors_read(cs_safetensors *file, const char *name, cs_tensor *tensor, cs_message *message);

#endif
