/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensors with contiguous channels (NHWC) for the CPU kernels: in and out of the planes that they compute on.
 */
#ifndef CONVSMITH_DEVICE_HOST_NHWC_H
#define CONVSMITH_DEVICE_HOST_NHWC_H

#include <device/host_vector.h>

/* As cs_copy_patch, the channels of a pixel at a time. */
CS_INLINE void cs_copy_patch_nhwc(float *patch, const cs_conv_args *args, cs_element dtype, const cs_tile *tile,
                                  cs_window window, int first, int end, int planes, int rows, int pitch) {
    const int64_t top = cs_begin(tile->row, window.stride_h, window.pad_h);
    const int64_t left = cs_begin(tile->col, window.stride_w, window.pad_w);
    const int run = pitch / window.stride_w, plane = rows * pitch, real = cs_min(planes, end - first);
    for (int row = 0; row < rows; ++row)
        for (int col = 0; col < pitch; ++col) {
            const int64_t h = top + row, w = left + col;
            const bool inside = h >= 0 && h < args->h && w >= 0 && w < args->w;
            const int64_t from = tile->n * args->x_strides[0] + h * args->x_strides[2] + w * args->x_strides[3] + first;
            float *const to = patch + row * pitch + col % window.stride_w * run + col / window.stride_w;
            for (int c = 0; c < real && inside; ++c)
                to[c * plane] = load_element(dtype, args->x, from + c);
            for (int c = inside && real > 0 ? real : 0; c < planes; ++c)
                to[c * plane] = 0.0f;
        }
}

/* As cs_write_outputs. */
CS_INLINE void cs_write_outputs_nhwc(const cs_conv_args *args, cs_element dtype, const cs_tile *tile, int channel,
                                     const float *values, int pitch, cs_affine norm) {
    const int64_t *strides = args->y_strides;
    int64_t to = tile->n * strides[0] + tile->row * strides[2] + tile->col * strides[3] + channel;
    for (int row = 0; row < tile->rows; ++row, to += strides[2], values += pitch)
        for (int col = 0; col < tile->cols; ++col)
            store_element(dtype, args->y, to + col * strides[3], values[col] * norm.a + norm.b);
}

#endif
