// SPDX-License-Identifier: Apache-2.0
//
// Graphs: the work of a captured stream, in its order.
#ifndef CONVSMITH_SIMT_CUDA_GRAPH_H
#define CONVSMITH_SIMT_CUDA_GRAPH_H

#include <cuda_runtime_api.h>
#include <functional>
#include <memory>
#include <vector>

struct CUgraph_st {
    std::vector<std::function<void()>> work;
};

struct CUgraphExec_st {
    std::vector<std::function<void()>> work;
};

struct CUstream_st {
    std::unique_ptr<CUgraph_st> captured; // what it keeps while it is being captured
};

#endif
