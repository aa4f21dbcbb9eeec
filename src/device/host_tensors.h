/* SPDX-License-Identifier: Apache-2.0
 *
 * The tensors that add_tensor steps add, for the CPU kernels: of y's elements, each where y has the value that it is
 * added to.
 */
#ifndef CONVSMITH_DEVICE_HOST_TENSORS_H
#define CONVSMITH_DEVICE_HOST_TENSORS_H

#include <device/host_vector.h>

/* What the run's tensors `first` to `first` + `count` - 1 have for a vector of values, those from (row, col) of a tile
 * on: zeros outside of it, and for channels that y, of c_out, does not have. */
CS_INLINE void cs_load_tensors(cs_vec *values, int count, int first, const cs_conv_args *args, cs_element dtype,
                               int c_out, const cs_tile *tile, int channel, int row, int col) {
    const int64_t *strides = args->y_strides;
    const int64_t place =
        tile->n * strides[0] + channel * strides[1] + (tile->row + row) * strides[2] + (tile->col + col) * strides[3];
    const int inside = channel < c_out ? cs_min(CS_LANES, tile->cols - col) : 0;
    for (int i = 0; i < count; ++i) {
        float lanes[CS_LANES] = {0.0f};
        for (int lane = 0; lane < inside; ++lane)
            lanes[lane] = load_element(dtype, args->tensors[first + i], place + lane * strides[3]);
        values[i] = cs_load(lanes);
    }
}

#endif
