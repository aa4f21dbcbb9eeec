// SPDX-License-Identifier: Apache-2.0
//
// Buffers that are filled and emptied in turn, each guarded by two barriers.
#pragma once

// A place in a ring of SIZE buffers: which one, and the parity of the phase in which it is filled this time round.
template <int SIZE> struct buffer_ring {
    int index = 0, parity = 0;

    __device__ __forceinline__ void advance() {
        index = index + 1 == SIZE ? 0 : index + 1;
        parity ^= index == 0;
    }
    // Past so many buffers, as if they had been used one by one.
    __device__ __forceinline__ void skip(int count) {
        parity ^= (index + count) / SIZE & 1;
        index = (index + count) % SIZE;
    }
};
