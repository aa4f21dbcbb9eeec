/* SPDX-License-Identifier: Apache-2.0
 *
 * A layer in a CUDA graph: convsmith_plan_run neither allocates nor waits, so a stream can be captured while it is
 * called, and a launch of the graph does all that the run does, for whatever x has by then.
 *
 *     cc graph.c $(pkg-config --cflags --libs convsmith) -I$CUDA/include -L$CUDA/lib64 -lcudart -o graph
 *
 * Exit status 77 where there is no GPU that the library can use.
 */
#include <convsmith/convsmith.h>
#include <cuda_runtime_api.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 2, C_IN = 3, H = 40, W = 50, C_OUT = 16, K = 3, H_OUT = H - K + 1, W_OUT = W - K + 1, INPUTS = 3 };

enum { X_BYTES = sizeof(float) * N * C_IN * H * W, Y_BYTES = sizeof(float) * N * C_OUT * H_OUT * W_OUT };

static void check(convsmith_status status) {
    if (status != CONVSMITH_OK) {
        fprintf(stderr, "error: %s: %s\n", convsmith_status_string(status), convsmith_detail());
        exit(1);
    }
}

static void check_cuda(cudaError_t error) {
    if (error != cudaSuccess) {
        fprintf(stderr, "error: CUDA: %s\n", cudaGetErrorString(error));
        exit(1);
    }
}

static float *made_up(size_t bytes, unsigned seed) {
    float *values = malloc(bytes);
    if (!values) {
        fprintf(stderr, "error: no memory\n");
        exit(1);
    }
    for (size_t i = 0; i < bytes / sizeof *values; i++)
        values[i] = (float)((i * 37 + seed * 11) % 101) * 0.02f - 1.0f;
    return values;
}

static void *on_gpu(size_t bytes) {
    void *memory;
    check_cuda(cudaMalloc(&memory, bytes ? bytes : 1));
    return memory;
}

static void *made_up_on_gpu(size_t bytes, unsigned seed) {
    float *values = made_up(bytes, seed);
    void *memory = on_gpu(bytes);
    check_cuda(cudaMemcpy(memory, values, bytes, cudaMemcpyHostToDevice));
    free(values);
    return memory;
}

/* A plan with all it needs, on the GPU. */
typedef struct layer {
    convsmith_plan *plan;
    void *x, *y, *packed, *workspace;
} layer;

static layer create_layer(convsmith_device gpu) {
    const convsmith_problem problem = {
        .n = N,
        .c_in = C_IN,
        .h = H,
        .w = W,
        .c_out = C_OUT,
        .kh = K,
        .kw = K,
        .groups = 4,
        .eps = 1e-5f,
        .epilogue = CONVSMITH_EPILOGUE_SIGMOID_GROUP_NORM,
    };
    layer l = {.x = on_gpu(X_BYTES), .y = on_gpu(Y_BYTES)};
    check(convsmith_plan_create(&l.plan, &problem, gpu));
    l.packed = on_gpu(convsmith_plan_packed_size(l.plan));
    l.workspace = on_gpu(convsmith_plan_workspace_size(l.plan));

    void *weight = made_up_on_gpu(sizeof(float) * C_OUT * C_IN * K * K, 1);
    void *channel = made_up_on_gpu(sizeof(float) * C_OUT, 2); /* it serves for all per-channel parameters */
    const convsmith_step steps[] = {
        {.values = {channel}}, {.values = {channel}},          {.values = {channel}},
        {.values = {NULL}},    {.values = {channel, channel}},
    };
    const convsmith_params params = {.weight = weight, .steps = steps, .step_count = 5};
    check(convsmith_plan_prepack(l.plan, &params, l.packed, NULL));
    check_cuda(cudaDeviceSynchronize());
    check_cuda(cudaFree(weight));
    check_cuda(cudaFree(channel));
    return l;
}

static void destroy_layer(layer *l) {
    void *const blocks[] = {l->x, l->y, l->packed, l->workspace};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        check_cuda(cudaFree(blocks[i]));
    convsmith_plan_destroy(l->plan);
}

static void run(const layer *l, cudaStream_t stream) {
    const convsmith_args args = {.x = l->x, .packed = l->packed, .y = l->y};
    check(convsmith_plan_run(l->plan, &args, l->workspace, stream));
}

/* A graph of one run; a program would capture all of its layers. */
static cudaGraphExec_t capture(const layer *l, cudaStream_t stream) {
    cudaGraph_t graph;
    cudaGraphExec_t executable;
    check_cuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
    run(l, stream);
    check_cuda(cudaStreamEndCapture(stream, &graph));
    check_cuda(cudaGraphInstantiate(&executable, graph, 0));
    check_cuda(cudaGraphDestroy(graph));
    return executable;
}

/* What is in y when the stream has done its work. */
static void fetch(const layer *l, float *y, cudaStream_t stream) {
    check_cuda(cudaMemcpyAsync(y, l->y, Y_BYTES, cudaMemcpyDeviceToHost, stream));
    check_cuda(cudaMemsetAsync(l->y, 0xff, Y_BYTES, stream)); /* NaN: the next result must be a new one */
    check_cuda(cudaStreamSynchronize(stream));
}

/* How many inputs have another result by the graph than by a run. */
static int count_differences(const layer *l, cudaGraphExec_t graph, cudaStream_t stream) {
    int differences = 0;
    float *by_run = made_up(Y_BYTES, 0), *by_graph = made_up(Y_BYTES, 0);
    for (unsigned i = 0; i < INPUTS; i++) {
        float *x = made_up(X_BYTES, i);
        check_cuda(cudaMemcpyAsync(l->x, x, X_BYTES, cudaMemcpyHostToDevice, stream));
        run(l, stream);
        fetch(l, by_run, stream);
        check_cuda(cudaGraphLaunch(graph, stream));
        fetch(l, by_graph, stream);
        differences += memcmp(by_run, by_graph, Y_BYTES) != 0;
        free(x);
    }
    free(by_run);
    free(by_graph);
    return differences;
}

int main(void) {
    const convsmith_device gpu = {CONVSMITH_DEVICE_CUDA, 0};
    if (convsmith_target_supported(CONVSMITH_TARGET_SM80, gpu) != CONVSMITH_OK) {
        printf("skipped: %s\n", convsmith_detail());
        return 77;
    }
    cudaStream_t stream;
    check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    layer l = create_layer(gpu);
    const cudaGraphExec_t graph = capture(&l, stream);
    const int differences = count_differences(&l, graph, stream);
    printf("%s: %d of %d launches of the graph gave other bits than a run\n",
           convsmith_kernel_get_info(convsmith_plan_kernel(l.plan))->name, differences, INPUTS);
    check_cuda(cudaGraphExecDestroy(graph));
    destroy_layer(&l);
    check_cuda(cudaStreamDestroy(stream));
    return differences == 0 ? 0 : 1;
}
