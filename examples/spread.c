/* SPDX-License-Identifier: Apache-2.0
 *
 * A batch spread over all GPUs of a host: each has a plan for its share of the samples, a stream and memory of its own,
 * and all of them work at once. Without a GPU, or without CUDA, the CPU has all samples.
 *
 *     cc spread.c $(pkg-config --cflags --libs convsmith) -lm -o spread
 *     cc -DWITH_CUDA spread.c $(pkg-config --cflags --libs convsmith) -I$CUDA/include -L$CUDA/lib64 -lcudart -lm ...
 */
#include <convsmith/convsmith.h>
#ifdef WITH_CUDA
#include <cuda_runtime_api.h>
#endif

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 10, C_IN = 3, H = 40, W = 50, C_OUT = 16, K = 3, H_OUT = H - K + 1, W_OUT = W - K + 1, MOST_GPUS = 16 };

enum { SAMPLE_OF_X = C_IN * H * W, SAMPLE_OF_Y = C_OUT * H_OUT * W_OUT, WEIGHTS = C_OUT * C_IN * K * K };

static void check(convsmith_status status) {
    if (status != CONVSMITH_OK) {
        fprintf(stderr, "error: %s: %s\n", convsmith_status_string(status), convsmith_detail());
        exit(1);
    }
}

/* ---- What a kind of device needs --------------------------------------------------------------------------------- */

/* Of the device that `choose` has chosen; its work is done in order, and when `wait` returns. */
typedef struct backend {
    const char *name;
    void (*choose)(int ordinal);
    void *(*allocate)(size_t bytes);
    void (*release)(void *memory);
    void *(*open_stream)(void);
    void (*copy)(void *to, const void *from, size_t bytes, void *stream);
    void (*wait)(void *stream);
    void (*close_stream)(void *stream);
} backend;

static void cpu_choose(int ordinal) { (void)ordinal; }

static void *cpu_allocate(size_t bytes) {
    void *memory = aligned_alloc(16, (bytes + 16) / 16 * 16);
    if (!memory) {
        fprintf(stderr, "error: no memory\n");
        exit(1);
    }
    return memory;
}

static void *cpu_open_stream(void) { return NULL; }

static void cpu_copy(void *to, const void *from, size_t bytes, void *stream) {
    (void)stream;
    memcpy(to, from, bytes);
}

static void cpu_nothing(void *stream) { (void)stream; }

static const backend cpu = {"CPU", cpu_choose, cpu_allocate, free, cpu_open_stream, cpu_copy, cpu_nothing, cpu_nothing};

#ifdef WITH_CUDA
static void check_cuda(cudaError_t error) {
    if (error != cudaSuccess) {
        fprintf(stderr, "error: CUDA: %s\n", cudaGetErrorString(error));
        exit(1);
    }
}

static void gpu_choose(int ordinal) { check_cuda(cudaSetDevice(ordinal)); }

static void *gpu_allocate(size_t bytes) {
    void *memory;
    check_cuda(cudaMalloc(&memory, bytes ? bytes : 1));
    return memory;
}

static void gpu_release(void *memory) { check_cuda(cudaFree(memory)); }

static void *gpu_open_stream(void) {
    cudaStream_t stream;
    check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    return stream;
}

static void gpu_copy(void *to, const void *from, size_t bytes, void *stream) {
    check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream));
}

static void gpu_wait(void *stream) { check_cuda(cudaStreamSynchronize(stream)); }

static void gpu_close_stream(void *stream) { check_cuda(cudaStreamDestroy(stream)); }

static const backend gpu = {"GPU",           gpu_choose, gpu_allocate, gpu_release,
                            gpu_open_stream, gpu_copy,   gpu_wait,     gpu_close_stream};
#else
static const backend gpu = {0}; /* a program without CUDA counts no GPUs */
#endif

/* The GPUs that the library can use, and why there is no further one. */
static int count_gpus(const char **why) {
    int count = 0;
    *why = "this program was built without CUDA";
#ifdef WITH_CUDA
    while (count < MOST_GPUS &&
           convsmith_target_supported(CONVSMITH_TARGET_SM80, (convsmith_device){CONVSMITH_DEVICE_CUDA, count}) ==
               CONVSMITH_OK)
        count++;
    *why = convsmith_detail();
#endif
    return count;
}

/* ---- A share of the batch ---------------------------------------------------------------------------------------- */

/* The layer's data, on the host. */
typedef struct data {
    float x[N][SAMPLE_OF_X], y[N][SAMPLE_OF_Y], expected[N][SAMPLE_OF_Y], weight[WEIGHTS];
    float channel[C_OUT]; /* it serves for all per-channel parameters */
} data;

/* What one device works on, and its memory. */
typedef struct share {
    const backend *on;
    convsmith_device device;
    int first, count; /* of the samples */
    convsmith_plan *plan;
    void *stream, *x, *y, *weight, *channel, *packed, *workspace;
} share;

static void *place(const share *s, const void *values, size_t bytes) {
    void *memory = s->on->allocate(bytes);
    s->on->copy(memory, values, bytes, s->stream);
    return memory;
}

static void open_share(share *s, const data *d) {
    const convsmith_problem problem = {
        .n = s->count,
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
    check(convsmith_plan_create(&s->plan, &problem, s->device));
    s->on->choose(s->device.ordinal);
    s->stream = s->on->open_stream();
    s->x = s->on->allocate(sizeof d->x[0] * (size_t)s->count);
    s->y = s->on->allocate(sizeof d->y[0] * (size_t)s->count);
    s->packed = s->on->allocate(convsmith_plan_packed_size(s->plan));
    s->workspace = s->on->allocate(convsmith_plan_workspace_size(s->plan));
    s->weight = place(s, d->weight, sizeof d->weight);
    s->channel = place(s, d->channel, sizeof d->channel);

    const convsmith_step steps[] = {
        {.values = {s->channel}},
        {.values = {s->channel}},
        {.values = {s->channel}},
        {.values = {NULL}},
        {.values = {s->channel, s->channel}},
    };
    const convsmith_params params = {.weight = s->weight, .steps = steps, .step_count = 5};
    check(convsmith_plan_prepack(s->plan, &params, s->packed, s->stream));
}

/* On a GPU this only starts the work: those that are asked first work while the others are being asked. */
static void start_share(const share *s, const float *x, float *y) {
    const convsmith_args args = {.x = s->x, .packed = s->packed, .y = s->y};
    s->on->choose(s->device.ordinal);
    s->on->copy(s->x, x, sizeof(float) * SAMPLE_OF_X * (size_t)s->count, s->stream);
    check(convsmith_plan_run(s->plan, &args, s->workspace, s->stream));
    s->on->copy(y, s->y, sizeof(float) * SAMPLE_OF_Y * (size_t)s->count, s->stream);
}

static void close_share(share *s) {
    void *const blocks[] = {s->x, s->y, s->weight, s->channel, s->packed, s->workspace};
    s->on->choose(s->device.ordinal);
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        s->on->release(blocks[i]);
    s->on->close_stream(s->stream);
    convsmith_plan_destroy(s->plan);
}

/* ---- The batch --------------------------------------------------------------------------------------------------- */

/* As even shares as there can be, the samples of each behind those of the one before. */
static void run_shares(share *shares, int count, data *d, float (*y)[SAMPLE_OF_Y]) {
    for (int i = 0; i < count; i++) {
        shares[i].first = N * i / count;
        shares[i].count = N * (i + 1) / count - shares[i].first;
        open_share(&shares[i], d);
    }
    for (int i = 0; i < count; i++)
        start_share(&shares[i], d->x[shares[i].first], y[shares[i].first]);
    for (int i = 0; i < count; i++) {
        const share *s = &shares[i];
        s->on->wait(s->stream);
        printf("%s %d: samples %d to %d, %s\n", s->on->name, s->device.ordinal, s->first, s->first + s->count - 1,
               convsmith_kernel_get_info(convsmith_plan_kernel(s->plan))->name);
        close_share(&shares[i]);
    }
}

static void run_on_gpus(data *d, int count) {
    share shares[MOST_GPUS];
    for (int i = 0; i < count; i++)
        shares[i] = (share){.on = &gpu, .device = {CONVSMITH_DEVICE_CUDA, i}};
    run_shares(shares, count, d, d->y);
}

static void run_on_cpu(data *d, float (*y)[SAMPLE_OF_Y]) {
    share all = {.on = &cpu, .device = {CONVSMITH_DEVICE_CPU, 0}};
    run_shares(&all, 1, d, y);
}

static double largest_difference(const data *d) {
    double largest = 0;
    for (int n = 0; n < N; n++)
        for (int i = 0; i < SAMPLE_OF_Y; i++)
            largest = fmax(largest, fabs((double)d->y[n][i] - (double)d->expected[n][i]));
    return largest;
}

static void make_up(float *values, size_t count, unsigned seed) {
    for (size_t i = 0; i < count; i++)
        values[i] = (float)((i * 37 + seed * 11) % 101) * 0.02f - 1.0f;
}

int main(void) {
    data *d = cpu_allocate(sizeof *d);
    make_up(d->x[0], N * SAMPLE_OF_X, 1);
    make_up(d->weight, WEIGHTS, 2);
    make_up(d->channel, C_OUT, 3);

    const char *why;
    const int gpus = count_gpus(&why);
    double difference = 0;
    if (gpus > 0) {
        run_on_gpus(d, gpus < N ? gpus : N);
        run_on_cpu(d, d->expected);
        difference = largest_difference(d);
        printf("largest difference from the CPU: %g\n", difference);
    } else {
        printf("no GPU can be used here: %s\n", why);
        run_on_cpu(d, d->y);
    }
    free(d);
    return difference < 1e-4 ? 0 : 1;
}
