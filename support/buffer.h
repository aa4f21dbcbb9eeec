/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of a convsmith_device, copied to and from the host's, and time measured there: the part of a caller's work
 * that differs between the CPU and a GPU.
 */
#ifndef CS_SUPPORT_BUFFER_H
#define CS_SUPPORT_BUFFER_H

#include "convsmith/convsmith.h"
#include "message.h"

typedef struct cs_buffer {
    convsmith_device device;
    void *data; /* device memory, `size` bytes */
    size_t size;
    void *block; /* what was allocated: `lead` bytes, the data, `guard` bytes */
    size_t lead, guard;
} cs_buffer;

/* The byte that guards and poisoned contents consist of: four of them are a float NaN and two of them an f16 and a bf16
 * one, so that whoever reads what it should not computes NaN. */
#define CS_POISON 0xff

/* Allocates `size` bytes (0 is allowed), not initialised, without guard zones, aligned as a caller's allocations are: a
 * kernel that is timed on less writes parts of sectors, and takes up to twice its time. */
bool cs_buffer_create(cs_buffer *buffer, convsmith_device device, size_t size, cs_message *message);

/* Allocates between guard zones; zones and contents are filled with CS_POISON. `alignment` is a power of two up to
 * 128; on purpose `data` has no more, so that what needs more shows. */
bool cs_buffer_create_guarded(cs_buffer *buffer, convsmith_device device, size_t size, size_t alignment,
                              cs_message *message);

/* Frees a buffer and zeroes it; a zeroed one may be destroyed. */
void cs_buffer_destroy(cs_buffer *buffer);

/* Copies `size` bytes between host memory and the buffer from its byte `offset` on; done on return, after all work
 * enqueued before on the default stream, whose errors show here. */
bool cs_buffer_upload(const cs_buffer *buffer, size_t offset, const void *source, size_t size, cs_message *message);
bool cs_buffer_download(const cs_buffer *buffer, size_t offset, void *target, size_t size, cs_message *message);

/* Fills the contents with a byte. */
bool cs_buffer_fill(const cs_buffer *buffer, unsigned char byte, cs_message *message);

/* False, with how far off the nearest damage is, when something was written outside the contents. `name` is for the
 * message. */
bool cs_buffer_check_guards(const cs_buffer *buffer, const char *name, cs_message *message);

/* The elapsed time of work on a device: wall-clock time on the CPU, events of the default stream on a GPU. */
typedef struct cs_stopwatch {
    convsmith_device device;
    double started, ended; /* CPU: milliseconds */
    void *events[2];
} cs_stopwatch;

bool cs_stopwatch_create(cs_stopwatch *watch, convsmith_device device, cs_message *message);
void cs_stopwatch_destroy(cs_stopwatch *watch);
bool cs_stopwatch_start(cs_stopwatch *watch, cs_message *message);

/* Marks the end of the work enqueued since the start; then waits for it and tells the milliseconds that it took. */
bool cs_stopwatch_end(cs_stopwatch *watch, cs_message *message);
bool cs_stopwatch_read(cs_stopwatch *watch, double *milliseconds, cs_message *message);

/* Both, one behind the other. */
bool cs_stopwatch_stop(cs_stopwatch *watch, double *milliseconds, cs_message *message);

#endif
